// upstream EVENTS GAP_MICROSECONDS FOLDER: an OpenAI-like server that costs next to nothing, so that the gateway in front of it is the limit.
// Listens on a free port of 127.0.0.1 and prints it. One thread, keep-alive, one request at a time on a connection.
// A body with "stream":true near its start or its end is answered with server-sent events, GAP_MICROSECONDS apart;
// with "include_usage":true as well, one more event tells the usage. Any other request is answered with one chat completion.
// At the path /NAME, the name of another vendor, the answer is that of the file NAME.answer in FOLDER; at /NAME-stream it is a stream:
// NAME.start, then NAME.event again and again, then NAME.end. The files hold the bytes as they are sent, heads and chunks included.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

enum { START_SIZE = 1 << 16, END_SIZE = 512, PROBE = 4096, MOST_CONNECTIONS = 4096 };

typedef struct {
  char *bytes;
  int length;
} Part;

typedef struct {
  const char *name;
  Part answer, start, event, end;
} Vendor;

static Vendor vendors[] = { { .name = "anthropic" }, { .name = "gemini" }, { .name = "bedrock" } };
enum { VENDORS = sizeof vendors / sizeof *vendors };

typedef struct {
  int fd;
  Vendor *vendor; // of the stream under way; 0: OpenAI
  char start[START_SIZE]; // the request from its first byte, as far as it fits
  int start_len;
  char end[END_SIZE]; // the last bytes of the body
  int header_len;     // 0 until the empty line has come
  int chunked;
  long body_len, body_got;
  int events_left; // of the stream under way
  int usage;
  long long due; // when its next event goes out
} Connection;

static Connection *streams[MOST_CONNECTIONS];
static int stream_count, events, gap;

static const char STREAM_HEADER[] = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n";
static const char STREAM_END[] = "e\r\ndata: [DONE]\n\n\r\n0\r\n\r\n";
#define CHUNK_START "data: {\"id\":\"chatcmpl-A1b2C3d4E5f6G7h8I9j0\",\"object\":\"chat.completion.chunk\",\"created\":1700000000,\"model\":\"gpt-4-0613\","
static const char DELTA[] = CHUNK_START
  "\"system_fingerprint\":null,\"choices\":[{\"index\":0,\"delta\":{\"content\":\" token\"},\"logprobs\":null,\"finish_reason\":null}]}\n\n";
static const char USAGE[] = CHUNK_START "\"choices\":[],\"usage\":{\"prompt_tokens\":25,\"completion_tokens\":30,\"total_tokens\":55}}\n\n";
static const char COMPLETION[] =
  "{\"id\":\"chatcmpl-A1b2C3d4E5f6G7h8I9j0\",\"object\":\"chat.completion\",\"created\":1700000000,\"model\":\"gpt-4-0613\",\"choices\":[{"
  "\"index\":0,\"message\":{\"role\":\"assistant\",\"content\":\"The quick brown fox jumps over the lazy dog, and then it sits down to think about "
  "what a language model would have said in its place. It decides that about sixty words are enough for a plausible reply, no more and no "
  "less, and that they need not mean anything in particular.\"},\"logprobs\":null,\"finish_reason\":\"stop\"}],\"usage\":{\"prompt_tokens\":25,"
  "\"completion_tokens\":60,\"total_tokens\":85},\"system_fingerprint\":null}";

static long long now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1000000LL + t.tv_nsec / 1000;
}

// Answers are small: a short write means that the peer is gone.
static int put(Connection *c, const char *bytes, int length) { return write(c->fd, bytes, length) == length; }

static int put_event(Connection *c, const char *event) {
  char chunk[1024];
  return put(c, chunk, snprintf(chunk, sizeof chunk, "%zx\r\n%s\r\n", strlen(event), event));
}

static void await_request(Connection *c) { c->start_len = c->header_len = c->body_got = 0; }

static void forget(Connection *c) {
  for (int i = 0; i < stream_count; i++)
    if (streams[i] == c) streams[i--] = streams[--stream_count];
  close(c->fd);
  free(c);
}

static int body_says(Connection *c, const char *text) {
  int probe = c->start_len - c->header_len;
  if (probe > PROBE) probe = PROBE;
  return memmem(c->start + c->header_len, probe, text, strlen(text)) || memmem(c->end, END_SIZE, text, strlen(text));
}

static int put_part(Connection *c, Part part) { return put(c, part.bytes, part.length); }

static Part read_part(const char *folder, const char *name, const char *part) {
  char path[4096];
  snprintf(path, sizeof path, "%s/%s.%s", folder, name, part);
  FILE *file = fopen(path, "rb");
  if (!file) perror(path), exit(1);
  Part read = { malloc(1 << 16), 0 };
  read.length = fread(read.bytes, 1, 1 << 16, file);
  fclose(file);
  return read;
}

// What follows the vendor's name in the request's path, or 0.
static const char *after_name(Connection *c, Vendor *vendor) {
  const char *path = strchr(c->start, '/');
  size_t length = strlen(vendor->name);
  return path && !strncmp(path + 1, vendor->name, length) ? path + 1 + length : 0;
}

static int start_stream(Connection *c, Vendor *vendor) {
  c->vendor = vendor;
  c->events_left = events;
  c->due = now();
  streams[stream_count++] = c;
  return vendor ? put_part(c, vendor->start) : put(c, STREAM_HEADER, sizeof STREAM_HEADER - 1);
}

static int answer(Connection *c) {
  for (Vendor *vendor = vendors; vendor < vendors + VENDORS; vendor++) {
    const char *rest = after_name(c, vendor);
    if (!rest) continue;
    if (!strncmp(rest, "-stream", 7)) return start_stream(c, vendor);
    await_request(c);
    return put_part(c, vendor->answer);
  }
  if (!body_says(c, "\"stream\":true") && !body_says(c, "\"stream\": true")) {
    char reply[2048];
    int length = snprintf(reply, sizeof reply, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n\r\n%s",
                          sizeof COMPLETION - 1, COMPLETION);
    await_request(c);
    return put(c, reply, length);
  }
  c->usage = body_says(c, "\"include_usage\":true");
  return start_stream(c, 0);
}

static int continue_stream(Connection *c) {
  if (c->events_left-- > 0) {
    c->due += gap;
    return c->vendor ? put_part(c, c->vendor->event) : put_event(c, DELTA);
  }
  if (!c->vendor && c->usage && !put_event(c, USAGE)) return 0;
  for (int i = 0; i < stream_count; i++)
    if (streams[i] == c) streams[i--] = streams[--stream_count];
  await_request(c);
  return c->vendor ? put_part(c, c->vendor->end) : put(c, STREAM_END, sizeof STREAM_END - 1);
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

static int until_next_event(struct timespec *wait) {
  if (!stream_count) return 0;
  long long first = streams[0]->due;
  for (int i = 1; i < stream_count; i++)
    if (streams[i]->due < first) first = streams[i]->due;
  long long microseconds = first - now();
  if (microseconds < 0) microseconds = 0;
  *wait = (struct timespec){ microseconds / 1000000, microseconds % 1000000 * 1000 };
  return 1;
}

int main(int count, char **arguments) {
  if (count != 4) return fputs("upstream EVENTS GAP_MICROSECONDS FOLDER\n", stderr), 2;
  events = atoi(arguments[1]);
  gap = atoi(arguments[2]);
  for (Vendor *vendor = vendors; vendor < vendors + VENDORS; vendor++) {
    vendor->answer = read_part(arguments[3], vendor->name, "answer");
    vendor->start = read_part(arguments[3], vendor->name, "start");
    vendor->event = read_part(arguments[3], vendor->name, "event");
    vendor->end = read_part(arguments[3], vendor->name, "end");
  }
  signal(SIGPIPE, SIG_IGN);

  int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), on = 1;
  struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
  socklen_t size = sizeof address;
  if (bind(listener, (void *)&address, size) || listen(listener, 4096) || getsockname(listener, (void *)&address, &size)) return perror("upstream"), 1;
  printf("%d\n", ntohs(address.sin_port));
  fflush(stdout);

  int poll = epoll_create1(0);
  struct epoll_event interest = { .events = EPOLLIN }, ready[256];
  epoll_ctl(poll, EPOLL_CTL_ADD, listener, &interest);
  static char bytes[1 << 18];
  for (;;) {
    struct timespec wait;
    int found = epoll_pwait2(poll, ready, 256, until_next_event(&wait) ? &wait : 0, 0);
    for (int i = 0; i < found; i++) {
      Connection *c = ready[i].data.ptr;
      if (!c) {
        for (int fd; (fd = accept4(listener, 0, 0, SOCK_NONBLOCK)) >= 0;) {
          setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
          c = calloc(1, sizeof *c);
          c->fd = fd;
          epoll_ctl(poll, EPOLL_CTL_ADD, fd, &(struct epoll_event){ .events = EPOLLIN, .data.ptr = c });
        }
        continue;
      }
      int length = read(c->fd, bytes, sizeof bytes);
      if (length <= 0 || !receive(c, bytes, length)) forget(c);
    }
    long long time = now();
    for (int i = stream_count - 1; i >= 0; i--)
      if (streams[i]->due <= time) {
        Connection *c = streams[i];
        if (!continue_stream(c)) forget(c);
      }
  }
}
