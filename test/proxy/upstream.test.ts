import { afterAll, afterEach, describe, expect, test } from 'bun:test';
import type { Context } from '../../src/plugins/context.ts';
import { startUpstream } from '../support/upstream.ts';
import { rawClient, type Setting, startGateway } from './gateway.ts';

const upstream = startUpstream();
afterAll(() => upstream.stop());
afterEach(() => upstream.answer({ body: 'ok' }));

const secure = startUpstream({ tls: true });
afterAll(() => secure.stop());

const count = () => upstream.requests.length;
const message = async (response: Response) => [response.status, ((await response.json()) as { message: string }).message];

const INVALID = 'An invalid response was received from the upstream server';
const SLOW = 'The upstream server is timing out';
const SHORT = { connect_timeout: 10, read_timeout: 10, write_timeout: 10 };
const gone = startUpstream();
gone.stop();

test('a service may say that the certificate of its upstream is not verified', async () => {
  secure.answer({ body: 'ok' });
  using gateway = startGateway({ url: secure.url, upstreamTls: { rejectUnauthorized: false } });
  expect(await (await fetch(gateway.url)).text()).toBe('ok');
});

describe('what goes wrong before the answer', () => {
  test.each<[string, Setting, number, string, number]>([
    ['nobody listens', { url: gone.url }, 502, INVALID, 6],
    ['nobody listens, and it is not tried again', { url: gone.url, service: { retries: 0 } }, 502, INVALID, 1],
    ['the name is unknown', { url: 'http://nobody.invalid' }, 503, 'name resolution failed', 1],
    ['nobody vouches for the certificate of the upstream', { url: secure.url }, 502, INVALID, 1],
    ['there is neither a service nor a plugin that names an upstream', { url: null }, 503, 'no Service found with those values', 0],
  ])('%s', async (_, setting, status, text, tries) => {
    let context: Context | undefined;
    const logged = Promise.withResolvers<void>();
    const log = (logging: Context) => {
      context = logging;
      logged.resolve();
    };
    using gateway = startGateway({ ...setting, plugins: [{ log }] });
    expect(await message(await fetch(gateway.url))).toEqual([status, text]);
    await logged.promise;
    expect(context?.outcome.tries).toHaveLength(tries);
    expect(context?.outcome.tries.every(({ state, code }) => state === 'failed' && code === status)).toBe(true);
    expect(context?.outcome.source).toBe(tries === 0 ? 'exit' : 'error');
  });

  test('an upstream that says nothing is given up', async () => {
    upstream.answer('silence');
    const number = count() + 1;
    using gateway = startGateway({ url: upstream.url, service: SHORT });
    expect(await message(await fetch(gateway.url))).toEqual([504, SLOW]);
    await upstream.closed(number);
    expect(count()).toBe(number);
  });

  test.each(['close', 'reset'] as const)('an upstream whose first answer is a %s is not asked again', async reply => {
    const fresh = startUpstream();
    fresh.answer(reply);
    using gateway = startGateway({ url: fresh.url });
    expect(await message(await fetch(gateway.url, { method: 'POST', body: 'once' }))).toEqual([502, INVALID]);
    expect(fresh.requests).toHaveLength(1);
    fresh.stop();
  });

  test.each([
    ['GET', 'close', 200, 3],
    ['DELETE', 'reset', 200, 3],
    ['PATCH', 'reset', 502, 1],
  ] as const)(
    'a %s that is answered with a %s: %d after %d attempts, as the service has retries',
    async (method, reply, status, attempts) => {
      const fresh = startUpstream();
      fresh.answer(reply, reply, { body: 'third' });
      using gateway = startGateway({ url: fresh.url, service: { retries: 2 } });
      expect((await fetch(gateway.url, { method, body: method === 'GET' ? null : 'x' })).status).toBe(status);
      expect(fresh.requests).toHaveLength(attempts);
      fresh.answer(reply);
      expect((await fetch(gateway.url, { method, keepalive: false })).status).toBe(502);
      fresh.stop();
    },
  );

  test.each(['close', 'reset'] as const)('after a %s of a connection that was used before, the request is sent once more', async reply => {
    const fresh = startUpstream();
    fresh.answer({ body: 'first' }, reply, { body: 'second' });
    using gateway = startGateway({ url: fresh.url });
    expect(await (await fetch(gateway.url)).text()).toBe('first');
    expect(await (await fetch(gateway.url, { method: 'POST', body: 'again' })).text()).toBe('second');
    expect(fresh.requests.map(request => request.text())).toEqual(['', 'again', 'again']);
    fresh.stop();
  });

  test('and only once', async () => {
    const fresh = startUpstream();
    fresh.answer({ body: 'first' }, 'close');
    using gateway = startGateway({ url: fresh.url });
    await fetch(gateway.url);
    expect(await message(await fetch(gateway.url, { method: 'POST', body: 'twice' }))).toEqual([502, INVALID]);
    expect(fresh.requests).toHaveLength(3);
    fresh.stop();
  });

  test.each(['HTTP/1.1 999 Odd\r\nContent-Length: 0\r\n\r\n', 'HTTP/1.1 101 Switching\r\n\r\n', '<html>\r\n\r\n'])(
    '%p is not an answer',
    async head => {
      upstream.answer({ head, ending: 'close' });
      using gateway = startGateway({ url: upstream.url });
      expect(await message(await fetch(gateway.url))).toEqual([502, INVALID]);
    },
  );

  test('what failed is logged without the path and its query', async () => {
    using gateway = startGateway({ url: `${gone.url}/secret-path`, service: { retries: 0 } });
    await fetch(`${gateway.url}?key=secret`);
    expect(gateway.said('error')).toEqual(['upstream failed']);
    expect(JSON.stringify(gateway.lines)).not.toContain('secret');
    expect(gateway.lines[0]?.facts).toMatchObject({ upstream: `127.0.0.1:${gone.port}`, code: 'ECONNREFUSED', status: 502 });
  });
});

describe('what the upstream answers', () => {
  test.each([200, 204, 206, 301, 304, 400, 401, 404, 429, 500, 503])('status %i comes through', async status => {
    const empty = status === 204 || status === 304;
    upstream.answer({
      status,
      headers: { Location: '/elsewhere', ETag: '"1"' },
      ...(empty ? { framing: 'none', ending: 'silence' } : { body: 'text' }),
    });
    using gateway = startGateway({ url: upstream.url });
    const response = await fetch(gateway.url, { redirect: 'manual' });
    expect([response.status, await response.text()]).toEqual([status, empty ? '' : 'text']);
    expect(response.headers.get('location')).toBe('/elsewhere');
  });

  test('the answer to HEAD keeps its headers', async () => {
    upstream.answer({ head: 'HTTP/1.1 200 OK\r\nContent-Length: 1234\r\n\r\n' });
    using gateway = startGateway({ url: upstream.url });
    const response = await fetch(gateway.url, { method: 'HEAD' });
    expect(response.headers.get('content-length')).toBe('1234');
  });

  test('a web page and a compressed body are no business of the proxy', async () => {
    const packed = Bun.gzipSync('<html>');
    upstream.answer({ headers: { 'Content-Type': 'text/html', 'Content-Encoding': 'gzip' }, body: packed });
    using gateway = startGateway({ url: upstream.url });
    const response = await fetch(gateway.url, { decompress: false });
    expect(response.headers.get('content-encoding')).toBe('gzip');
    expect(await response.bytes()).toEqual(packed);
  });

  test('informational answers are passed over', async () => {
    upstream.answer({ head: 'HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n', body: 'ok' });
    using gateway = startGateway({ url: upstream.url });
    expect(await (await fetch(gateway.url)).text()).toBe('ok');
  });

  test('an answer that tells neither a length nor chunks is marked: its end may be a reset', async () => {
    const marks: (boolean | undefined)[] = [];
    const response = ({ outcome }: Context) => void marks.push(outcome.unframed);
    using gateway = startGateway({ url: upstream.url, plugins: [{ response }] });
    for (const framing of ['none', 'length', 'chunked'] as const) {
      upstream.answer({ chunks: ['ok'], framing });
      expect(await (await fetch(gateway.url)).text()).toBe('ok');
    }
    expect(marks).toEqual([true, false, false]);
  });

  test('connections are used again', async () => {
    const fresh = startUpstream();
    using gateway = startGateway({ url: fresh.url });
    for (const path of ['/1', '/2', '/3']) await (await fetch(gateway.url + path)).text();
    expect(new Set(fresh.requests.map(({ connection }) => connection)).size).toBe(1);
    fresh.stop();
  });
});

describe('a client that leaves', () => {
  const plain = {};
  const logging = (seen: (context: Context) => void) => ({ plugins: [{ log: seen }] });

  test.each(['without a log plugin', 'with one'])('before the answer %s ends the call', async kind => {
    upstream.answer('silence');
    const number = count() + 1;
    const logged = Promise.withResolvers<Context>();
    using gateway = startGateway({ url: upstream.url, ...(kind === 'with one' ? logging(logged.resolve) : plain) });
    const client = await rawClient(gateway.port);
    client.write('GET / HTTP/1.1\r\nHost: h\r\n\r\n');
    await upstream.received(number);
    client.leave();
    await upstream.closed(number);
    if (kind === 'with one') expect((await logged.promise).outcome).toMatchObject({ clientLeft: true, status: 499 });
  });

  test.each(['without a log plugin', 'with one'])('in mid-stream %s ends the call', async kind => {
    upstream.answer({ chunks: ['first', 'second'], gated: true });
    const number = count() + 1;
    const logged = Promise.withResolvers<Context>();
    using gateway = startGateway({ url: upstream.url, ...(kind === 'with one' ? logging(logged.resolve) : plain) });
    const client = await rawClient(gateway.port);
    client.write('GET / HTTP/1.1\r\nHost: h\r\n\r\n');
    await upstream.release();
    await client.shows('first');
    client.leave();
    await upstream.closed(number);
    if (kind === 'with one') expect((await logged.promise).outcome).toMatchObject({ clientLeft: true, status: 200, responseSize: 5 });
  });

  test('while a short answer is read ends the call', async () => {
    upstream.answer({ head: 'HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n', chunks: ['half'], framing: 'length', ending: 'silence' });
    const number = count() + 1;
    const logged = Promise.withResolvers<Context>();
    const reached = Promise.withResolvers<void>();
    using gateway = startGateway({ url: upstream.url, plugins: [{ response: () => void reached.resolve(), log: logged.resolve }] });
    const client = await rawClient(gateway.port);
    client.write('GET / HTTP/1.1\r\nHost: h\r\n\r\n');
    await reached.promise;
    client.leave();
    await upstream.closed(number);
    expect((await logged.promise).outcome.clientLeft).toBe(true);
  });

  test.each([60_000, 3_600_000])('while it sends its body ends the call, which could wait %d ms', async read_timeout => {
    const number = count() + 1;
    using gateway = startGateway({ url: upstream.url, service: { read_timeout } });
    const client = await rawClient(gateway.port);
    client.write('POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1000000\r\n\r\npart');
    await upstream.bodyReached(number, 4);
    client.leave();
    await upstream.closed(number);
    expect(upstream.requests[number - 1]?.complete).toBe(false);
  });
});

test.each([60_000, 3_600_000])('a body that is passed on while it comes is whole, where the answer may take %d ms', async read_timeout => {
  upstream.answer({ body: 'ok' });
  const number = count() + 1;
  using gateway = startGateway({ url: upstream.url, service: { read_timeout } });
  const client = await rawClient(gateway.port);
  const half = 'x'.repeat(100_000);
  client.write(`POST / HTTP/1.1\r\nHost: h\r\nContent-Length: ${2 * half.length}\r\n\r\n${half}`);
  await upstream.bodyReached(number, half.length);
  client.write(half);
  expect((await upstream.received(number)).text()).toBe(half + half);
  expect(await client.shows('ok')).toContain('HTTP/1.1 200');
  client.leave();
});
