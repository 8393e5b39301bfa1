import { afterAll, afterEach, describe, expect, test } from 'bun:test';
import type { Context } from '../../src/plugins/context.ts';
import type { Phases } from '../../src/plugins/plugin.ts';
import { startUpstream } from '../support/upstream.ts';
import { rawClient, startGateway } from './gateway.ts';

const upstream = startUpstream();
afterAll(() => upstream.stop());
afterEach(() => upstream.answer({ body: 'ok' }));
const count = () => upstream.requests.length;

const GET = 'GET / HTTP/1.1\r\nHost: h\r\n\r\n';

/** Both ways an answer takes: as it is, and counted for the log. */
const ways: [string, () => { plugins: Phases[]; logged: Promise<Context> | null }][] = [
  ['no plugin logs', () => ({ plugins: [], logged: null })],
  [
    'a plugin logs',
    () => {
      const { promise, resolve } = Promise.withResolvers<Context>();
      return { plugins: [{ log: resolve }], logged: promise };
    },
  ],
];

describe.each(ways)('when %s', (_, way) => {
  test('an answer comes chunk by chunk', async () => {
    upstream.answer({ chunks: ['one', 'two', 'three'], gated: true });
    const { plugins, logged } = way();
    using gateway = startGateway({ url: upstream.url, plugins });
    const client = await rawClient(gateway.port);
    client.write(GET);
    for (const chunk of ['one', 'two', 'three']) {
      await upstream.release();
      await client.shows(chunk);
    }
    await client.shows('\r\n0\r\n\r\n');
    if (logged) expect((await logged).outcome).toMatchObject({ responseSize: 11, clientLeft: false, status: 200, source: 'upstream' });
  });

  test('a body goes to the upstream chunk by chunk', async () => {
    const number = count() + 1;
    using gateway = startGateway({ url: upstream.url, plugins: way().plugins });
    const client = await rawClient(gateway.port);
    client.write('POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3\r\none\r\n');
    await upstream.bodyReached(number, 3);
    client.write('3\r\ntwo\r\n');
    await upstream.bodyReached(number, 6);
    client.write('0\r\n\r\n');
    expect((await upstream.received(number)).text()).toBe('onetwo');
    await client.shows('ok');
  });

  test.each(['length', 'chunked'] as const)('an upstream that dies in mid-body (%s) leaves no well-ended answer', async framing => {
    for (const ending of ['close', 'reset'] as const) {
      const head = framing === 'length' ? { head: 'HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n' } : {};
      upstream.answer({ ...head, chunks: ['part'], framing, ending, gated: true });
      const { plugins, logged } = way();
      using gateway = startGateway({ url: upstream.url, plugins });
      const client = await rawClient(gateway.port);
      client.write(GET);
      await upstream.release();
      await client.shows('part');
      void upstream.release();
      expect(await client.ended()).toBe('reset');
      if (logged) expect((await logged).outcome).toMatchObject({ clientLeft: false, responseSize: 4 });
    }
  });

  test('of a short answer that breaks off, the client sees nothing but a failure', async () => {
    upstream.answer({ head: 'HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n', chunks: ['part'], framing: 'length', ending: 'close' });
    const { plugins, logged } = way();
    using gateway = startGateway({ url: upstream.url, plugins });
    const response = await fetch(gateway.url);
    expect([response.status, ((await response.json()) as { message: string }).message]).toEqual([
      502,
      'An invalid response was received from the upstream server',
    ]);
    if (logged) expect((await logged).outcome).toMatchObject({ status: 502, source: 'error', upstreamStatus: 200 });
  });

  test('of a short answer that stops, the client sees a failure in time', async () => {
    upstream.answer({ head: 'HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n', chunks: ['part'], framing: 'length', ending: 'silence' });
    const number = count() + 1;
    using gateway = startGateway({ url: upstream.url, plugins: way().plugins, service: { read_timeout: 10 } });
    expect((await fetch(gateway.url)).status).toBe(504);
    await upstream.closed(number);
  });

  test('a client that does not read holds the upstream back', async () => {
    const size = 64 * 1024 * 1024;
    const number = count() + 1;
    upstream.answer({ body: new Uint8Array(size) }, { body: 'ok' });
    using gateway = startGateway({ url: upstream.url, plugins: way().plugins });
    const client = await rawClient(gateway.port);
    client.write(GET);
    await client.shows('HTTP/1.1 200');
    client.socket.pause();
    for (let others = 0; others < 50; others++) await (await fetch(gateway.url)).text();
    expect(upstream.requests[number - 1]?.sent).toBeLessThan(size / 2);
    client.leave();
    await upstream.closed(number);
  });
});

test('an upstream that does not read holds the client back', async () => {
  const size = 64 * 1024 * 1024;
  const slow = startUpstream();
  slow.pause();
  using gateway = startGateway({ url: slow.url });
  let asked = 0;
  const body = new ReadableStream<Uint8Array>(
    {
      pull(controller) {
        asked += 65_536;
        controller.enqueue(new Uint8Array(65_536));
        if (asked >= size) controller.close();
      },
    },
    { highWaterMark: 0 },
  );
  const answer = fetch(gateway.url, { method: 'POST', body });
  using other = startGateway({ url: upstream.url });
  for (let others = 0; others < 50; others++) await (await fetch(other.url)).text();
  expect(asked).toBeLessThan(size / 2);
  slow.resume();
  expect((await answer).status).toBe(200);
  expect(slow.requests[0]?.bodyLength).toBe(size);
  slow.stop();
});

test('a stream that is quiet for longer than the service may be is cut off', async () => {
  upstream.answer({ chunks: ['part'], ending: 'silence' });
  const number = count() + 1;
  const logged = Promise.withResolvers<Context>();
  using gateway = startGateway({ url: upstream.url, plugins: [{ log: logged.resolve }], service: { read_timeout: 10 } });
  const client = await rawClient(gateway.port);
  client.write(GET);
  expect(await client.ended()).toBe('reset');
  expect((await logged.promise).outcome).toMatchObject({ clientLeft: false, responseSize: 4 });
  await upstream.closed(number);
});

test('a long answer streams, a short one has its length', async () => {
  using gateway = startGateway({ url: upstream.url });
  for (const [size, length] of [
    [0, '0'],
    [1, '1'],
    [65_536, '65536'],
  ] as const) {
    upstream.answer({ body: new Uint8Array(size) });
    const response = await fetch(gateway.url);
    expect([(await response.bytes()).length, response.headers.get('content-length')]).toEqual([size, length]);
  }
  upstream.answer({ body: new Uint8Array(1_048_576) });
  expect(await (await fetch(gateway.url)).bytes()).toHaveLength(1_048_576);
});
