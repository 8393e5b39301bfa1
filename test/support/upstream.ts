import { join } from 'node:path';
import type { Socket } from 'bun';
import { ReceivedRequest, RequestDecoder } from './received-request.ts';

/** What to answer: `body` with a Content-Length, or `chunks`, which are sent chunked unless `framing` says otherwise. */
export interface Answer {
  status?: number;
  headers?: Readonly<Record<string, string>> | readonly (readonly [name: string, value: string])[];
  body?: string | Uint8Array;
  chunks?: readonly (string | Uint8Array)[];
  /** `none`: neither a length nor chunks, so the end of the connection is the end of the body. */
  framing?: 'length' | 'chunked' | 'none';
  /** Each chunk waits for `release()`, and so does an ending other than `complete`. */
  gated?: boolean;
  /** After the last chunk: end the body well, hang up without its end, send a TCP reset, or say no more. */
  ending?: 'complete' | 'close' | 'reset' | 'silence';
  /** Sent as it is in place of the status line and headers. */
  head?: string;
}
/** Instead of an answer: hang up, send a TCP reset, or never answer. */
export type Reply = Answer | 'close' | 'reset' | 'silence';

export interface Upstream {
  readonly port: number;
  /** `http://127.0.0.1:PORT` or, with TLS, `https://localhost:PORT`. */
  readonly url: string;
  /** In the order their heads arrived. */
  readonly requests: readonly ReceivedRequest[];
  /** Connections that are open now. */
  readonly connections: number;
  /** The replies to come, one a request; the last one is repeated. */
  answer(...replies: (Reply | ((request: ReceivedRequest) => Reply))[]): void;
  /** Lets gated chunks go; resolves when they were handed to the socket. */
  release(count?: number): Promise<void>;
  /** Resolves when the request, counted from 1, arrived whole. */
  received(number?: number): Promise<ReceivedRequest>;
  /** Resolves when the head of the request arrived. */
  begun(number?: number): Promise<ReceivedRequest>;
  /** Resolves when so many bytes of the request's body arrived. */
  bodyReached(number: number, bytes: number): Promise<ReceivedRequest>;
  /** Resolves when the connection that carried the request is gone. */
  closed(number?: number): Promise<ReceivedRequest>;
  /** Stops reading requests, so that who sends them must wait. */
  pause(): void;
  resume(): void;
  stop(): void;
}

/** The certificate of TLS upstreams: self-signed, for localhost, 127.0.0.1 and the vendors' host names. */
export const CERTIFICATE_FILE = join(import.meta.dir, '../fixtures/tls/certificate.pem');
export const KEY_FILE = join(import.meta.dir, '../fixtures/tls/key.pem');

/** An upstream on loopback that speaks HTTP/1.1 over raw TCP and does what its script says, down to the reset. */
export function startUpstream(options: { tls?: boolean | Bun.TLSOptions; hostname?: string; port?: number } = {}): Upstream {
  const requests: ReceivedRequest[] = [];
  const connections = new Set<Connection>();
  const watchers = new Set<() => void>();
  const gate = new Gate();
  let replies: readonly (Reply | ((request: ReceivedRequest) => Reply))[] = [{ body: 'ok' }];
  let accepted = 0;
  let paused = false;

  const changed = () => {
    for (const check of [...watchers]) check();
  };
  const until = (number: number, condition: (request: ReceivedRequest) => boolean) => {
    const { promise, resolve } = Promise.withResolvers<ReceivedRequest>();
    const check = () => {
      const request = requests[number - 1];
      if (request === undefined || !condition(request)) return;
      watchers.delete(check);
      resolve(request);
    };
    watchers.add(check);
    check();
    return promise;
  };
  const reply = (connection: Connection, request: ReceivedRequest) => {
    const next = replies[0] as (typeof replies)[number];
    if (replies.length > 1) replies = replies.slice(1);
    connection.reply(request, typeof next === 'function' ? next(request) : next, gate);
    changed();
  };
  const open = (socket: Socket<Connection>) => {
    const number = ++accepted;
    const connection = new Connection(socket, changed);
    connection.decoder = new RequestDecoder(
      head => {
        const request = new ReceivedRequest(requests.length + 1, number, head);
        requests.push(request);
        connection.requests.push(request);
        return request;
      },
      request => reply(connection, request),
    );
    socket.data = connection;
    connections.add(connection);
    if (paused) socket.pause();
  };
  const listener = Bun.listen<Connection>({
    hostname: options.hostname ?? '127.0.0.1',
    port: options.port ?? 0,
    ...(options.tls && { tls: options.tls === true ? { cert: Bun.file(CERTIFICATE_FILE), key: Bun.file(KEY_FILE) } : options.tls }),
    socket: {
      open,
      data(socket, bytes) {
        socket.data.decoder?.feed(bytes);
        changed();
      },
      drain: socket => socket.data.flush(),
      close(socket) {
        // A TLS handshake that failed was never open.
        if (!socket.data) return;
        connections.delete(socket.data);
        for (const request of socket.data.requests) request.closed = true;
        changed();
      },
    },
  });

  return {
    port: listener.port,
    url: `${options.tls ? 'https://localhost' : 'http://127.0.0.1'}:${listener.port}`,
    requests,
    get connections() {
      return connections.size;
    },
    answer(...next) {
      replies = next;
    },
    release: count => gate.release(count),
    received: (number = 1) => until(number, request => request.complete),
    begun: (number = 1) => until(number, () => true),
    bodyReached: (number, bytes) => until(number, request => request.bodyLength >= bytes),
    closed: (number = 1) => until(number, request => request.closed),
    pause() {
      paused = true;
      for (const { socket } of connections) socket.pause();
    },
    resume() {
      paused = false;
      for (const { socket } of connections) socket.resume();
    },
    stop: () => listener.stop(true),
  };
}

/** Pairs chunks that wait to be sent with the test's leave to send them. */
class Gate {
  readonly #leaves: (() => void)[] = [];
  #chunks: { readonly request: ReceivedRequest; readonly send: () => void }[] = [];

  async release(count = 1): Promise<void> {
    for (let released = 0; released < count; released++) {
      this.#chunks = this.#chunks.filter(({ request }) => !request.closed);
      const next = this.#chunks.shift();
      if (next !== undefined) {
        next.send();
        continue;
      }
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#leaves.push(resolve);
      await promise;
    }
  }

  pass(request: ReceivedRequest, send: () => void): void {
    const leave = this.#leaves.shift();
    if (leave === undefined) this.#chunks.push({ request, send });
    else {
      send();
      leave();
    }
  }
}

/** One accepted connection: what came in on it, and what still has to go out. */
class Connection {
  readonly socket: Socket<Connection>;
  readonly requests: ReceivedRequest[] = [];
  decoder: RequestDecoder | null = null;
  readonly #changed: () => void;
  readonly #queue: { bytes: Uint8Array; request: ReceivedRequest }[] = [];
  #afterwards: (() => void) | null = null;

  constructor(socket: Socket<Connection>, changed: () => void) {
    this.socket = socket;
    this.#changed = changed;
  }

  reply(request: ReceivedRequest, reply: Reply, gate: Gate): void {
    if (reply === 'silence') return;
    if (reply === 'close' || reply === 'reset') {
      this.#end(reply);
      return;
    }
    const { chunks = reply.body === undefined ? [] : [reply.body], ending = 'complete', gated = false } = reply;
    const framing = framingOf(reply);
    const steps = chunks.map(chunk => () => this.#send(request, framing === 'chunked' ? chunked(chunk) : chunk));
    const end = () => {
      if (ending === 'complete' && framing === 'chunked') this.#send(request, '0\r\n\r\n');
      if (ending === 'complete' && framing === 'none') this.#end('close');
      if (ending === 'close' || ending === 'reset') this.#end(ending);
    };
    const next = (index: number) => {
      const step = steps[index];
      const go = () => {
        step?.();
        if (step !== undefined) next(index + 1);
        else end();
      };
      if (gated && (step !== undefined || ending !== 'complete')) gate.pass(request, go);
      else go();
    };
    this.#send(request, reply.head ?? head(reply));
    next(0);
  }

  flush(): void {
    for (let next = this.#queue[0]; next !== undefined; next = this.#queue[0]) {
      const taken = Math.max(0, this.socket.write(next.bytes));
      next.request.sent += taken;
      next.bytes = next.bytes.subarray(taken);
      if (next.bytes.length > 0) break;
      this.#queue.shift();
    }
    if (this.#queue.length === 0) {
      this.#afterwards?.();
      this.#afterwards = null;
    }
    this.#changed();
  }

  #send(request: ReceivedRequest, bytes: string | Uint8Array) {
    this.#queue.push({ bytes: typeof bytes === 'string' ? Buffer.from(bytes) : bytes, request });
    if (this.#queue.length === 1) this.flush();
  }

  /** Waits for what has to go out. A reset waits for the bytes to leave, which they do at once on loopback. */
  #end(how: 'close' | 'reset') {
    this.#afterwards = () => void (how === 'close' ? this.socket.end() : this.socket.terminate());
    if (this.#queue.length === 0) this.flush();
  }
}

const framingOf = (answer: Answer) => answer.framing ?? (answer.chunks === undefined ? 'length' : 'chunked');

function head(answer: Answer): string {
  const { status = 200, headers = {}, body = '', chunks } = answer;
  const framing = framingOf(answer);
  const pairs = Array.isArray(headers) ? headers : Object.entries(headers);
  const lines = pairs.map(([name, value]) => `${name}: ${value}\r\n`);
  if (framing === 'chunked') lines.push('Transfer-Encoding: chunked\r\n');
  if (framing === 'length') {
    const length = (chunks ?? [body]).reduce((sum, chunk) => sum + Buffer.byteLength(chunk), 0);
    lines.push(`Content-Length: ${length}\r\n`);
  }
  return `HTTP/1.1 ${status} Scripted\r\n${lines.join('')}\r\n`;
}

function chunked(chunk: string | Uint8Array): Uint8Array {
  const size = Buffer.byteLength(chunk).toString(16);
  return Buffer.concat([Buffer.from(`${size}\r\n`), Buffer.from(chunk as Uint8Array), Buffer.from('\r\n')]);
}
