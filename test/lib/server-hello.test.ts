import { expect, test } from 'bun:test';
import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls';
import { readServerHello } from '../../src/lib/server-hello.ts';
import { CERTIFICATE_FILE, KEY_FILE } from '../support/upstream.ts';

/** What a server sends first, and what the client made of the connection. */
async function greeting(options: ConnectionOptions) {
  const server = Bun.serve({
    hostname: '127.0.0.1',
    port: 0,
    tls: { cert: Bun.file(CERTIFICATE_FILE), key: Bun.file(KEY_FILE) },
    fetch: () => new Response(),
  });
  const first = Promise.withResolvers<Uint8Array>();
  const relay = Bun.listen<{ server: Bun.Socket<Bun.Socket> }>({
    hostname: '127.0.0.1',
    port: 0,
    socket: {
      async open(client) {
        client.pause();
        const socket = {
          data: (_: unknown, bytes: Buffer) => {
            first.resolve(Uint8Array.from(bytes));
            client.write(bytes);
          },
        };
        client.data = {
          server: (await Bun.connect({ hostname: '127.0.0.1', port: server.port as number, socket })) as Bun.Socket<Bun.Socket>,
        };
        client.resume();
      },
      data: ({ data }, bytes) => void data.server.write(bytes),
    },
  });
  const { promise, resolve } = Promise.withResolvers<TLSSocket>();
  const socket = connect({ host: '127.0.0.1', port: relay.port, rejectUnauthorized: false, ...options }, () => resolve(socket));
  await promise;
  const agreed = { version: socket.getProtocol(), cipher: socket.getCipher().name };
  socket.destroy();
  relay.stop(true);
  await server.stop(true);
  return { bytes: await first.promise, agreed };
}

test.each<[string, ConnectionOptions]>([
  ['TLS 1.3', {}],
  ['TLS 1.2', { maxVersion: 'TLSv1.2' }],
  ['TLS 1.2 with a cipher of choice', { maxVersion: 'TLSv1.2', ciphers: 'ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384' }],
])('version and cipher are what the client sees: %s', async (_, options) => {
  const { bytes, agreed } = await greeting(options);
  expect(readServerHello(bytes) as object | null).toEqual(agreed);
});

test('what is no whole ServerHello tells nothing', async () => {
  const { bytes } = await greeting({});
  for (const cut of [0, 1, 6, 20, 44, 60]) expect(readServerHello(bytes.subarray(0, cut))).toBeNull();
  expect(readServerHello(Buffer.from('HTTP/1.1 200 OK\r\n'))).toBeNull();
  expect(readServerHello(Buffer.concat([Buffer.from([21]), bytes.subarray(1)]))).toBeNull();
});
