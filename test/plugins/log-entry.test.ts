import { describe, expect, test } from 'bun:test';
import { consumer } from '../../src/entities/consumer.ts';
import type { RowOf } from '../../src/entities/entity.ts';
import { route } from '../../src/entities/route.ts';
import { service } from '../../src/entities/service.ts';
import { logEntry } from '../../src/plugins/log-entry.ts';
import { validate } from '../../src/schema/validate.ts';
import { answered, type Circumstances } from '../support/context.ts';

const ID = '0f1a4101-3327-4274-b1e4-484a4ab0c030';
const WORKSPACE = '0dc6f45b-8f8d-40d2-a504-473544ee190b';

function rowOf<E extends typeof route | typeof service | typeof consumer>(entity: E, input: object): RowOf<E> {
  const checked = validate(entity.schema as never, { id: ID, created_at: 1, updated_at: 1, ...input });
  if ('errors' in checked) throw new Error(JSON.stringify(checked.errors));
  return checked.value as RowOf<E>;
}

const entryOf = (request: Request, circumstances?: Circumstances) => JSON.parse(logEntry(answered(request, circumstances)));

test('a proxied request is logged with the fields and words of Kong', () => {
  const request = new Request('http://localhost:8000/chat?a=1&b', {
    method: 'POST',
    headers: { host: 'localhost:8000', 'user-agent': 'curl/8', authorization: 'Bearer secret' },
  });
  const entry = entryOf(request, {
    route: rowOf(route, { name: 'chat', paths: ['/chat'], service: { id: ID } }),
    service: rowOf(service, { name: 'ai', host: 'upstream.test' }),
    consumer: rowOf(consumer, { username: 'ann' }),
    credential: { id: 'c0ffee00-0000-4000-8000-000000000000' },
    log: { ai: { proxy: { usage: { total_tokens: 85 } } } },
    outcome: {
      requestSize: 1000,
      responseSize: 500,
      responseHeaders: new Headers([
        ['content-type', 'application/json'],
        ['set-cookie', 'a=1'],
        ['set-cookie', 'b=2'],
      ]),
      tries: [
        { ip: '192.0.2.1', port: 443, startedAt: 1_700_000_000_001, state: 'failed', code: 502 },
        { ip: '192.0.2.2', port: 443, startedAt: 1_700_000_000_002 },
      ],
    },
  });
  expect(entry).toEqual({
    request: {
      id: '2f6946328ffc4946b8c9120704a4a155',
      uri: '/chat?a=1&b',
      url: 'http://localhost:8000/chat?a=1&b',
      querystring: { a: '1', b: true },
      method: 'POST',
      headers: { host: 'localhost:8000', 'user-agent': 'curl/8', authorization: 'REDACTED' },
      size: 'POST /chat?a=1&b HTTP/1.1\r\nhost: localhost:8000\r\nuser-agent: curl/8\r\nauthorization: Bearer secret\r\n\r\n'.length + 1000,
    },
    upstream_uri: '/chat?a=1&b',
    upstream_status: '502, 200',
    response: {
      status: 200,
      headers: { 'content-type': 'application/json', 'set-cookie': ['a=1', 'b=2'] },
      size: 'HTTP/1.1 200 \r\ncontent-type: application/json\r\nset-cookie: a=1\r\nset-cookie: b=2\r\n\r\n'.length + 500,
    },
    latencies: { kong: 1, proxy: 40, request: 61, receive: 19 },
    tries: [
      {
        ip: '192.0.2.1',
        port: 443,
        state: 'failed',
        code: 502,
        balancer_start: 1_700_000_000_001,
        balancer_start_ns: 1_700_000_000_001_000_000,
        balancer_latency: 0,
        balancer_latency_ns: 0,
      },
      {
        ip: '192.0.2.2',
        port: 443,
        balancer_start: 1_700_000_000_002,
        balancer_start_ns: 1_700_000_000_002_000_000,
        balancer_latency: 0,
        balancer_latency_ns: 0,
      },
    ],
    client_ip: '192.0.2.7',
    started_at: 1_700_000_000_000,
    source: 'upstream',
    workspace: WORKSPACE,
    workspace_name: 'default',
    route: {
      id: ID,
      name: 'chat',
      paths: ['/chat'],
      service: { id: ID },
      protocols: ['http', 'https'],
      https_redirect_status_code: 426,
      strip_path: true,
      preserve_host: false,
      request_buffering: true,
      response_buffering: true,
      regex_priority: 0,
      path_handling: 'v0',
      created_at: 1,
      updated_at: 1,
      ws_id: WORKSPACE,
    },
    service: {
      id: ID,
      name: 'ai',
      host: 'upstream.test',
      port: 80,
      protocol: 'http',
      retries: 5,
      connect_timeout: 60000,
      write_timeout: 60000,
      read_timeout: 60000,
      enabled: true,
      created_at: 1,
      updated_at: 1,
      ws_id: WORKSPACE,
    },
    consumer: { id: ID, username: 'ann', created_at: 1, updated_at: 1, ws_id: WORKSPACE },
    authenticated_entity: { id: 'c0ffee00-0000-4000-8000-000000000000', consumer_id: ID },
    ai: { proxy: { usage: { total_tokens: 85 } } },
  });
});

test('an answer of the gateway itself comes from kong and has no upstream', () => {
  const entry = entryOf(new Request('http://localhost/none'), {
    upstream: { url: null, method: 'GET', headers: {}, body: undefined, timeouts: { connect: 1, read: 1, write: 1 } },
    outcome: { status: 404, source: 'exit', upstreamStatus: null, upstreamStartedMs: null, upstreamFirstByteMs: null, endedMs: 3 },
  });
  expect(entry).toMatchObject({
    source: 'kong',
    upstream_uri: '',
    upstream_status: '',
    response: { status: 404 },
    latencies: { kong: 3, proxy: -1, request: 3, receive: 0 },
    tries: [],
  });
  for (const absent of ['route', 'service', 'consumer', 'authenticated_entity']) expect(entry).not.toHaveProperty(absent);
});

test('an upstream that never answered has no proxy latency', () => {
  const outcome = { status: 504, source: 'error', upstreamStatus: null, upstreamFirstByteMs: null } as const;
  expect(entryOf(new Request('http://localhost/'), { outcome })).toMatchObject({
    source: 'kong',
    latencies: { kong: 1, proxy: -1, receive: 0 },
  });
});

test('a client that left is logged as 499', () => {
  expect(entryOf(new Request('http://localhost/'), { outcome: { clientLeft: true } }).response.status).toBe(499);
});

test('a cookie that is set alone is a text, as every other header', () => {
  const responseHeaders = new Headers({ 'set-cookie': 'a=1' });
  expect(entryOf(new Request('http://localhost/'), { outcome: { responseHeaders } }).response.headers).toEqual({ 'set-cookie': 'a=1' });
});

test('a request over TLS says so, and names the port', () => {
  const tls = { version: 'TLSv1.3', cipher: 'TLS_AES_256_GCM_SHA384' };
  const { request } = entryOf(new Request('https://gateway.test/x'), { tls });
  expect(request).toMatchObject({ url: 'https://gateway.test:443/x', tls: { ...tls, client_verify: 'NONE' } });
  expect(entryOf(new Request('https://gateway.test/x')).request.tls).toEqual({ client_verify: 'NONE' });
});

describe('no secret is logged', () => {
  test('where a plugin looks for credentials, and nowhere else', () => {
    const request = new Request('http://localhost/a?x=1&team%2Dkey=s3cret&y', { headers: { 'x-team-key': 's3cret', 'x-other': 'shown' } });
    const entry = entryOf(request, { credentialPlaces: [{ headers: ['x-team-key'], parameters: ['team-key'], members: [] }] });
    expect(JSON.stringify(entry)).not.toContain('s3cret');
    expect(entry.request).toMatchObject({
      uri: '/a?x=1&team%2Dkey=REDACTED&y',
      querystring: { x: '1', 'team-key': 'REDACTED', y: true },
      headers: { 'x-team-key': 'REDACTED', 'x-other': 'shown' },
    });
    expect(entry.upstream_uri).toBe('/a?x=1&team%2Dkey=REDACTED&y');
  });

  test.each(['authorization', 'proxy-authorization', 'x-api-key', 'api-key', 'apikey', 'x-goog-api-key'])('in the header %s', name => {
    const { request } = entryOf(new Request('http://localhost/', { headers: { [name]: 'secret' } }));
    expect(request.headers[name]).toBe('REDACTED');
  });

  test.each([
    ['a parameter that the gateway added', '/v1/models?alt=sse&key=secret', '/v1/models?alt=sse&key=REDACTED'],
    ['a parameter whose value the gateway replaced', '/v1?alt=other', '/v1?alt=REDACTED'],
    ['an unchanged query', '/v1?alt=sse', '/v1?alt=sse'],
    ['no query', '/v1', '/v1'],
  ])('of the upstream URL: %s', (_, upstream, shown) => {
    const context = answered(new Request('http://localhost/x?alt=sse'));
    context.upstream.url = `https://user:secret@vendor.test${upstream}`;
    expect(JSON.parse(logEntry(context)).upstream_uri).toBe(shown);
  });
});

test.each([
  ['', {}],
  ['?', {}],
  ['?a=1&a=2&a', { a: ['1', '2', true] }],
  ['?a=', { a: '' }],
  ['?a=x=y&b%20c=%C3%A9+e', { a: 'x=y', 'b c': 'é e' }],
  ['?broken=%zz&&z=1', { broken: '%zz', z: '1' }],
  ['?__proto__=1&constructor=2', JSON.parse('{"__proto__":"1","constructor":"2"}')],
])('the query %p is read as Kong reads it', (query, members) => {
  const context = answered(new Request('http://localhost/'), { query });
  expect(JSON.parse(logEntry(context)).request.querystring).toEqual(members);
});

test('members of rows are written as JSON is, and those that are null are left out', () => {
  const odd = '"quoted" \\ back\nline \u2028 é 人 😀 \x01';
  const entry = entryOf(new Request('http://localhost/'), {
    route: rowOf(route, { name: 'odd', paths: ['/'], headers: { 'x-a': [odd] } }),
    consumer: rowOf(consumer, { username: odd }),
  });
  expect(entry.route).toMatchObject({ name: 'odd', headers: { 'x-a': [odd] } });
  expect(entry.consumer).toEqual({ id: ID, username: odd, created_at: 1, updated_at: 1, ws_id: WORKSPACE });
});

test('what a plugin adds to the log wins over what every request has', () => {
  const log = { client_ip: 'hidden', route: 'chat', note: { odd: '"\u2028' } };
  expect(entryOf(new Request('http://localhost/'), { route: rowOf(route, { paths: ['/'] }), log })).toMatchObject(log);
});

test('each entry names the rows, the host and the upstream of its own request', () => {
  const seen = ['http://one.test/', 'https://one.test/', 'http://two.test:8080/', 'http://one.test/'].map((address, index) => {
    const name = `route-${index}`;
    const entry = entryOf(new Request(`${address}${index}?a=${index}`), { route: rowOf(route, { name, paths: ['/'] }) });
    return [entry.route.name, entry.request.url, entry.upstream_uri];
  });
  expect(seen).toEqual([
    ['route-0', 'http://one.test:80/0?a=0', '/0?a=0'],
    ['route-1', 'https://one.test:443/1?a=1', '/1?a=1'],
    ['route-2', 'http://two.test:8080/2?a=2', '/2?a=2'],
    ['route-3', 'http://one.test:80/3?a=3', '/3?a=3'],
  ]);
});

test('the entry is made once for all plugins that log', () => {
  const context = answered(new Request('http://localhost/'));
  const first = logEntry(context);
  context.outcome.status = 500;
  expect(logEntry(context)).toBe(first);
});
