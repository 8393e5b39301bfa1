import { afterAll, beforeEach, describe, expect, test } from 'bun:test';
import { createProxy } from '../../src/proxy/proxy.ts';
import { recordingLog } from '../support/recording-log.ts';
import { oneRoute } from '../support/snapshot.ts';
import { startUpstream } from '../support/upstream.ts';
import { exchange, type Setting, startGateway } from './gateway.ts';

const upstream = startUpstream();
afterAll(() => upstream.stop());
beforeEach(() => upstream.answer({ body: 'ok' }));

const last = () => upstream.requests[upstream.requests.length - 1];

/** What the upstream sees of a request with these headers. */
async function seen(headers: Record<string, string>, setting: Partial<Setting> = {}) {
  using gateway = startGateway({ url: upstream.url, ...setting });
  await fetch(`${gateway.url}/some/path?a=b`, { headers });
  return { gateway, request: last() };
}

describe('towards the upstream', () => {
  test('the request is as it came, but for the headers of the gateway', async () => {
    const { request, gateway } = await seen({
      'X-Own': 'a, b',
      Accept: 'text/plain',
      'User-Agent': 'someone',
      'Accept-Encoding': 'identity',
    });
    expect(request?.target).toBe('/some/path?a=b');
    expect(Object.fromEntries(request?.headers.map(([name, value]) => [name.toLowerCase(), value]) ?? [])).toEqual({
      accept: 'text/plain',
      'accept-encoding': 'identity',
      connection: 'keep-alive',
      host: `127.0.0.1:${upstream.port}`,
      'user-agent': 'someone',
      via: '1.1 sluice/1.2.3',
      'x-forwarded-for': '127.0.0.1',
      'x-forwarded-host': '127.0.0.1',
      'x-forwarded-path': '/some/path',
      'x-forwarded-port': String(gateway.port),
      'x-forwarded-proto': 'http',
      'x-kong-request-id': expect.stringMatching(/^[0-9a-f]{32}$/),
      'x-own': 'a, b',
      'x-real-ip': '127.0.0.1',
    });
  });

  test('a client that sent neither Accept-Encoding nor User-Agent is not made to ask for codings or to be Bun', async () => {
    using gateway = startGateway({ url: upstream.url });
    await exchange(gateway.port, 'GET / HTTP/1.1\r\nHost: h');
    expect(last()?.header('accept-encoding')).toBeUndefined();
    expect(last()?.header('user-agent')).toBe('sluice/1.2.3');
  });

  test.each([
    'Connection: X-Hop, Keep-Alive\r\nX-Hop: 1',
    'Keep-Alive: timeout=5',
    'Proxy-Authorization: Basic abc',
    'Proxy-Connection: keep-alive',
    'Proxy: http://evil.test',
    'TE: trailers',
    'Trailer: X-Sum',
    'Upgrade: h2c',
  ])('%p stops here', async header => {
    using gateway = startGateway({ url: upstream.url });
    await exchange(gateway.port, `GET / HTTP/1.1\r\nHost: h\r\n${header}`);
    const names = header.split('\r\n').map(line => line.slice(0, line.indexOf(':')));
    for (const name of names) if (name !== 'Connection') expect(last()?.header(name)).toBeUndefined();
    expect(last()?.header('connection')).toBe('keep-alive');
  });

  test('what Connection must not name stays', async () => {
    const { request } = await seen({ Connection: 'Authorization, close', Authorization: 'Bearer a' });
    expect(request?.header('authorization')).toBe('Bearer a');
  });

  const trusted = { trustedIps: ['127.0.0.0/8', '::1'] };
  const forwarded = {
    'X-Forwarded-For': '203.0.113.9',
    'X-Forwarded-Proto': 'https',
    'X-Forwarded-Host': 'public.test',
    'X-Forwarded-Port': '443',
    'X-Forwarded-Path': '/public',
    'X-Forwarded-Prefix': '/outer',
    'X-Real-IP': '203.0.113.9',
  };
  test.each<[string, Record<string, string>, Partial<Setting>, Record<string, string | undefined>]>([
    [
      'nobody is trusted',
      forwarded,
      {},
      { for: '203.0.113.9, 127.0.0.1', proto: 'http', host: '127.0.0.1', path: '/some/path', prefix: undefined, real: '127.0.0.1' },
    ],
    [
      'the peer is trusted',
      forwarded,
      trusted,
      {
        for: '203.0.113.9, 127.0.0.1',
        proto: 'https',
        host: 'public.test',
        port: '443',
        path: '/public',
        prefix: '/outer',
        real: '203.0.113.9',
      },
    ],
    [
      'a trusted peer says nothing',
      {},
      trusted,
      { for: '127.0.0.1', proto: 'http', host: '127.0.0.1', path: '/some/path', real: '127.0.0.1' },
    ],
    ['a trusted peer says nonsense', { 'X-Real-IP': 'unknown' }, trusted, { for: '127.0.0.1', real: '127.0.0.1' }],
    [
      'another header names the client',
      { 'X-Forwarded-For': '198.51.100.1, 203.0.113.9' },
      { ...trusted, realIpHeader: 'X-Forwarded-For' },
      { real: '203.0.113.9' },
    ],
    ['the client comes with a port', { 'X-Real-IP': '[2001:db8::1]:4711' }, trusted, { real: '2001:db8::1' }],
    ['the route strips a prefix', {}, { match: { prefix: '/some' } }, { prefix: '/some', path: '/some/path' }],
    ['the route strips a slash', {}, { match: { prefix: '/' } }, { prefix: undefined }],
  ])('forwarded headers when %s', async (_, headers, setting, expected) => {
    const { request } = await seen(headers, setting);
    for (const [name, value] of Object.entries(expected)) {
      expect([name, request?.header(name === 'real' ? 'x-real-ip' : `x-forwarded-${name}`)]).toEqual([name, value]);
    }
  });

  test.each([
    ['203.0.113.7, 198.51.100.1, 127.0.0.2, 127.0.0.3', '198.51.100.1'],
    ['198.51.100.1,127.0.0.2', '198.51.100.1'],
    ['[2001:db8::1]:80, 127.0.0.2', '2001:db8::1'],
    ['127.0.0.9, 127.0.0.2', '127.0.0.9'],
    ['unknown, 127.0.0.2', '127.0.0.2'],
    ['198.51.100.1, unknown', '127.0.0.1'],
    [' , ', '127.0.0.1'],
  ])('where several trusted peers have made a list, %s, the client is %s', async (list, client) => {
    const setting = { trustedIps: ['127.0.0.0/8'], realIpHeader: 'X-Forwarded-For', realIpRecursive: true };
    expect((await seen({ 'X-Forwarded-For': list }, setting)).request?.header('x-real-ip')).toBe(client);
  });

  test('the host is that of the client when the route preserves it', async () => {
    const { request } = await seen({ Host: 'public.test:81' }, { route: { preserve_host: true } });
    expect(request?.header('host')).toBe('public.test:81');
  });

  test('a trusted range that is none is refused', () => {
    const { snapshot } = oneRoute({ url: null });
    const options = {
      gateway: { snapshot },
      log: recordingLog().log,
      realIpHeader: 'X-Real-IP',
      realIpRecursive: false,
      version: '1',
      trustedIps: [],
      headers: [],
    };
    expect(() => createProxy({ ...options, trustedIps: ['10.0.0.0/33'] })).toThrow(
      "trusted_ips: invalid IP address or range: '10.0.0.0/33'",
    );
    expect(() => createProxy({ ...options, headers: ['latency'] })).toThrow("headers: unknown name 'latency'");
  });
});

describe('towards the client', () => {
  const added = [
    'server',
    'via',
    'x-kong-upstream-latency',
    'x-kong-proxy-latency',
    'x-kong-response-latency',
    'x-kong-request-id',
    'x-kong-upstream-status',
  ];

  test.each<[readonly string[], 'upstream' | 'gateway', string[]]>([
    [
      ['server_tokens', 'latency_tokens', 'X-Kong-Request-Id'],
      'upstream',
      ['via', 'x-kong-upstream-latency', 'x-kong-proxy-latency', 'x-kong-request-id'],
    ],
    [['server_tokens', 'latency_tokens', 'X-Kong-Request-Id'], 'gateway', ['server', 'x-kong-response-latency', 'x-kong-request-id']],
    [['off'], 'upstream', []],
    [['off'], 'gateway', []],
    [['Via', 'x-kong-upstream-status'], 'upstream', ['via', 'x-kong-upstream-status']],
    [['Server'], 'gateway', ['server']],
  ])('with %p, what comes from the %s says %p', async (headers, source, expected) => {
    using gateway = startGateway({ url: upstream.url, headers, matches: () => source === 'upstream' });
    const response = await fetch(gateway.url);
    expect(added.filter(name => response.headers.has(name)).toSorted()).toEqual(expected.toSorted());
  });

  test('headers that were meant for the gateway stop here, all others come through', async () => {
    upstream.answer({
      headers: [
        ['Connection', 'close, X-Hop'],
        ['X-Hop', '1'],
        ['Keep-Alive', 'timeout=5'],
        ['Proxy-Authenticate', 'Basic'],
        ['Via', '1.0 inner'],
        ['Set-Cookie', 'a=1; Path=/'],
        ['Set-Cookie', 'b=2, c'],
        ['Retry-After', '7'],
        ['Content-Type', 'text/x-own'],
      ],
      body: 'ok',
    });
    using gateway = startGateway({ url: upstream.url });
    const { headers } = await fetch(gateway.url);
    for (const name of ['x-hop', 'keep-alive', 'proxy-authenticate']) expect(headers.has(name)).toBe(false);
    expect(headers.getSetCookie()).toEqual(['a=1; Path=/', 'b=2, c']);
    expect(headers.get('via')).toBe('1.0 inner, 1.1 sluice/1.2.3');
    expect(headers.get('retry-after')).toBe('7');
    expect(headers.get('content-type')).toBe('text/x-own');
    expect(headers.get('content-length')).toBe('2');
  });

  test('the request id is the same for the client, the upstream and the body of a failure', async () => {
    using gateway = startGateway({ url: upstream.url });
    const response = await fetch(gateway.url);
    expect(response.headers.get('x-kong-request-id')).toBe(last()?.header('x-kong-request-id') as string);
    using nowhere = startGateway({ url: null });
    const failure = await fetch(nowhere.url);
    expect(((await failure.json()) as { request_id: string }).request_id).toBe(failure.headers.get('x-kong-request-id') as string);
  });
});
