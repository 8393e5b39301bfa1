import { CERTIFICATE_FILE, KEY_FILE } from './upstream.ts';

export interface LineServer extends Disposable {
  readonly port: number;
  readonly lines: readonly string[];
  /** One for each connection: the server name that its TLS asked for. */
  readonly serverNames: readonly (string | null)[];
  /** The lines, once there are so many. */
  received(count: number): Promise<readonly string[]>;
  /** Ends every connection. Resolves once the other side knows. */
  hangUp(): Promise<void>;
}

interface Connection {
  rest: string;
  readonly closed: PromiseWithResolvers<void>;
}

/** A TCP server that keeps the lines it is sent, over TLS too. */
export function openLineServer({ port = 0, tls = false }: { port?: number; tls?: boolean } = {}): LineServer {
  const lines: string[] = [];
  const serverNames: (string | null)[] = [];
  const waiting = new Set<() => void>();
  const sockets = new Set<Bun.Socket<Connection>>();
  const decoder = new TextDecoder();
  const changed = () => {
    for (const look of [...waiting]) look();
  };
  const server = Bun.listen<Connection>({
    hostname: '127.0.0.1',
    port,
    ...(tls && { tls: { cert: Bun.file(CERTIFICATE_FILE), key: Bun.file(KEY_FILE) } }),
    socket: {
      open(socket) {
        socket.data = { rest: '', closed: Promise.withResolvers() };
        sockets.add(socket);
        if (!tls) serverNames.push(null);
      },
      handshake(socket) {
        serverNames.push(socket.getServername() || null);
      },
      data(socket, bytes) {
        const parts = (socket.data.rest + decoder.decode(bytes)).split('\n');
        socket.data.rest = parts.pop() ?? '';
        lines.push(...parts);
        changed();
      },
      close(socket) {
        sockets.delete(socket);
        socket.data?.closed.resolve();
        changed();
      },
    },
  });
  return {
    port: server.port,
    lines,
    serverNames,
    async received(count) {
      while (lines.length < count) {
        const { promise, resolve } = Promise.withResolvers<void>();
        waiting.add(resolve);
        await promise;
        waiting.delete(resolve);
      }
      return lines;
    },
    async hangUp() {
      const all = [...sockets];
      for (const socket of all) socket.end();
      await Promise.all(all.map(socket => socket.data.closed.promise));
    },
    [Symbol.dispose]: () => server.stop(true),
  };
}
