import { connect, createServer } from 'node:net';

export interface ConnectProxy extends Disposable {
  readonly url: string;
  /** The hosts asked for, `api.openai.com:443`, in order. */
  readonly asked: readonly string[];
}

/** An outbound proxy that leads every CONNECT to one port of this machine, whatever host was asked for. */
export function startConnectProxy(port: number): Promise<ConnectProxy> {
  const asked: string[] = [];
  const server = createServer(client => {
    client.on('error', () => client.destroy());
    client.once('data', head => {
      asked.push(/^CONNECT (\S+)/.exec(head.toString())?.[1] ?? head.toString());
      const target = connect(port, '127.0.0.1', () => client.write('HTTP/1.1 200 Connection established\r\n\r\n'));
      target.on('error', () => client.destroy());
      client.pipe(target).pipe(client);
    });
  });
  return new Promise(resolve => {
    server.listen(0, '127.0.0.1', () => {
      const { port: own } = server.address() as { port: number };
      resolve({ url: `http://127.0.0.1:${own}`, asked, [Symbol.dispose]: () => server.close() });
    });
  });
}
