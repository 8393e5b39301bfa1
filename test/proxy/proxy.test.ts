import { afterAll, afterEach, describe, expect, test } from 'bun:test';
import type { Plan } from '../../src/gateway/snapshot.ts';
import { RequestFailure } from '../../src/lib/request-failure.ts';
import { type Context, noteKey } from '../../src/plugins/context.ts';
import type { Phases } from '../../src/plugins/plugin.ts';
import { loggedHeaders } from '../../src/plugins/request-measures.ts';
import { startUpstream } from '../support/upstream.ts';
import { exchange, startGateway } from './gateway.ts';

const upstream = startUpstream();
afterAll(() => upstream.stop());
afterEach(() => upstream.answer({ body: 'ok' }));
const count = () => upstream.requests.length;

describe('the phases of plugins', () => {
  test('run in order: access, upstream, response, log', async () => {
    const order: string[] = [];
    const logged = Promise.withResolvers<void>();
    const plugin = (name: string, last = false): Phases => ({
      async access() {
        order.push(`${name} access`);
      },
      response(_, { status }) {
        order.push(`${name} response ${status}`);
      },
      log() {
        order.push(`${name} log`);
        if (last) logged.resolve();
      },
    });
    using gateway = startGateway({ url: upstream.url, plugins: [plugin('a'), plugin('b', true)] });
    await (await fetch(gateway.url)).text();
    await logged.promise;
    expect(order).toEqual(['a access', 'b access', 'a response 200', 'b response 200', 'a log', 'b log']);
  });

  test('an answer in the access phase skips the rest of it and the upstream, and takes the same way back', async () => {
    const before = count();
    const logged = Promise.withResolvers<Context>();
    using gateway = startGateway({
      url: upstream.url,
      plugins: [
        { access: () => new Response('early', { status: 418 }) },
        {
          access: () => {
            throw new Error('not reached');
          },
          response: (_, response) => void response.headers.set('X-Seen', 'yes'),
          log: logged.resolve,
        },
      ],
    });
    const response = await fetch(gateway.url);
    expect([response.status, await response.text(), response.headers.get('x-seen')]).toEqual([418, 'early', 'yes']);
    expect(count()).toBe(before);
    expect((await logged.promise).outcome).toMatchObject({ source: 'exit', status: 418, responseSize: 5, upstreamStatus: null });
  });

  test('a response may be replaced, by a stream too', async () => {
    const upper: Phases = {
      response: (_, response) =>
        new Response((response.body as ReadableStream).pipeThrough(new TransformStream({ transform: shout })), response),
    };
    const shout = (chunk: Uint8Array, controller: TransformStreamDefaultController) =>
      controller.enqueue(Buffer.from(Buffer.from(chunk).toString().toUpperCase()));
    upstream.answer({ chunks: ['one ', 'two'] });
    using gateway = startGateway({
      url: upstream.url,
      plugins: [upper, { response: (_, response) => void response.headers.set('X-After', '1') }],
    });
    const response = await fetch(gateway.url);
    expect([await response.text(), response.headers.get('x-after')]).toEqual(['ONE TWO', '1']);
  });

  test.each(['//[/x', '//other:99999/x', '//other/x'])('see %s as a path of the host that was asked', async path => {
    const logged = Promise.withResolvers<string>();
    using gateway = startGateway({ url: upstream.url, plugins: [{ log: ({ url }) => logged.resolve(url.href) }] });
    await exchange(gateway.port, `GET ${path} HTTP/1.1\r\nHost: 127.0.0.1:${gateway.port}`);
    expect(await logged.promise).toBe(gateway.url + path);
  });

  test('a response that is replaced by a whole one keeps its length, and is logged with it', async () => {
    const logged = Promise.withResolvers<Context>();
    const response: Phases['response'] = async (_, answer) =>
      new Response(`${await answer.text()}!`, { headers: { 'Content-Length': '3' } });
    using gateway = startGateway({ url: upstream.url, plugins: [{ response, log: logged.resolve }] });
    const answer = await fetch(gateway.url);
    expect([await answer.text(), answer.headers.get('content-length')]).toEqual(['ok!', '3']);
    expect((await logged.promise).outcome).toMatchObject({ responseSize: 3, source: 'upstream', status: 200 });
  });

  test('choose the configuration of the consumer, or of a group it is in, once it is known', async () => {
    const says = (who: string) => (_: Context, response: Response) => void response.headers.set('X-For', who);
    const slot = {
      plugin: 'says',
      anyone: says('anyone'),
      byOwner: [new Map([['gold', says('gold')]]), new Map([['staff', says('staff')]])],
    };
    const access = (context: Context) => {
      const id = context.request.headers.get('x-consumer');
      if (id !== null) context.consumer = { id } as Context['consumer'];
    };
    const plan = { access: [{ plugin: 'auth', anyone: access, byOwner: null }], response: [slot], log: [] } as Plan;
    using gateway = startGateway({ url: upstream.url, plan, groups: { gold: ['staff'], silver: ['none', 'staff'] } });
    const heard = async (headers: Record<string, string>) => (await fetch(gateway.url, { headers })).headers.get('x-for');
    const callers: Record<string, string>[] = [{}, { 'X-Consumer': 'gold' }, { 'X-Consumer': 'silver' }, { 'X-Consumer': 'other' }];
    expect(await Promise.all(callers.map(heard))).toEqual(['anyone', 'gold', 'staff', 'anyone']);
  });

  test('share notes and the time they began', async () => {
    const key = noteKey<string>('note');
    using gateway = startGateway({
      url: upstream.url,
      plugins: [
        { access: ({ notes }) => void notes.set(key, 'kept') },
        { response: ({ notes }, response) => void response.headers.set('X-Note', notes.get(key) ?? 'lost') },
      ],
    });
    expect((await fetch(gateway.url)).headers.get('x-note')).toBe('kept');
  });
});

describe('a plugin that throws', () => {
  const broken = () => {
    throw new Error('broken');
  };
  const UNEXPECTED = 'An unexpected error occurred';

  test.each<[string, Phases['access'], number, string, string[]]>([
    [
      'a refusal in its access phase answers with it',
      () => {
        throw new RequestFailure(403, 'not you');
      },
      403,
      'not you',
      [],
    ],
    ['in its access phase is the gateway’s failure', broken, 500, UNEXPECTED, ['request failed']],
    ['late in its access phase is the gateway’s failure', async () => broken(), 500, UNEXPECTED, ['request failed']],
  ])('%s', async (_, access, status, text, errors) => {
    using gateway = startGateway({ url: upstream.url, plugins: [{ access: access as never }] });
    const response = await fetch(gateway.url);
    expect([response.status, ((await response.json()) as { message: string }).message]).toEqual([status, text]);
    expect(gateway.said('error')).toEqual(errors);
  });

  test.each([broken, async () => broken()])('in its response phase is passed over', async response => {
    using gateway = startGateway({
      url: upstream.url,
      plugins: [{ response }, { response: (_, next) => void next.headers.set('X-Next', '1') }],
    });
    const answer = await fetch(gateway.url);
    expect([answer.status, await answer.text(), answer.headers.get('x-next')]).toEqual([200, 'ok', '1']);
    expect(gateway.said('error')).toEqual(['plugin plugin-0 failed in its response phase']);
  });

  test('after it read the body leaves nothing to answer with', async () => {
    const response: Phases['response'] = async (_, answer) => {
      await answer.text();
      broken();
    };
    using gateway = startGateway({ url: upstream.url, plugins: [{ response }] });
    expect((await fetch(gateway.url)).status).toBe(500);
  });

  test('because the upstream broke off while it read the body is the upstream’s failure', async () => {
    upstream.answer({ chunks: ['part'], ending: 'close' });
    const response: Phases['response'] = async (_, answer) => new Response(await answer.text());
    using gateway = startGateway({ url: upstream.url, plugins: [{ response }] });
    expect((await fetch(gateway.url)).status).toBe(502);
  });

  test.each([broken, async () => broken()])('in its log phase harms nobody', async log => {
    const next = Promise.withResolvers<Context>();
    using gateway = startGateway({ url: upstream.url, plugins: [{ log }, { log: next.resolve }] });
    expect(await (await fetch(gateway.url)).text()).toBe('ok');
    await next.promise;
    expect(gateway.said('error')).toEqual(['plugin plugin-0 failed in its log phase']);
  });
});

test('a plugin that waits in its log phase is waited for, by those after it and by the snapshot', async () => {
  const [begun, waited, ended] = [Promise.withResolvers<void>(), Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const done: string[] = [];
  const slow = async () => {
    begun.resolve();
    await waited.promise;
    done.push('slow');
  };
  const next = () => {
    done.push('next');
    ended.resolve();
  };
  using gateway = startGateway({ url: upstream.url, plugins: [{ log: () => void done.push('first') }, { log: slow }, { log: next }] });
  await (await fetch(gateway.url)).text();
  await begun.promise;
  expect([done, gateway.passages.open]).toEqual([['first'], 1]);
  waited.resolve();
  await ended.promise;
  await new Promise(setImmediate);
  expect([done, gateway.passages.open]).toEqual([['first', 'slow', 'next'], 0]);
});

test('what is logged of the client is what it sent, not what the upstream got', async () => {
  const logged = Promise.withResolvers<Context>();
  using gateway = startGateway({ url: upstream.url, plugins: [{ log: logged.resolve }] });
  const sent = {
    'user-agent': 'me',
    te: 'trailers',
    via: '1.0 other',
    'x-forwarded-for': '192.0.2.9',
    'set-cookie': 'a=1',
    'x-list': 'a, b',
  };
  await (await fetch(gateway.url, { headers: sent })).text();
  const context = await logged.promise;
  const { request } = loggedHeaders(context);
  expect(request).toMatchObject({ ...sent, host: new URL(gateway.url).host });
  expect(Object.keys(request).sort()).toEqual([...context.request.headers.keys()].sort());
});

describe('every request', () => {
  test.each([
    ['that is answered', {}, []],
    ['that matches no route', { matches: () => false }, []],
    ['that is logged', {}, [{ log() {} }]],
  ] as const)('%s leaves the snapshot it entered', async (_, setting, plugins) => {
    const left = Promise.withResolvers<void>();
    using gateway = startGateway({
      url: upstream.url,
      ...setting,
      plugins: [...plugins, ...(plugins.length > 0 ? [{ log: () => left.resolve() }] : [])],
    });
    await (await fetch(gateway.url)).text();
    if (plugins.length > 0) await left.promise;
    await Promise.resolve();
    expect(gateway.passages.open).toBe(0);
  });

  test('is counted', async () => {
    upstream.answer('silence');
    using gateway = startGateway({ url: upstream.url });
    const number = count() + 1;
    const leaving = new AbortController();
    const request = fetch(gateway.url, { signal: leaving.signal }).catch(() => null);
    await upstream.received(number);
    expect(gateway.proxy.counters).toEqual({ requests: 1, active: 1 });
    leaving.abort();
    await request;
    await upstream.closed(number);
  });

  test('has an id of its own', async () => {
    using gateway = startGateway({ url: upstream.url });
    const ids = await Promise.all(Array.from({ length: 100 }, async () => (await fetch(gateway.url)).headers.get('x-kong-request-id')));
    expect(new Set(ids).size).toBe(100);
  });
});

describe('a request that', () => {
  const get = (target: string, ...headers: string[]) => [`GET ${target} HTTP/1.1`, ...headers].join('\r\n');

  test.each<[string, string, string, string | undefined]>([
    ['matches no route', get('/', 'Host: nowhere'), '404 ', 'no Route matched with those values'],
    ['wants a tunnel', 'CONNECT h:80 HTTP/1.1\r\nHost: h:80', '405 ', 'Method not allowed'],
    ['wants itself back', 'TRACE / HTTP/1.1\r\nHost: h', '405 ', 'Method not allowed'],
    ['names two hosts', get('/', 'Host: a', 'Host: b'), '400 ', 'Bad request'],
    ['names no possible host', get('/', 'Host: a b'), '400 ', 'Bad request'],
    ['has a user in its host', get('/', 'Host: user@h'), '400 ', 'Bad request'],
    ['names its host in the target', get('http://other/abs?a', 'Host: h'), '200 ', undefined],
    ['is as old as HTTP/1.0', 'GET /old?a HTTP/1.0', '200 ', undefined],
    ['has a method that is unusual', 'PROPFIND / HTTP/1.1\r\nHost: h', '200 ', undefined],
    ['has a fragment', get('/a?b#c', 'Host: h'), '200 ', undefined],
  ])('%s', async (_, head, status, text) => {
    using gateway = startGateway({ url: upstream.url, matches: ({ host }) => host !== 'nowhere' });
    const answer = await exchange(gateway.port, head);
    expect(answer).toStartWith(`HTTP/1.1 ${status}`);
    if (text !== undefined)
      expect(JSON.parse(answer.slice(answer.indexOf('{')))).toEqual({ message: text, request_id: expect.any(String) });
  });

  test('has a path and a query is cut where they meet', async () => {
    using gateway = startGateway({ url: upstream.url });
    const targets = ['/', '/a?', '/a?b?c', '/a%2Fb%20c?d=%C3%A4', 'http://other/abs?a', '/a?b#c'];
    for (const target of targets) await exchange(gateway.port, get(target, 'Host: h'));
    expect(upstream.requests.slice(-targets.length).map(request => request.target)).toEqual([
      '/',
      '/a?',
      '/a?b?c',
      '/a%2Fb%20c?d=%C3%A4',
      '/abs?a',
      '/a?b',
    ]);
  });

  test.each([
    ['/a/../b', '/b'],
    ['/a/%2e%2E/b', '/b'],
    ['/a/.%2e/../b', '/b'],
    ['/../../b', '/b'],
    ['/a/%2e/b', '/a/b'],
    ['/a/..', '/'],
    ['/a\\..\\b', '/b'],
    ['/a/..%2fb', '/a/..%2fb'],
    ['/a/..%5cb', '/a/..%5cb'],
    ['/a//b', '/a//b'],
    ['/a%00b', '/a%00b'],
    ['/%61%zz', '/%61%zz'],
    ['/a"<>b', '/a%22%3C%3Eb'],
  ])('asks for %s is routed and passed on as %s', async (target, path) => {
    const routed: string[] = [];
    const matches = (request: { path: string }) => routed.push(request.path) > 0;
    using gateway = startGateway({ url: upstream.url, matches });
    await exchange(gateway.port, get(target, 'Host: h'));
    expect([routed, upstream.requests.at(-1)?.target]).toEqual([[path], path]);
  });

  test('comes over HTTP to a route that wants HTTPS is told so', async () => {
    using strict = startGateway({ url: upstream.url, httpsOnly: true });
    const refused = await fetch(strict.url);
    expect([refused.status, ((await refused.json()) as { message: string }).message]).toEqual([426, 'Please use HTTPS protocol']);
    expect(refused.headers.get('upgrade')).toBe('TLS/1.2, HTTP/1.1');
    for (const status of [301, 302, 307, 308] as const) {
      using kind = startGateway({ url: upstream.url, httpsOnly: true, route: { https_redirect_status_code: status } });
      const redirected = await fetch(`${kind.url}/a?b`, { redirect: 'manual', headers: { Host: 'public.test:8000' } });
      expect([redirected.status, redirected.headers.get('location')]).toEqual([status, 'https://public.test/a?b']);
    }
    using behind = startGateway({ url: upstream.url, httpsOnly: true, trustedIps: ['127.0.0.1'] });
    expect((await fetch(behind.url, { headers: { 'X-Forwarded-Proto': 'https' } })).status).toBe(200);
  });

  test.each([
    [undefined, 'application/json', '{"message":'],
    ['text/html,application/xhtml+xml', 'text/html', '<!doctype html>'],
    ['text/plain;q=0.5, application/xml', 'application/xml', '<?xml'],
    ['text/*', 'text/plain', 'no Route matched with those values\nrequest_id: '],
    ['image/png', 'application/json', '{"message":'],
  ])('fails and accepts %p is told so in %s', async (accept, type, start) => {
    using gateway = startGateway({ url: null, matches: () => false });
    const response = await fetch(gateway.url, { headers: accept ? { Accept: accept } : {} });
    expect(response.headers.get('content-type')).toBe(`${type}; charset=utf-8`);
    expect(await response.text()).toStartWith(start);
  });
});
