// load PORT REQUEST_FILE CONNECTIONS SECONDS RATE PATIENCE: the HTTP/1.1 request of the file, again and again, from one thread.
// RATE 0 is a closed loop: on each connection the next request goes when the answer is complete. Otherwise RATE requests a second go in an
// open loop: each has a moment at which it is due, waits for a connection when none is free, and its latency counts from that moment, so that
// a gateway that stalls cannot hide it. After SECONDS no request becomes due; PATIENCE is how many seconds more the last ones may take.
// Prints one JSON object; times in microseconds. An event is an empty line in an answer's body, as server-sent events end with; "sent=" in
// one is the moment at which upstream.c sent it, from which the latency of tokens counts.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

enum { HEADER_SIZE = 1 << 14, MOST_SAMPLES = 8000000, STAMP_DIGITS = 12 };
static const char STAMP[] = "sent=";
enum { CHUNK_SIZE, CHUNK_DATA, CHUNK_END, LAST_LINE };

typedef struct {
  int fd, busy;
  long sent;
  long long due, started;
  char header[HEADER_SIZE];
  int header_len, header_done, status;
  long body_left; // -1: chunked
  int chunk_state;
  long chunk_left;
  int first_byte_seen, line_empty;
} Connection;

typedef struct {
  unsigned *values;
  long count;
} Samples;

static int port, poll_fd;
static char *request;
static long request_len;
static long long end_time, period, next_due;
static Connection **idle; // a ring, so that none is idle for long
static int idle_first, idle_count, connection_count;
static Samples latencies, first_bytes, tokens;
static long errors, events;

static long long now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static void note(Samples *samples, long long nanoseconds) {
  if (samples->count < MOST_SAMPLES) samples->values[samples->count++] = nanoseconds / 1000;
}

static int ascending(const void *a, const void *b) {
  unsigned x = *(unsigned *)a, y = *(unsigned *)b;
  return x < y ? -1 : x > y;
}

static unsigned quantile(Samples *samples, double q) { return samples->count ? samples->values[(long)((samples->count - 1) * q)] : 0; }

static void listen_for(Connection *c, int operation, unsigned what) {
  epoll_ctl(poll_fd, operation, c->fd, &(struct epoll_event){ .events = what, .data.ptr = c });
}

static void dial(Connection *c) {
  if (c->fd) close(c->fd);
  struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
  int on = 1;
  c->fd = socket(AF_INET, SOCK_STREAM, 0);
  setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  if (connect(c->fd, (void *)&address, sizeof address)) {
    perror("load: connect");
    exit(1);
  }
  fcntl(c->fd, F_SETFL, O_NONBLOCK);
  listen_for(c, EPOLL_CTL_ADD, EPOLLIN);
}

static void push(Connection *c) {
  while (c->sent < request_len) {
    long n = write(c->fd, request + c->sent, request_len - c->sent);
    if (n < 0) return listen_for(c, EPOLL_CTL_MOD, errno == EAGAIN ? EPOLLIN | EPOLLOUT : EPOLLIN);
    c->sent += n;
  }
}

// The next request: at once in the closed loop, in the open loop when it is due.
static void start(Connection *c) {
  long long time = now(), due = period ? next_due : time;
  if (due >= end_time || due > time) {
    idle[(idle_first + idle_count++) % connection_count] = c;
    return;
  }
  next_due += period;
  c->busy = 1;
  c->sent = c->header_len = c->header_done = c->chunk_state = c->chunk_left = c->first_byte_seen = c->line_empty = 0;
  c->started = time;
  c->due = due;
  push(c);
}

static Connection *take_idle(void) {
  Connection *c = idle[idle_first];
  idle_first = (idle_first + 1) % connection_count;
  idle_count--;
  return c;
}

static void finish(Connection *c) {
  c->busy = 0;
  if (c->status != 200) errors++;
  note(&latencies, now() - c->due);
  start(c);
}

// A stamp that two reads tore apart is left out.
static void note_tokens(const char *bytes, long length) {
  const char *end = bytes + length;
  for (long long time = now(); (bytes = memmem(bytes, end - bytes, STAMP, strlen(STAMP))) && end - bytes > (long)strlen(STAMP) + STAMP_DIGITS;) {
    bytes += strlen(STAMP);
    note(&tokens, time - atoll(bytes) * 1000);
  }
}

static void take_body(Connection *c, const char *bytes, long length) {
  if (length && !c->first_byte_seen) {
    c->first_byte_seen = 1;
    note(&first_bytes, now() - c->started);
  }
  note_tokens(bytes, length);
  for (long i = 0; i < length; i++) {
    if (bytes[i] != '\n') {
      const char *line_end = memchr(bytes + i, '\n', length - i);
      c->line_empty = 0;
      if (!line_end) return;
      i = line_end - bytes;
    }
    events += c->line_empty;
    c->line_empty = !c->line_empty;
  }
}

// The bytes of the header in `bytes`; 0 while its end has not come.
static long take_header(Connection *c, const char *bytes, long length) {
  int before = c->header_len;
  long fits = length < HEADER_SIZE - 1 - before ? length : HEADER_SIZE - 1 - before;
  memcpy(c->header + before, bytes, fits);
  c->header_len += fits;
  c->header[c->header_len] = 0;
  char *end = strstr(c->header, "\r\n\r\n");
  if (!end) return 0;
  *end = 0;
  c->header_done = 1;
  c->status = atoi(c->header + strlen("HTTP/1.1 "));
  char *content_length = strcasestr(c->header, "\ncontent-length:");
  c->body_left = content_length ? atol(content_length + 16) : -1;
  return end + 4 - c->header - before;
}

// True when the last chunk was among the bytes.
static int take_chunks(Connection *c, const char *bytes, long length) {
  for (const char *end = bytes + length; bytes < end;) switch (c->chunk_state) {
      case CHUNK_SIZE: {
        char digit = *bytes++;
        if (digit == '\n') c->chunk_state = c->chunk_left ? CHUNK_DATA : LAST_LINE;
        else if (digit != '\r') c->chunk_left = c->chunk_left * 16 + (digit <= '9' ? digit - '0' : (digit | 32) - 'a' + 10);
        break;
      }
      case CHUNK_DATA: {
        long take = end - bytes < c->chunk_left ? end - bytes : c->chunk_left;
        take_body(c, bytes, take);
        bytes += take;
        c->chunk_left -= take;
        if (!c->chunk_left) c->chunk_state = CHUNK_END;
        break;
      }
      case CHUNK_END:
        if (*bytes++ == '\n') c->chunk_state = CHUNK_SIZE;
        break;
      case LAST_LINE:
        if (*bytes++ == '\n') return 1;
    }
  return 0;
}

// True when the answer is complete.
static int take(Connection *c, const char *bytes, long length) {
  if (!c->header_done) {
    long used = take_header(c, bytes, length);
    if (!c->header_done) return 0;
    bytes += used;
    length -= used;
  }
  if (c->body_left < 0) return take_chunks(c, bytes, length);
  take_body(c, bytes, length);
  return (c->body_left -= length) <= 0;
}

static void lost(Connection *c) {
  dial(c);
  if (!c->busy) return;
  c->status = 0;
  finish(c);
}

static void read_request(const char *path) {
  FILE *file = fopen(path, "rb");
  if (!file) {
    perror(path);
    exit(1);
  }
  fseek(file, 0, SEEK_END);
  request_len = ftell(file);
  rewind(file);
  request = malloc(request_len);
  if (fread(request, 1, request_len, file) != (size_t)request_len) exit(1);
  fclose(file);
}

static void print_quantiles(const char *name, Samples *samples) {
  qsort(samples->values, samples->count, sizeof(unsigned), ascending);
  printf(",\"%s\":{\"p50\":%u,\"p99\":%u,\"p999\":%u}", name, quantile(samples, .5), quantile(samples, .99), quantile(samples, .999));
}

int main(int count, char **arguments) {
  if (count != 7) return fputs("load PORT REQUEST_FILE CONNECTIONS SECONDS RATE PATIENCE\n", stderr), 2;
  signal(SIGPIPE, SIG_IGN);
  struct rlimit files;
  getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  setrlimit(RLIMIT_NOFILE, &files);
  port = atoi(arguments[1]);
  read_request(arguments[2]);
  connection_count = atoi(arguments[3]);
  double seconds = atof(arguments[4]), rate = atof(arguments[5]), patience = atof(arguments[6]);
  Samples *all[] = { &latencies, &first_bytes, &tokens };
  for (int i = 0; i < 3; i++) all[i]->values = malloc(MOST_SAMPLES * sizeof(unsigned));
  poll_fd = epoll_create1(0);
  idle = calloc(connection_count, sizeof *idle);
  Connection *connections = calloc(connection_count, sizeof *connections);
  for (int i = 0; i < connection_count; i++) dial(&connections[i]);

  long long begin = now();
  next_due = begin;
  end_time = begin + seconds * 1e9;
  if (rate > 0) period = 1e9 / rate;
  for (int i = 0; i < connection_count; i++) start(&connections[i]);

  static char bytes[1 << 18];
  struct epoll_event ready[512];
  for (;;) {
    while (idle_count && period && next_due < end_time && next_due <= now()) start(take_idle());
    long long time = now(), until = time < end_time ? end_time : end_time + patience * 1e9;
    if (time >= until || (time >= end_time && idle_count == connection_count)) break;
    if (idle_count && period && next_due < until && next_due < end_time) until = next_due;
    struct timespec wait = { 0, until - time < 100000000 ? (until > time ? until - time : 0) : 100000000 };
    int found = epoll_pwait2(poll_fd, ready, 512, &wait, 0);
    for (int i = 0; i < found; i++) {
      Connection *c = ready[i].data.ptr;
      if (ready[i].events & EPOLLOUT) {
        listen_for(c, EPOLL_CTL_MOD, EPOLLIN);
        push(c);
      }
      if (!(ready[i].events & ~EPOLLOUT)) continue;
      long length = read(c->fd, bytes, sizeof bytes);
      if (length < 0 && errno == EAGAIN) continue;
      if (length <= 0) lost(c);
      else if (c->busy && take(c, bytes, length)) finish(c);
    }
  }
  double took = (now() - begin) / 1e9;
  long unanswered = connection_count - idle_count;
  if (period && next_due < end_time) unanswered += (end_time - next_due) / period;
  printf("{\"requests\":%ld,\"errors\":%ld,\"seconds\":%.3f,\"events\":%ld", latencies.count, errors + unanswered, took, events);
  print_quantiles("latency", &latencies);
  print_quantiles("first_byte", &first_bytes);
  print_quantiles("token", &tokens);
  puts("}");
}
