// load PORT PATH BODY_FILE CONNECTIONS SECONDS RATE: one HTTP/1.1 request after the other on each connection, from one thread.
// RATE 0 is a closed loop: the next request goes when the answer is complete. Otherwise RATE requests a second go in an open loop, and
// latency counts from the moment a request was due, so that a gateway that stalls cannot hide it.
// Prints one JSON object; times in microseconds. An event is an empty line in an answer's body, as server-sent events end with.
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
#include <time.h>
#include <unistd.h>

enum { HEADER_SIZE = 1 << 14, MOST_SAMPLES = 8000000, GRACE_SECONDS = 5 };
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
static long long end_time, period;
static Samples latencies, first_bytes;
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

static void start(Connection *c, long long due) {
  c->busy = 1;
  c->sent = c->header_len = c->header_done = c->chunk_state = c->chunk_left = c->first_byte_seen = c->line_empty = 0;
  c->started = now();
  c->due = due ? due : c->started;
  push(c);
}

static void finish(Connection *c) {
  long long time = now();
  c->busy = 0;
  if (c->status != 200) errors++;
  note(&latencies, time - c->due);
  if (time >= end_time) return;
  if (!period) return start(c, 0);
  c->due += period;
  if (c->due <= time) start(c, c->due);
}

static void take_body(Connection *c, const char *bytes, long length) {
  if (length && !c->first_byte_seen) {
    c->first_byte_seen = 1;
    note(&first_bytes, now() - c->started);
  }
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

static void make_request(const char *path, const char *body_file) {
  FILE *file = fopen(body_file, "rb");
  if (!file) {
    perror(body_file);
    exit(1);
  }
  fseek(file, 0, SEEK_END);
  long body_len = ftell(file);
  rewind(file);
  request = malloc(body_len + 4096);
  request_len = snprintf(request, 4096, "POST %s HTTP/1.1\r\nHost: localhost:%d\r\nUser-Agent: bench\r\nAccept: */*\r\n"
                         "Content-Type: application/json\r\nContent-Length: %ld\r\n\r\n", path, port, body_len);
  request_len += fread(request + request_len, 1, body_len, file);
  fclose(file);
}

// Starts what is due and says how long until the next; all connections may be idle only in the open loop.
static struct timespec start_due(Connection *connections, int count) {
  long long time = now(), next = time + 100000000;
  for (int i = 0; period && time < end_time && i < count; i++) {
    if (connections[i].busy) continue;
    if (connections[i].due <= time) start(&connections[i], connections[i].due);
    else if (connections[i].due < next) next = connections[i].due;
  }
  return (struct timespec){ 0, next - time };
}

static int busy_count(Connection *connections, int count) {
  int busy = 0;
  for (int i = 0; i < count; i++) busy += connections[i].busy;
  return busy;
}

int main(int count, char **arguments) {
  if (count != 7) return fputs("load PORT PATH BODY_FILE CONNECTIONS SECONDS RATE\n", stderr), 2;
  signal(SIGPIPE, SIG_IGN);
  port = atoi(arguments[1]);
  make_request(arguments[2], arguments[3]);
  int connection_count = atoi(arguments[4]);
  double seconds = atof(arguments[5]), rate = atof(arguments[6]);
  latencies.values = malloc(MOST_SAMPLES * sizeof(unsigned));
  first_bytes.values = malloc(MOST_SAMPLES * sizeof(unsigned));
  poll_fd = epoll_create1(0);
  Connection *connections = calloc(connection_count, sizeof *connections);
  for (int i = 0; i < connection_count; i++) dial(&connections[i]);

  long long begin = now();
  end_time = begin + seconds * 1e9;
  if (rate > 0) period = connection_count / rate * 1e9;
  for (int i = 0; i < connection_count; i++)
    if (period) connections[i].due = begin + period * i / connection_count;
    else start(&connections[i], 0);

  static char bytes[1 << 18];
  struct epoll_event ready[512];
  while (now() < end_time || (busy_count(connections, connection_count) && now() < end_time + GRACE_SECONDS * 1000000000LL)) {
    struct timespec wait = start_due(connections, connection_count);
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
  errors += busy_count(connections, connection_count);
  qsort(latencies.values, latencies.count, sizeof(unsigned), ascending);
  qsort(first_bytes.values, first_bytes.count, sizeof(unsigned), ascending);
  printf("{\"requests\":%ld,\"errors\":%ld,\"seconds\":%.3f,\"events\":%ld,\"p50\":%u,\"p99\":%u,\"first_byte_p50\":%u,\"first_byte_p99\":%u}\n",
         latencies.count, errors, took, events, quantile(&latencies, .5), quantile(&latencies, .99), quantile(&first_bytes, .5),
         quantile(&first_bytes, .99));
}
