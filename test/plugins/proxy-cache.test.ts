import { afterAll, afterEach, describe, expect, setSystemTime, test } from 'bun:test';
import type { Consumer } from '../../src/entities/consumer.ts';
import type { Context } from '../../src/plugins/context.ts';
import type { Phases } from '../../src/plugins/plugin.ts';
import { proxyCache } from '../../src/plugins/proxy-cache.ts';
import { startGateway } from '../proxy/gateway.ts';
import { configured, openHost } from '../support/host.ts';
import { type Answer, type Reply, startUpstream } from '../support/upstream.ts';

const upstream = startUpstream();
afterAll(() => upstream.stop());
afterEach(() => void setSystemTime());

const MEMORY = { strategy: 'memory' };
const CONTROL = { cache_control: true };
const text = (body = 'ok', headers: Record<string, string> = {}): Answer => ({
  headers: { 'content-type': 'text/plain', ...headers },
  body,
});

interface Got {
  readonly status: number;
  readonly text: string;
  readonly headers: Headers;
  /** X-Cache-Status. */
  readonly cache: string | null;
  readonly key: string;
}

/** A gateway with the plugin; further plugins run before it. */
function open(config: object = {}, ...before: Phases[]) {
  const phases = configured(proxyCache, { ...MEMORY, ...config }, openHost().host);
  const gateway = startGateway({ url: upstream.url, plugins: [...before, phases] });
  const ask = async (init: RequestInit & { path?: string } = {}): Promise<Got> => {
    const { path = '/', ...request } = init;
    const response = await fetch(gateway.url + path, { redirect: 'manual', decompress: false, ...request });
    const { status, headers } = response;
    return { status, headers, text: await response.text(), cache: headers.get('x-cache-status'), key: headers.get('x-cache-key') ?? '' };
  };
  return { ask, gateway, phases, [Symbol.dispose]: () => gateway[Symbol.dispose]() };
}

/** X-Cache-Status of one request after the other. */
async function statuses(
  config: object,
  replies: readonly Reply[],
  requests: readonly (RequestInit & { path?: string })[],
  ...before: Phases[]
) {
  upstream.answer(...replies);
  using cache = open(config, ...before);
  const seen: (string | null)[] = [];
  for (const request of requests) seen.push((await cache.ask(request)).cache);
  return seen;
}

const chunked = (chunk: string) =>
  new ReadableStream({
    start(controller) {
      controller.enqueue(Buffer.from(chunk));
      controller.close();
    },
  });

const twice = <T>(one: T) => [one, one];

describe('an answer', () => {
  test('is given again as it was, with its age', async () => {
    setSystemTime(new Date('2026-01-01T00:00:00.000Z'));
    upstream.answer({
      status: 404,
      headers: { 'content-type': 'text/plain', etag: '"1"', 'x-a': '1', age: '7', 'x-cache-status': 'theirs' },
      body: 'first',
    });
    using cache = open();
    const before = upstream.requests.length;
    const first = await cache.ask();
    expect([first.status, first.text, first.cache, first.headers.get('age')]).toEqual([404, 'first', 'Miss', '7']);
    expect(first.key).toMatch(/^[0-9a-f]{64}$/);
    setSystemTime(new Date('2026-01-01T00:00:59.900Z'));
    const second = await cache.ask();
    expect([second.status, second.text, second.cache, second.key, second.headers.get('age')]).toEqual([
      404,
      'first',
      'Hit',
      first.key,
      '59',
    ]);
    expect([second.headers.get('etag'), second.headers.get('x-a'), second.headers.get('content-length')]).toEqual(['"1"', '1', '5']);
    expect(upstream.requests.length).toBe(before + 1);
  });

  test.each<[string, Answer]>([
    ['in chunks', { headers: { 'content-type': 'text/plain' }, chunks: ['a', 'b', 'c'] }],
    ['of bytes', { headers: { 'content-type': 'text/plain', 'content-encoding': 'x' }, body: new Uint8Array([0, 255, 13, 10]) }],
    ['that is long', { headers: { 'content-type': 'text/plain' }, body: 'x'.repeat(200_000) }],
    ['that is empty', { headers: { 'content-type': 'text/plain' }, body: '' }],
  ])('%s is kept', async (_, reply) => {
    upstream.answer(reply, 'close');
    using cache = open();
    const [first, second] = [await cache.ask(), await cache.ask()];
    expect([second.cache, second.text]).toEqual(['Hit', first.text]);
    expect(second.headers.get('content-encoding')).toBe(first.headers.get('content-encoding'));
  });

  test('is told apart by what the client asked for', async () => {
    const asked: (RequestInit & { path?: string })[] = [
      { path: '/a?x=1&y=2' },
      { path: '/a?y=2&x=1' },
      { path: '/A?x=1&y=2' },
      { path: '/a?x=1' },
      { path: '/a?x=1&x=0' },
      { path: '/a?x=0&x=1' },
      { path: '/a?x=1:y=2' },
      { path: '/a?x' },
      { path: '/a', method: 'HEAD' },
    ];
    expect(await statuses({}, [text()], asked)).toEqual(['Miss', 'Hit', 'Miss', 'Miss', 'Miss', 'Hit', 'Miss', 'Miss', 'Miss']);
  });

  test.each<[string, object, (RequestInit & { path?: string })[], string[]]>([
    [
      'not by the case of paths',
      { ignore_uri_case: true },
      [{ path: '/a?x=A' }, { path: '/A?x=A' }, { path: '/A?x=a' }],
      ['Miss', 'Hit', 'Miss'],
    ],
    [
      'by some arguments',
      { vary_query_params: ['x'] },
      [{ path: '/?x=1&y=1' }, { path: '/?y=2&x=1' }, { path: '/?x=2' }, { path: '/' }],
      ['Miss', 'Hit', 'Miss', 'Miss'],
    ],
    [
      'by some headers',
      { vary_headers: ['X-Lang'] },
      [{ headers: { 'x-lang': 'no' } }, { headers: { 'X-LANG': 'no', 'x-b': '1' } }, { headers: { 'x-lang': 'en' } }, {}],
      ['Miss', 'Hit', 'Miss', 'Miss'],
    ],
    ['not by other headers', {}, [{ headers: { 'x-lang': 'no' } }, { headers: { 'x-lang': 'en' } }], ['Miss', 'Hit']],
  ])('is told apart %s', async (_, config, asked, wanted) => {
    expect(await statuses(config, [text()], asked)).toEqual(wanted);
  });

  test('of one consumer is not another’s', async () => {
    const authenticated: Phases = {
      access(context: Context) {
        const id = context.request.headers.get('x-who');
        context.consumer = id === null ? null : ({ id } as Consumer);
        context.credential = context.consumer;
        return undefined;
      },
    };
    const who = (id: string) => ({ headers: { 'x-who': id, authorization: `Bearer ${id}` } });
    expect(await statuses({}, [text()], [who('ada'), who('ada'), who('bob'), {}], authenticated)).toEqual(['Miss', 'Hit', 'Miss', 'Miss']);
  });

  test.each(['host', 'x-forwarded-host', 'x-forwarded-proto', 'x-forwarded-port'])(
    'made for one %s, which the upstream is told, is not for another',
    async name => {
      const told: Phases = {
        access({ upstream: { headers }, request }) {
          headers[name] = request.headers.get('x-told') ?? '';
          return undefined;
        },
      };
      const asked = ['a', 'b', 'a'].map(value => ({ headers: { 'x-told': value } }));
      expect(await statuses({}, [text()], asked, told)).toEqual(['Miss', 'Miss', 'Hit']);
    },
  );

  test('for the Host that somebody made up is nobody else’s', async () => {
    const host = (name: string) => ({ headers: { host: name } });
    expect(await statuses({}, [text()], [host('evil.test'), host('a.test'), host('a.test')])).toEqual(['Miss', 'Miss', 'Hit']);
  });

  const known = (...headers: string[][]): Phases => ({
    access(context: Context) {
      const isKnown = !context.request.headers.has('x-unknown');
      context.consumer = { id: 'ada' } as Consumer;
      context.credential = isKnown ? { id: '1' } : null;
      context.credentialPlaces = headers.map(names => ({ headers: names, parameters: [], members: [] }));
      return undefined;
    },
  });
  const AUTHORIZATION = ['proxy-authorization', 'authorization'];
  const user = (name: string, headers = {}) => ({ headers: { authorization: `Bearer ${name}`, ...headers } });
  test.each<[string, string[][], RequestInit[], string[]]>([
    ['who is known by Authorization', [AUTHORIZATION], [user('a'), user('b')], ['Miss', 'Hit']],
    ['who is known by a key, and has users', [['apikey']], [user('a'), user('b')], ['Bypass', 'Bypass']],
    ['who is known by a key or by Authorization', [['apikey'], AUTHORIZATION], [user('a'), user('b')], ['Bypass', 'Bypass']],
    [
      'who is known by Proxy-Authorization, and has users',
      [AUTHORIZATION],
      [user('a', { 'proxy-authorization': 'x' }), user('b')],
      ['Bypass', 'Miss'],
    ],
    ['that is the anonymous one', [AUTHORIZATION], [user('a', { 'x-unknown': '1' }), user('b')], ['Bypass', 'Miss']],
  ])('of a consumer %s', async (_, places, asked, wanted) => {
    expect(await statuses({}, [text()], asked, known(...places))).toEqual(wanted);
  });

  test('to a body is told apart by it', async () => {
    const post = (body: string) => ({ method: 'POST', body });
    const config = { request_method: ['POST'] };
    expect(await statuses(config, [text()], [post('a'), post('a'), post('b'), { method: 'POST' }, {}])).toEqual([
      'Miss',
      'Hit',
      'Miss',
      'Miss',
      'Bypass',
    ]);
    const large = post('x'.repeat(1024 * 1024 + 1));
    const stream = { method: 'POST', body: chunked('a') };
    expect(await statuses(config, [text()], [large, large, stream])).toEqual(['Bypass', 'Bypass', 'Bypass']);
  });

  test('to HEAD is kept with its length', async () => {
    upstream.answer({ head: 'HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 7\r\n\r\n' }, 'close');
    using cache = open();
    const seen = [await cache.ask({ method: 'HEAD' }), await cache.ask({ method: 'HEAD' })];
    expect(seen.map(({ cache, headers }) => [cache, headers.get('content-length')])).toEqual(
      twice(0).map((_, index) => [index ? 'Hit' : 'Miss', '7']),
    );
  });
});

describe('what the upstream varies by', () => {
  test('tells answers apart', async () => {
    const vary = { vary: 'Accept-Encoding, X-Lang' };
    upstream.answer(text('plain', vary), text('norsk', vary), text('again', vary));
    using cache = open();
    const ask = async (headers: Record<string, string>) => {
      const { cache: status, text: body } = await cache.ask({ headers: { 'accept-encoding': 'identity', ...headers } });
      return [status, body];
    };
    expect(await ask({})).toEqual(['Miss', 'plain']);
    expect(await ask({ 'x-lang': 'no' })).toEqual(['Miss', 'norsk']);
    expect(await ask({})).toEqual(['Hit', 'plain']);
    expect(await ask({ 'x-lang': 'no' })).toEqual(['Hit', 'norsk']);
    expect(await ask({ 'accept-encoding': 'gzip' })).toEqual(['Miss', 'again']);
  });

  test('is forgotten when it varies no more', async () => {
    upstream.answer(text('a', { vary: 'X-Lang' }), text('b'), 'close');
    using cache = open();
    await cache.ask({ headers: { 'x-lang': 'no' } });
    expect((await cache.ask({ headers: { 'x-lang': 'en' } })).cache).toBe('Miss');
    expect((await cache.ask({ headers: { 'x-lang': 'de' } })).text).toBe('b');
  });

  test('may be what no header is', async () => {
    expect(await statuses({}, [text('a', { vary: 'Accept Encoding; X-Lang' })], twice({}))).toEqual(['Miss', 'Hit']);
    expect(await statuses({ vary_headers: ['X Lang'] }, [text()], twice({}))).toEqual(['Miss', 'Hit']);
  });

  test('may be everything', async () => {
    expect(await statuses({}, [text('a', { vary: '*' })], twice({}))).toEqual(['Bypass', 'Bypass']);
  });

  test('has been said by the configuration already', async () => {
    expect(await statuses({ vary_headers: ['x-lang'] }, [text('a', { vary: 'X-Lang' })], twice({}))).toEqual(['Miss', 'Hit']);
  });
});

describe('is not kept, and so not given again:', () => {
  const authorized = { headers: { authorization: 'Bearer x' } };
  test.each<[string, object, Reply, RequestInit]>([
    ['what a method is not for', {}, text(), { method: 'POST' }],
    ['what has another status', {}, { ...text(), status: 201 }, {}],
    ['what has another type', {}, { headers: { 'content-type': 'text/html' }, body: 'x' }, {}],
    ['what has the type with more to it', {}, { headers: { 'content-type': 'text/plain; charset=utf-8' }, body: 'x' }, {}],
    ['what has no type', {}, { body: 'x' }, {}],
    ['what sets a cookie', {}, text('x', { 'set-cookie': 'a=1' }), {}],
    ['what somebody is answered whom no plugin knows', {}, text(), authorized],
    ['what ends with its connection', {}, { ...text(), framing: 'none' }, {}],
    ['the gateway’s own failure', { response_code: [502], content_type: ['*/*', 'application/json; charset=utf-8'] }, 'close', {}],
    ['what asks for another protocol', {}, text(), { headers: { upgrade: 'h2c' } }],
    ['a part', {}, { ...text(), status: 206 }, { headers: { range: 'bytes=0-1' } }],
  ])('%s', async (_, config, reply, request) => {
    expect(await statuses(config, [reply], twice(request))).toEqual(['Bypass', 'Bypass']);
  });

  test('what breaks off', async () => {
    upstream.answer({ headers: { 'content-type': 'text/plain' }, chunks: ['a'], ending: 'close' }, text('whole'));
    using cache = open();
    await expect(cache.ask()).rejects.toThrow();
    expect(await cache.ask()).toMatchObject({ cache: 'Miss', text: 'whole' });
  });

  test('what the client did not wait for', async () => {
    upstream.answer({ headers: { 'content-type': 'text/plain' }, chunks: ['a', 'b'], gated: true }, text('whole'));
    using cache = open();
    const left = new AbortController();
    const asked = fetch(cache.gateway.url, { signal: left.signal });
    await upstream.release();
    const reader = ((await asked).body as ReadableStream<Uint8Array>).getReader();
    await reader.read();
    left.abort();
    await upstream.closed(upstream.requests.length);
    expect(await cache.ask()).toMatchObject({ cache: 'Miss', text: 'whole' });
  });

  test('what is too large', async () => {
    const large = 'x'.repeat(8 * 1024 * 1024 + 1);
    upstream.answer(text(large), { headers: { 'content-type': 'text/plain' }, chunks: [large] });
    using cache = open();
    for (const _ of [1, 2]) expect((await cache.ask()).text.length).toBe(large.length);
    expect((await cache.ask()).cache).toBe('Miss');
  });

  test('what was asked for before a purge', async () => {
    upstream.answer({ ...text('old'), gated: true }, text('new'));
    using cache = open();
    const first = cache.ask();
    await upstream.begun(upstream.requests.length + 1);
    cache.phases.answer?.({ purge: null });
    await upstream.release();
    expect((await first).text).toBe('old');
    expect(await cache.ask()).toMatchObject({ cache: 'Miss', text: 'new' });
  });
});

describe('is kept where the configuration says so:', () => {
  test.each<[string, object, Reply, RequestInit]>([
    ['another method', { request_method: ['PUT'] }, text(), { method: 'PUT' }],
    ['another status', { response_code: [201] }, { ...text(), status: 201 }, {}],
    ['another type', { content_type: ['text/*'] }, { headers: { 'content-type': 'text/html' }, body: 'x' }, {}],
    [
      'a type with more to it',
      { content_type: ['text/plain;charset=UTF-8'] },
      { headers: { 'content-type': 'text/plain; charset=utf-8' }, body: 'x' },
      {},
    ],
    [
      'what somebody is answered, for those who say the same',
      { vary_headers: ['Authorization'] },
      text(),
      { headers: { authorization: 'Bearer x' } },
    ],
    [
      'what Cache-Control is against, when nobody minds it',
      {},
      text('x', { 'cache-control': 'no-store' }),
      { headers: { 'cache-control': 'no-cache' } },
    ],
  ])('%s', async (_, config, reply, request) => {
    expect(await statuses(config, [reply, 'close'], twice(request))).toEqual(['Miss', 'Hit']);
  });
});

describe('in time', () => {
  const later = (seconds: number) => void setSystemTime(new Date(Date.UTC(2026, 0, 1) + seconds * 1000));

  test.each<[string, object, Record<string, string>, number, Record<string, string>, string]>([
    ['an answer is given again for five minutes', {}, {}, 299, {}, 'Hit'],
    ['and not longer', {}, {}, 301, {}, 'Miss'],
    ['or as long as is said', { cache_ttl: 10 }, {}, 9, {}, 'Hit'],
    ['and not longer', { cache_ttl: 10 }, {}, 10, {}, 'Miss'],
    ['an answer that is kept longer is asked for anew', { cache_ttl: 10, storage_ttl: 100 }, {}, 11, {}, 'Refresh'],
    ['until it is not kept any more', { cache_ttl: 10, storage_ttl: 100 }, {}, 100, {}, 'Miss'],
    ['or is kept without end', { cache_ttl: 10, storage_ttl: 0 }, {}, 10_000, {}, 'Refresh'],
    ['an answer is kept for less', { cache_ttl: 10, storage_ttl: 5 }, {}, 6, {}, 'Miss'],
    ['the upstream says how long', CONTROL, { 'cache-control': 'max-age=60' }, 59, {}, 'Hit'],
    ['and not longer', CONTROL, { 'cache-control': 'max-age=60' }, 60, {}, 'Miss'],
    ['for caches that many share', CONTROL, { 'cache-control': 's-maxage=10, max-age=60' }, 11, {}, 'Miss'],
    ['or until when', CONTROL, { expires: 'Thu, 01 Jan 2026 00:01:00 GMT' }, 59, {}, 'Hit'],
    ['a client may want it younger', CONTROL, { 'cache-control': 'max-age=60' }, 20, { 'cache-control': 'max-age=10' }, 'Refresh'],
    ['or as young as it is', CONTROL, { 'cache-control': 'max-age=60' }, 20, { 'cache-control': 'max-age=30' }, 'Hit'],
    [
      'a client may want it fresh for longer',
      CONTROL,
      { 'cache-control': 'max-age=60' },
      20,
      { 'cache-control': 'min-fresh=50' },
      'Refresh',
    ],
    ['or as long as it is', CONTROL, { 'cache-control': 'max-age=60' }, 20, { 'cache-control': 'min-fresh=40' }, 'Hit'],
    ['what is kept longer is not fresh', { ...CONTROL, storage_ttl: 1000 }, { 'cache-control': 'max-age=60' }, 61, {}, 'Refresh'],
    [
      'unless a client takes it stale',
      { ...CONTROL, storage_ttl: 1000 },
      { 'cache-control': 'max-age=60' },
      70,
      { 'cache-control': 'max-stale=10' },
      'Hit',
    ],
    [
      'but not as stale',
      { ...CONTROL, storage_ttl: 1000 },
      { 'cache-control': 'max-age=60' },
      71,
      { 'cache-control': 'max-stale=10' },
      'Refresh',
    ],
    [
      'or however stale',
      { ...CONTROL, storage_ttl: 1000 },
      { 'cache-control': 'max-age=60' },
      900,
      { 'cache-control': 'max-stale' },
      'Hit',
    ],
    ['a client may want none that was kept', CONTROL, { 'cache-control': 'max-age=60' }, 1, { 'cache-control': 'no-cache' }, 'Bypass'],
    ['or none to be kept', CONTROL, { 'cache-control': 'max-age=60' }, 1, { 'cache-control': 'no-store' }, 'Bypass'],
    ['or be somebody', CONTROL, { 'cache-control': 'max-age=60' }, 1, { authorization: 'Bearer x' }, 'Bypass'],
    ['the upstream may want none to be kept', CONTROL, { 'cache-control': 'no-store' }, 1, {}, 'Bypass'],
    ['nor asked for anew', CONTROL, { 'cache-control': 'no-cache' }, 1, {}, 'Bypass'],
    ['nor given to others', CONTROL, { 'cache-control': 'private, max-age=60' }, 1, {}, 'Bypass'],
    ['and says how long, or none is kept', CONTROL, { 'cache-control': 'public' }, 1, {}, 'Bypass'],
  ])('%s', async (_, config, said, seconds, asked, wanted) => {
    later(0);
    upstream.answer(text('ok', said));
    using cache = open(config);
    await cache.ask();
    later(seconds);
    expect((await cache.ask({ headers: asked })).cache).toBe(wanted);
  });

  test('an answer that was asked for anew is kept in its place', async () => {
    later(0);
    upstream.answer(text('old'), text('new'), 'close');
    using cache = open({ cache_ttl: 10, storage_ttl: 100 });
    await cache.ask();
    later(11);
    expect(await cache.ask()).toMatchObject({ cache: 'Refresh', text: 'new' });
    expect(await cache.ask()).toMatchObject({ cache: 'Hit', text: 'new' });
  });

  test('a client that wants only what is kept is told when nothing is', async () => {
    upstream.answer('close');
    using cache = open(CONTROL);
    const { status, text: body, cache: said, key } = await cache.ask({ headers: { 'cache-control': 'only-if-cached' } });
    expect([status, body, said, key.length]).toEqual([504, '', null, 64]);
  });
});

test('two who ask at once are both answered by the upstream, and the next by what was kept', async () => {
  upstream.answer({ ...text('one'), gated: true }, { ...text('two'), gated: true }, 'close');
  using cache = open();
  const before = upstream.requests.length;
  const both = [cache.ask(), cache.ask()];
  await upstream.begun(before + 2);
  await upstream.release(2);
  expect((await Promise.all(both)).map(({ cache: status }) => status)).toEqual(['Miss', 'Miss']);
  expect(['one', 'two']).toContain((await cache.ask()).text);
});

describe('a stream', () => {
  const events = (...chunks: string[]): Answer => ({ headers: { 'content-type': 'text/event-stream' }, chunks });
  const STREAMS = { content_type: ['text/event-stream'] };

  test('does not wait for its end, and is kept when it comes', async () => {
    upstream.answer({ ...events('data: 1\n\n', 'data: 2\n\n'), gated: true }, 'close');
    using cache = open(STREAMS);
    const asked = fetch(cache.gateway.url);
    await upstream.release();
    const reader = ((await asked).body as ReadableStream<Uint8Array>).getReader();
    expect(Buffer.from((await reader.read()).value ?? []).toString()).toBe('data: 1\n\n');
    await upstream.release();
    while (!(await reader.read()).done);
    expect(await cache.ask()).toMatchObject({ cache: 'Hit', text: 'data: 1\n\ndata: 2\n\n' });
  });

  test('that ends in an error is not kept', async () => {
    upstream.answer(events('data: 1\n\n', 'data: {"error":{"message":"no more"}}\n\n'));
    using cache = open(STREAMS);
    await cache.ask();
    expect((await cache.ask()).cache).toBe('Miss');
  });
});

describe('headers', () => {
  const HIDDEN = { response_headers: { age: false, 'X-Cache-Status': false, 'X-Cache-Key': false } };
  const shown = ({ headers }: Got) => ['age', 'x-cache-status', 'x-cache-key'].map(name => headers.has(name));

  test('are left out one by one', async () => {
    upstream.answer(text());
    for (const [index, name] of ['age', 'X-Cache-Status', 'X-Cache-Key'].entries()) {
      using cache = open({ response_headers: { [name]: false } });
      await cache.ask();
      expect(shown(await cache.ask())).toEqual([0, 1, 2].map(other => other !== index));
    }
  });

  test('are shown to a client that debugs', async () => {
    upstream.answer(text());
    using cache = open(HIDDEN);
    expect(shown(await cache.ask())).toEqual([false, false, false]);
    expect(shown(await cache.ask())).toEqual([false, false, false]);
    expect(shown(await cache.ask({ headers: { 'kong-debug': '1' } }))).toEqual([true, true, true]);
  });

  test('of connections and limits are not kept', async () => {
    upstream.answer(text('ok', { 'x-ratelimit-remaining-minute': '5', 'keep-alive': 'timeout=5', 'x-a': '1' }));
    using cache = open();
    await cache.ask();
    const { headers } = await cache.ask();
    expect(['x-ratelimit-remaining-minute', 'keep-alive', 'x-a'].map(name => headers.get(name))).toEqual([null, null, '1']);
  });

  test('that a request without a key has are few', async () => {
    upstream.answer(text());
    using cache = open();
    expect(shown(await cache.ask({ method: 'POST' }))).toEqual([false, true, false]);
  });
});

describe('what is kept', () => {
  test('can be shown, and purged', async () => {
    setSystemTime(new Date(Date.UTC(2026, 0, 1)));
    upstream.answer(text('first', { 'x-a': '1' }), text('second'));
    using cache = open();
    const { key } = await cache.ask();
    const answer = (question: object) => cache.phases.answer?.(question as never);
    expect(answer({ show: key })).toEqual({
      status: 200,
      headers: { 'content-type': 'text/plain', 'x-a': '1' },
      body: 'first',
      body_len: 5,
      timestamp: Date.UTC(2026, 0, 1) / 1000,
      ttl: 300,
      version: 1,
    });
    expect([answer({ show: 'x' }), answer({ purge: 'x' }), answer({ purge: key }), answer({ purge: key })]).toEqual([
      null,
      null,
      true,
      null,
    ]);
    expect(await cache.ask()).toMatchObject({ cache: 'Miss', text: 'second' });
    expect(answer({ purge: null })).toBeNull();
    expect((await cache.ask()).cache).toBe('Miss');
    expect(answer(['what'])).toBeNull();
  });

  test('is one configuration’s, and goes with it', async () => {
    upstream.answer(text());
    using cache = open();
    using other = open();
    const { key } = await cache.ask();
    expect((await other.ask()).cache).toBe('Miss');
    await cache.phases.close?.();
    expect(cache.phases.answer?.({ show: key })).toBeNull();
    expect((await other.ask()).cache).toBe('Hit');
  });
});

test.each([
  ['no strategy', {}, 'strategy: required field missing'],
  ['a strategy that is another', { strategy: 'redis' }, 'expected one of: memory'],
  ['a memory that is another', { ...MEMORY, memory: { dictionary_name: 'my_cache' } }, "missing shared dict 'my_cache'"],
  ['no status', { ...MEMORY, response_code: [] }, 'length must be at least 1'],
  ['a status that is none', { ...MEMORY, response_code: [99] }, 'value should be between 100 and 900'],
  ['parts', { ...MEMORY, response_code: [200, 206] }, '206 and 304 answer one request alone'],
  ['a method that changes things', { ...MEMORY, request_method: ['DELETE'] }, 'expected one of: HEAD, GET, POST, PATCH, PUT'],
  ['a type that is none', { ...MEMORY, content_type: ['json'] }, "'json' is no content type"],
  ['no time', { ...MEMORY, cache_ttl: 0 }, 'value must be greater than 0'],
  ['a time before', { ...MEMORY, storage_ttl: -1 }, 'value must not be negative'],
  ['a switch that is none', { ...MEMORY, cache_control: 'yes' }, 'expected a boolean'],
  ['a case that is none', { ...MEMORY, ignore_uri_case: 1 }, 'expected a boolean'],
  ['a header nobody knows', { ...MEMORY, response_headers: { 'X-Other': true } }, 'unknown field'],
  ['arguments that are no list', { ...MEMORY, vary_query_params: 'a' }, 'expected an array'],
  ['headers that are no list', { ...MEMORY, vary_headers: 'a' }, 'expected an array'],
])('refuses %s', (_, config, message) => {
  expect(() => configured(proxyCache, config, openHost().host)).toThrow(message);
});
