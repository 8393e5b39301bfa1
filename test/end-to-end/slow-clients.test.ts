import { expect, setDefaultTimeout, test } from 'bun:test';
import type { Socket } from 'bun';
import { startGateway } from '../support/executable.ts';
import { startUpstream } from '../support/upstream.ts';

setDefaultTimeout(120_000);

const IDLE = 5000;
const SLOW = 500;
const AT_ONCE = 200;

/** Connections that begin with some text; `closed` resolves when the gateway has ended all of them. */
async function connect(port: number, count: number, beginning: string) {
  const sockets = new Set<Socket>();
  const ended = Promise.withResolvers<void>();
  const gone = (socket: Socket) => {
    sockets.delete(socket);
    if (sockets.size === 0) ended.resolve();
  };
  for (let start = 0; start < count; start += AT_ONCE) {
    const some = Array.from({ length: Math.min(AT_ONCE, count - start) }, () =>
      Bun.connect({ hostname: '127.0.0.1', port, socket: { data() {}, close: gone, error() {} } }),
    );
    for (const socket of await Promise.all(some)) {
      sockets.add(socket);
      if (beginning !== '') socket.write(beginning);
    }
  }
  return { sockets, closed: ended.promise };
}

test.each(['127.0.0.1:0', '127.0.0.1:0 ssl'])(
  `${IDLE} connections that say nothing, and ${SLOW} that say a head letter by letter, at %s: service goes on, and they are let go`,
  async listen => {
    const upstream = startUpstream();
    await using gateway = await startGateway({ environment: { SLUICE_PROXY_LISTEN: listen, SLUICE_WORKERS: '1' } });
    await gateway.request('POST', '/services', { name: 'upstream', url: upstream.url });
    await gateway.request('POST', '/services/upstream/routes', { paths: ['/'] });
    const port = Number(new URL(gateway.proxy).port);

    const idle = await connect(port, IDLE, '');
    const slow = await connect(port, SLOW, listen.endsWith('ssl') ? '\x16\x03' : 'GET / HTTP/1.1\r\nHost: h\r\nX-Slow: ');
    const dribble = setInterval(() => {
      for (const socket of slow.sockets) socket.write('a');
    }, 100);
    expect([idle.sockets.size, slow.sockets.size]).toEqual([IDLE, SLOW]);
    const statuses = await Promise.all(
      Array.from(
        { length: AT_ONCE },
        async () => (await fetch(gateway.proxy, { keepalive: false, tls: { rejectUnauthorized: false } })).status,
      ),
    );
    expect(new Set(statuses)).toEqual(new Set([200]));
    await Promise.all([idle.closed, slow.closed]);
    clearInterval(dribble);
    upstream.stop();
  },
);
