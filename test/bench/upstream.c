// upstream FOLDER: a scripted model that costs next to nothing, so that the gateway in front of it is the limit.
// Listens on a free port of 127.0.0.1 and prints it. One thread, keep-alive, one request at a time on a connection.
// What it sends lies in FOLDER as it goes over the wire, heads and chunks included: NAME.answer, or for a stream NAME.start, then NAME.event
// again and again, then NAME.end. NAME is the vendor at the beginning of the request's path, else openai. It streams when the path goes on
// with "-stream", or the body says "stream":true near its start or end; with "include_usage":true NAME.usage goes before the end.
// A request says in its text how it is to be answered: "bench: events=30 gap=20000" is 30 events, 20 ms apart, of which with
// "spread=20000" the first waits for 0 to 20 ms, so that streams that began together do not go on in step;
// "bench: status=500" an error of that status; "bench: reset=5" a connection that is reset after 5 events (0: without an answer).
// In an event, the digits of "sent=000000000000" become the moment at which it is sent, in microseconds of the monotonic clock.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

enum { START_SIZE = 1 << 14, END_SIZE = 512, PROBE = 4096, MOST_STREAMS = 1 << 16, SEND_BUFFER = 1 << 20, STAMP_DIGITS = 12 };
static const char STAMP[] = "sent=";

typedef struct {
  char *bytes;
  int length;
  char *stamp; // where the moment of sending goes, or 0
} Part;

typedef struct {
  const char *name;
  Part answer, start, event, usage, end;
} Vendor;

static Vendor vendors[] = { { .name = "openai" }, { .name = "anthropic" }, { .name = "gemini" }, { .name = "bedrock" } };
enum { VENDORS = sizeof vendors / sizeof *vendors };

typedef struct {
  int fd;
  char start[START_SIZE]; // the request from its first byte, as far as it fits
  int start_len;
  char end[END_SIZE]; // the last bytes of the body
  int header_len;     // 0 until the empty line has come
  int chunked;
  long body_len, body_got;
  // Of the stream under way:
  Vendor *vendor;
  int events_left, gap, resets, usage;
  long long due; // when its next event goes out
  int place;     // in the heap; -1: no stream
} Connection;

static long long now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1000000LL + t.tv_nsec / 1000;
}

// The streams under way, as a binary heap: the one whose event is due first comes first.
static Connection *streams[MOST_STREAMS];
static int stream_count;

static void place(Connection *c, int at) {
  streams[at] = c;
  c->place = at;
}

static void settle(Connection *c, int at) {
  for (; at > 0 && streams[(at - 1) / 2]->due > c->due; at = (at - 1) / 2) place(streams[(at - 1) / 2], at);
  for (int child; (child = 2 * at + 1) < stream_count; at = child) {
    if (child + 1 < stream_count && streams[child + 1]->due < streams[child]->due) child++;
    if (streams[child]->due >= c->due) break;
    place(streams[child], at);
  }
  place(c, at);
}

static void end_stream(Connection *c) {
  Connection *last = streams[--stream_count];
  if (last != c) settle(last, c->place);
  c->place = -1;
}

static void forget(Connection *c) {
  if (c->place >= 0) end_stream(c);
  close(c->fd);
  free(c);
}

// What is sent fits into the send buffer: a short write means that the peer is gone.
static int put(Connection *c, Part part) { return write(c->fd, part.bytes, part.length) == part.length; }

static int put_event(Connection *c, Part event) {
  if (event.stamp) {
    char digits[STAMP_DIGITS + 1];
    snprintf(digits, sizeof digits, "%0*lld", STAMP_DIGITS, now());
    memcpy(event.stamp, digits, STAMP_DIGITS);
  }
  return put(c, event);
}

static int put_status(Connection *c, int status) {
  static const char body[] = "{\"error\":{\"message\":\"as the request wanted it\",\"type\":\"server_error\",\"code\":null}}";
  char bytes[512];
  int length = snprintf(bytes, sizeof bytes, "HTTP/1.1 %d Scripted\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n\r\n%s", status,
                        sizeof body - 1, body);
  return put(c, (Part){ bytes, length, 0 });
}

// False, as for every connection that is to be closed; the peer sees a reset.
static int reset(Connection *c) {
  setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &(struct linger){ .l_onoff = 1 }, sizeof(struct linger));
  return 0;
}

static void await_request(Connection *c) { c->start_len = c->header_len = c->body_got = 0; }

static char *find(Connection *c, const char *text) {
  int probe = c->start_len - c->header_len;
  char *found = memmem(c->start + c->header_len, probe < PROBE ? probe : PROBE, text, strlen(text));
  return found ? found : memmem(c->end, END_SIZE, text, strlen(text));
}

static int wanted(const char *wish, const char *name, int otherwise) {
  const char *found = wish ? strstr(wish, name) : 0;
  return found ? atoi(found + strlen(name)) : otherwise;
}

static int start_stream(Connection *c, Vendor *vendor, const char *wish) {
  c->vendor = vendor;
  c->events_left = wanted(wish, "events=", 30);
  c->gap = wanted(wish, "gap=", 10000);
  c->resets = wanted(wish, "reset=", -1);
  c->usage = find(c, "\"include_usage\":true") != 0;
  if (c->resets >= 0) c->events_left = c->resets;
  static unsigned serial;
  int spread = wanted(wish, "spread=", 0);
  c->due = now() + (spread > 0 ? serial++ * 7919 % spread : 0);
  settle(c, stream_count++);
  return put(c, vendor->start);
}

static int answer(Connection *c) {
  const char *path = strchr(c->start, '/'), *rest = "";
  Vendor *vendor = vendors;
  for (Vendor *each = vendors; path && each < vendors + VENDORS; each++)
    if (!strncmp(path + 1, each->name, strlen(each->name))) vendor = each, rest = path + 1 + strlen(each->name);
  const char *wish = find(c, "bench: ");
  int streamed = !strncmp(rest, "-stream", 7) || find(c, "\"stream\":true") || find(c, "\"stream\": true");
  int status = wanted(wish, "status=", 200);
  if (wanted(wish, "reset=", -1) == 0) return reset(c);
  if (streamed && status == 200) return start_stream(c, vendor, wish);
  await_request(c);
  return status == 200 ? put(c, vendor->answer) : put_status(c, status);
}

static int continue_stream(Connection *c) {
  Vendor *vendor = c->vendor;
  if (c->events_left-- > 0) {
    c->due += c->gap;
    settle(c, c->place);
    return put_event(c, vendor->event);
  }
  if (c->resets >= 0) return reset(c);
  end_stream(c);
  await_request(c);
  return (!c->usage || !vendor->usage.length || put(c, vendor->usage)) && put(c, vendor->end);
}

static void keep_end(Connection *c, const char *bytes, int length) {
  if (length > END_SIZE) bytes += length - END_SIZE, length = END_SIZE;
  memmove(c->end, c->end + length, END_SIZE - length);
  memcpy(c->end + END_SIZE - length, bytes, length);
}

static int receive(Connection *c, const char *bytes, int length) {
  int fits = START_SIZE - 1 - c->start_len;
  if (fits > length) fits = length;
  memcpy(c->start + c->start_len, bytes, fits);
  c->start_len += fits;
  c->start[c->start_len] = 0;
  if (!c->header_len) {
    char *end = strstr(c->start, "\r\n\r\n");
    if (!end) return c->start_len < START_SIZE - 1;
    *end = 0;
    char *content_length = strcasestr(c->start, "\ncontent-length:");
    c->chunked = !content_length && strcasestr(c->start, "\ntransfer-encoding:");
    c->body_len = content_length ? atol(content_length + 16) : 0;
    int before = c->start_len - fits;
    c->header_len = end + 4 - c->start;
    bytes += c->header_len - before;
    length -= c->header_len - before;
    memset(c->end, 0, END_SIZE);
  }
  c->body_got += length;
  if (length > 0) keep_end(c, bytes, length);
  int complete = c->chunked ? !memcmp(c->end + END_SIZE - 5, "0\r\n\r\n", 5) : c->body_got >= c->body_len;
  return complete ? answer(c) : 1;
}

static Part read_part(const char *folder, const char *name, const char *part) {
  char path[4096];
  snprintf(path, sizeof path, "%s/%s.%s", folder, name, part);
  FILE *file = fopen(path, "rb");
  if (!file) perror(path), exit(1);
  Part read = { malloc(1 << 16), 0, 0 };
  read.length = fread(read.bytes, 1, 1 << 16, file);
  fclose(file);
  char *stamp = memmem(read.bytes, read.length, STAMP, strlen(STAMP));
  if (stamp) read.stamp = stamp + strlen(STAMP);
  return read;
}

static void accept_all(int listener, int poll) {
  int on = 1, size = SEND_BUFFER;
  for (int fd; (fd = accept4(listener, 0, 0, SOCK_NONBLOCK)) >= 0;) {
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
    Connection *c = calloc(1, sizeof *c);
    c->fd = fd;
    c->place = -1;
    epoll_ctl(poll, EPOLL_CTL_ADD, fd, &(struct epoll_event){ .events = EPOLLIN, .data.ptr = c });
  }
}

static void send_due_events(void) {
  for (long long time = now(); stream_count && streams[0]->due <= time;) {
    Connection *c = streams[0];
    if (!continue_stream(c)) forget(c);
  }
}

int main(int count, char **arguments) {
  if (count != 2) return fputs("upstream FOLDER\n", stderr), 2;
  for (Vendor *vendor = vendors; vendor < vendors + VENDORS; vendor++) {
    vendor->answer = read_part(arguments[1], vendor->name, "answer");
    vendor->start = read_part(arguments[1], vendor->name, "start");
    vendor->event = read_part(arguments[1], vendor->name, "event");
    vendor->usage = read_part(arguments[1], vendor->name, "usage");
    vendor->end = read_part(arguments[1], vendor->name, "end");
  }
  signal(SIGPIPE, SIG_IGN);
  struct rlimit files;
  getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  setrlimit(RLIMIT_NOFILE, &files);

  int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
  struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
  socklen_t size = sizeof address;
  if (bind(listener, (void *)&address, size) || listen(listener, 4096) || getsockname(listener, (void *)&address, &size)) return perror("upstream"), 1;
  printf("%d\n", ntohs(address.sin_port));
  fflush(stdout);

  int poll = epoll_create1(0);
  struct epoll_event ready[256];
  epoll_ctl(poll, EPOLL_CTL_ADD, listener, &(struct epoll_event){ .events = EPOLLIN });
  static char bytes[1 << 18];
  for (;;) {
    long long wait = stream_count ? streams[0]->due - now() : 0;
    if (wait < 0) wait = 0;
    struct timespec limit = { wait / 1000000, wait % 1000000 * 1000 };
    int found = epoll_pwait2(poll, ready, 256, stream_count ? &limit : 0, 0);
    for (int i = 0; i < found; i++) {
      Connection *c = ready[i].data.ptr;
      if (!c) {
        accept_all(listener, poll);
        continue;
      }
      int length = read(c->fd, bytes, sizeof bytes);
      if (length < 0 && errno == EAGAIN) continue;
      if (length <= 0 || !receive(c, bytes, length)) forget(c);
    }
    send_due_events();
  }
}
