import type { Server, ServerWebSocket, WebSocketHandler } from 'bun';
import type { WebSocket } from 'ws';
import type { Deadline, Expirable } from '../lib/deadlines.ts';

/** A server whose connections may become tunnels. */
export type ProxyServer = Server<Tunnel>;

/** A message is in memory whole. A longer one ends the tunnel with 1009. */
export const LONGEST_MESSAGE = 16 * 1024 * 1024;
/** From here on, who sends has to wait; when half of it is gone it may go on. */
const MUCH = 1024 * 1024;
/** What one more message may add to it. */
const MOST_QUEUED = 4 * LONGEST_MESSAGE;

const NO_STATUS = 1005;
const ABNORMAL = 1006;
const GOING_AWAY = 1001;

type Message = readonly [data: Buffer, isBinary: boolean];

/** A WebSocket of a client's and one of the upstream's, each saying what the other hears. */
export class Tunnel implements Expirable {
  readonly #upstream: WebSocket;
  #client: ServerWebSocket<Tunnel> | null = null;
  /** What came before the client was there. */
  #early: Message[] = [];
  #isOver = false;
  #idle: { readonly deadline: Deadline; readonly milliseconds: number } | null = null;
  #onEnd: (() => void) | null = null;
  /** Bytes of messages. */
  received = 0;
  sent = 0;
  readonly protocol: string;

  /** With an upstream that has agreed. It is not read before the client is there. */
  constructor(upstream: WebSocket) {
    this.#upstream = upstream;
    this.protocol = upstream.protocol;
    upstream.pause();
    upstream.on('message', (data, isBinary) => this.#fromUpstream(data as Buffer, isBinary));
    upstream.on('ping', data => {
      this.#stir();
      this.#client?.ping(data);
    });
    upstream.on('pong', () => this.#stir());
    upstream.on('close', (code, reason) => this.#upstreamClosed(code, reason.toString()));
    upstream.on('error', () => {});
  }

  /** `deadline` is moved by as many milliseconds each time that somebody says something. `onEnd` runs once. */
  begin(deadline: Deadline, milliseconds: number, onEnd: () => void): void {
    this.#idle = { deadline, milliseconds };
    this.#onEnd = onEnd;
  }

  /** There will be no client. */
  abandon(): void {
    this.#upstream.terminate();
    this.#end();
  }

  opened(client: ServerWebSocket<Tunnel>): void {
    this.#client = client;
    for (const [data, isBinary] of this.#early) this.#fromUpstream(data, isBinary);
    this.#early = [];
    if (this.#isOver) client.close(GOING_AWAY);
    else this.#upstream.resume();
  }

  fromClient(message: string | Buffer): void {
    this.#stir();
    this.received += typeof message === 'string' ? Buffer.byteLength(message) : message.length;
    this.#upstream.send(message, this.#delivered);
    if (this.#upstream.bufferedAmount > MUCH) this.#client?.pause();
  }

  clientDrained(): void {
    this.#stir();
    this.#upstream.resume();
  }

  /** The gateway itself has answered the client; the upstream shall hear that somebody is there. */
  pinged(data: Buffer): void {
    this.#stir();
    if (this.#upstream.readyState === this.#upstream.OPEN) this.#upstream.ping(data);
  }

  ponged(data: Buffer): void {
    this.#stir();
    if (this.#upstream.readyState === this.#upstream.OPEN) this.#upstream.pong(data);
  }

  clientClosed(code: number, reason: string): void {
    this.#client = null;
    if (code === ABNORMAL) this.#upstream.terminate();
    else if (code === NO_STATUS) this.#upstream.close();
    else this.#upstream.close(code, reason);
    this.#end();
  }

  /** Nobody has said anything for too long. */
  expire(): void {
    this.#client?.close(GOING_AWAY, 'idle');
    this.#upstream.close(GOING_AWAY, 'idle');
  }

  #fromUpstream(data: Buffer, isBinary: boolean): void {
    if (this.#client === null) {
      if (!this.#isOver) this.#early.push([data, isBinary]);
      return;
    }
    this.#stir();
    this.sent += data.length;
    const status = this.#client.send(isBinary ? data : data.toString());
    if (status === -1) this.#upstream.pause();
  }

  readonly #delivered = (): void => {
    this.#stir();
    if (this.#client?.isPaused && this.#upstream.bufferedAmount < MUCH / 2) this.#client.resume();
  };

  #upstreamClosed(code: number, reason: string): void {
    const client = this.#client;
    this.#isOver = true;
    if (client === null) return;
    if (code === ABNORMAL) client.terminate();
    else if (code === NO_STATUS) client.close();
    else client.close(code, reason);
  }

  #stir(): void {
    this.#idle?.deadline.move(this.#idle.milliseconds);
  }

  #end(): void {
    this.#idle?.deadline.close();
    this.#onEnd?.();
    this.#onEnd = null;
  }
}

/** How Bun's server is told of the clients' side. */
export const tunnels: WebSocketHandler<Tunnel> = {
  open: client => client.data.opened(client),
  message: (client, message) => client.data.fromClient(message),
  drain: client => client.data.clientDrained(),
  ping: (client, data) => client.data.pinged(data),
  pong: (client, data) => client.data.ponged(data),
  close: (client, code, reason) => client.data.clientClosed(code, reason),
  maxPayloadLength: LONGEST_MESSAGE,
  backpressureLimit: MOST_QUEUED,
  closeOnBackpressureLimit: true,
  perMessageDeflate: false,
  // The tunnel knows when nobody has said anything for too long.
  idleTimeout: 0,
  sendPings: false,
};
