import { expect, test } from 'bun:test';
import { type ConnectionOptions, connect } from 'node:tls';
import { readClientHello } from '../../src/lib/client-hello.ts';

/** What a client of BoringSSL sends first. */
async function greeting(options: ConnectionOptions): Promise<Buffer> {
  const first = Promise.withResolvers<Buffer>();
  const listener = Bun.listen({
    hostname: '127.0.0.1',
    port: 0,
    socket: {
      data(socket, bytes) {
        first.resolve(Buffer.from(bytes));
        socket.terminate();
      },
    },
  });
  connect({ host: '127.0.0.1', port: listener.port, ...options }).on('error', () => {});
  const bytes = await first.promise;
  listener.stop(true);
  return bytes;
}

const record = (content: Buffer, kind = 22) =>
  Buffer.concat([Buffer.from([kind, 3, 1, content.length >> 8, content.length & 0xff]), content]);
/** The same message, cut into records of so many bytes. */
function inRecords(hello: Buffer, size: number): Buffer {
  const message = hello.subarray(5);
  const parts = Array.from({ length: Math.ceil(message.length / size) }, (_, index) =>
    record(message.subarray(index * size, (index + 1) * size)),
  );
  return Buffer.concat(parts);
}

const VERSIONS: Record<string, ConnectionOptions> = {
  'TLS 1.3': {},
  'TLS 1.2': { maxVersion: 'TLSv1.2' },
  'TLS 1.3 and ALPN': { ALPNProtocols: ['h2', 'http/1.1'] },
};

for (const [version, options] of Object.entries(VERSIONS)) {
  test(`${version}: the name is read, in lower case and without a dot at its end`, async () => {
    expect(readClientHello(await greeting({ ...options, servername: 'API.Example.test.' }))).toEqual({ serverName: 'api.example.test' });
  });

  test(`${version}: a client need not ask for a name`, async () => {
    expect(readClientHello(await greeting(options))).toEqual({ serverName: null });
  });

  test(`${version}: it is incomplete up to its last byte, however it is cut into records, and what follows does not matter`, async () => {
    const whole = await greeting({ ...options, servername: 'a.test' });
    for (const hello of [whole, inRecords(whole, 100), inRecords(whole, 1)]) {
      for (let length = 0; length < hello.length; length++) expect(readClientHello(hello.subarray(0, length))).toBe('incomplete');
      expect(readClientHello(hello)).toEqual({ serverName: 'a.test' });
      expect(readClientHello(Buffer.concat([hello, record(Buffer.from('early'), 23)]))).toEqual({ serverName: 'a.test' });
    }
  });
}

const NO_HELLO: Record<string, Buffer> = {
  'plain HTTP': Buffer.from('GET / HTTP/1.1\r\n\r\n'),
  'another record': record(Buffer.from([1, 0]), 21),
  'another message': record(Buffer.from([2, 0, 0, 1, 0])),
  'an empty record': record(Buffer.alloc(0)),
  'a message that ends too soon': record(Buffer.from([1, 0, 0, 3, 3, 3, 0])),
  'lists longer than the message': record(Buffer.from([1, 0, 0, 36, 3, 3, ...Array(32).fill(0), 255, 0])),
  'a greeting without end': record(Buffer.concat([Buffer.from([1, 255, 255, 255]), Buffer.alloc(16_381)])),
};

test.each(Object.entries(NO_HELLO))('%s asks for no name', (_, bytes) => {
  expect(readClientHello(bytes)).toEqual({ serverName: null });
});
