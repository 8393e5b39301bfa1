import type { Socket } from 'node:net';
import { node } from './node.ts';

export interface TcpDestination {
  readonly host: string;
  readonly port: number;
  /** Null: no TLS. Certificates are not verified. */
  readonly tls: { readonly serverName: string | null } | null;
  /** Milliseconds that connecting, the handshake and each write may take. */
  readonly timeout: number;
  /** Milliseconds after which a connection that is not used is closed; 0: never. */
  readonly keepalive: number;
}

/** Sends text over one connection that is opened when there is something to send. One call at a time. */
export interface TcpSender {
  /** Resolves when the system has taken all of it. Rejects with the reason; the next call connects anew. */
  send(text: string): Promise<void>;
  close(): void;
}

export function openTcpSender(destination: TcpDestination): TcpSender {
  const { host, port, timeout, keepalive } = destination;
  let connection: Socket | null = null;

  async function connected(): Promise<Socket> {
    if (connection?.writable) return connection;
    const socket = await open(destination);
    connection = socket;
    // What the other end says is of no interest, but unless it is read its end is not seen.
    socket.resume();
    socket.setTimeout(keepalive, () => socket.destroy());
    socket.on('error', () => socket.destroy());
    socket.on('close', () => {
      if (connection === socket) connection = null;
    });
    socket.unref();
    return socket;
  }

  return {
    async send(text) {
      try {
        const socket = await connected();
        await inTime(timeout, 'timeout while sending', socket, done => socket.write(text, done));
      } catch (error) {
        throw new Error(`${host}:${port}: ${(error as Error).message}`);
      }
    },
    close() {
      connection?.end();
      connection = null;
    },
  };
}

async function open({ host, port, tls, timeout }: TcpDestination): Promise<Socket> {
  const socket =
    tls === null
      ? node.net.connect({ host, port })
      : node.tls.connect({ host, port, rejectUnauthorized: false, ...(tls.serverName !== null && { servername: tls.serverName }) });
  await inTime(timeout, 'timeout while connecting', socket, done => socket.once(tls === null ? 'connect' : 'secureConnect', () => done()));
  return socket;
}

/** Waits for `work`, or for the socket to end or the time to pass; then the socket is gone. */
function inTime(milliseconds: number, late: string, socket: Socket, work: (done: (error?: Error | null) => void) => void): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const fail = (error: Error) => {
    socket.destroy();
    reject(error);
  };
  const closed = () => fail(new Error('the connection was closed'));
  const timer = setTimeout(() => fail(new Error(late)), milliseconds);
  socket.once('error', fail);
  socket.once('close', closed);
  work(error => (error ? fail(error) : resolve()));
  return promise.finally(() => {
    clearTimeout(timer);
    socket.off('error', fail);
    socket.off('close', closed);
  });
}
