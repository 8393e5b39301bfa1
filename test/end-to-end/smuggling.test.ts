import { expect, setDefaultTimeout, test } from 'bun:test';
import { connect, type Socket as PlainSocket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { startGateway } from '../support/executable.ts';
import { BAD, bytesOf, REFUSED } from '../support/smuggling.ts';
import { startUpstream } from '../support/upstream.ts';

setDefaultTimeout(60_000);

/** All that comes back, until the gateway closes the connection or has answered with a body of its own. */
async function sent(socket: PlainSocket, bytes: Buffer): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<void>();
  let text = '';
  socket.on('data', data => {
    text += data.toString('latin1');
    if (text.includes('request_id')) resolve();
  });
  socket.on('error', () => resolve());
  socket.on('close', () => resolve());
  socket.write(bytes);
  await promise;
  socket.destroy();
  return text;
}

test.each(['127.0.0.1:0', '127.0.0.1:0 ssl'])(
  'at %s nothing of what could be taken for two requests is forwarded as such',
  async listen => {
    const upstream = startUpstream();
    await using gateway = await startGateway({ environment: { SLUICE_PROXY_LISTEN: listen, SLUICE_WORKERS: '2' } });
    await gateway.request('POST', '/services', { name: 'upstream', url: upstream.url });
    await gateway.request('POST', '/services/upstream/routes', { paths: ['/'] });
    const port = Number(new URL(gateway.proxy).port);
    const open = () =>
      listen.endsWith('ssl') ? connectTls({ port, host: '127.0.0.1', rejectUnauthorized: false }) : connect(port, '127.0.0.1');

    const cases = [...Object.entries(REFUSED), ...Object.entries(BAD).map(([what, bytes]) => [what, [bytes, 400]] as const)];
    for (const [what, [bytes, status]] of cases) {
      const text = await sent(open(), bytesOf(bytes));
      expect([what, [...text.matchAll(/HTTP\/1\.1 (\d{3})/g)].map(([, code]) => Number(code))]).toEqual([
        what,
        status === null ? [] : [status],
      ]);
    }
    const last = await fetch(`${gateway.proxy}/last`, { tls: { rejectUnauthorized: false } });
    expect(last.status).toBe(200);
    const whole = upstream.requests
      .filter(({ complete }) => complete)
      .map(request => `${request.method} ${request.target} ${request.text()}`);
    // Bodies that go wrong later have been begun; what was right of one may have come through whole.
    const harmless = ['POST / 1234', 'GET /first '];
    expect(whole.filter(request => !harmless.includes(request))).toEqual(['GET /last ']);
    upstream.stop();
  },
);
