import { describe, expect, test } from 'bun:test';
import type { Route } from '../../src/entities/route.ts';
import { opentelemetry } from '../../src/plugins/opentelemetry.ts';
import { answered, type Circumstances } from '../support/context.ts';
import { configured, NODE_ID, openHost } from '../support/host.ts';
import { openOtlpCollector } from '../support/otlp.ts';
import { startUpstream } from '../support/upstream.ts';

const TRACE = '0af7651916cd43dd8448eb211c80319c';
const SPAN = 'b7ad6b7169203331';
const NOWHERE = 'http://127.0.0.1:1';
const route = { id: 'route-id', name: 'chat', paths: ['/chat'] } as unknown as Route;

type Headers = Readonly<Record<string, string>>;

function start(config: object) {
  const { host, lines, said } = openHost();
  const phases = configured(opentelemetry, config, host);
  /** A request on its way through the plugin; answers what its upstream is sent. */
  const send = async (headers: Headers = {}, circumstances: Circumstances = {}) => {
    const context = answered(new Request('http://gateway.test:8000/chat?a=1', { headers }), { route, ...circumstances });
    Object.assign(context.upstream.headers, headers);
    await phases.access?.(context);
    return context;
  };
  return { phases, send, log: host.log, lines, said, close: async () => phases.close?.() };
}

describe('tells the upstream of the trace', () => {
  const propagated = async (config: object, headers: Headers) => {
    const { send } = start({ traces_endpoint: NOWHERE, ...config });
    return (await send(headers)).upstream.headers;
  };
  const traceparent = `00-${TRACE}-${SPAN}-01`;
  const jaeger = { 'uber-trace-id': `${TRACE}:${SPAN}:0:1` };

  test('which goes on with a span of the gateway, in the format in which it came', async () => {
    const headers = await propagated({}, { traceparent });
    expect(Object.keys(headers)).toEqual(['traceparent']);
    expect(headers['traceparent']).toMatch(new RegExp(`^00-${TRACE}-[0-9a-f]{16}-01$`));
    expect(headers['traceparent']).not.toBe(traceparent);
  });

  test('which begins here when none came, in the default format', async () => {
    const [one, other] = [await propagated({}, {}), await propagated({}, {})];
    expect(one['traceparent']).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/);
    expect(one['traceparent']).not.toBe(other['traceparent'] as string);
  });

  test.each<[string, object, Headers, string[]]>([
    ['another default', { propagation: { default_format: 'jaeger' } }, {}, ['uber-trace-id']],
    ['b3 in one header', {}, { b3: `${TRACE}-${SPAN}-1` }, ['b3']],
    [
      'several formats',
      { propagation: { extract: ['w3c'], inject: ['preserve', 'datadog', 'b3-single'], default_format: 'w3c' } },
      { traceparent },
      ['b3', 'traceparent', 'x-datadog-parent-id', 'x-datadog-sampling-priority', 'x-datadog-trace-id'],
    ],
    ['nothing to inject', { propagation: { extract: ['w3c'], default_format: 'w3c' } }, { traceparent }, ['traceparent']],
    [
      'what came is cleared',
      { propagation: { extract: ['jaeger'], clear: ['Uber-Trace-Id'], inject: ['w3c'], default_format: 'w3c' } },
      jaeger,
      ['traceparent'],
    ],
    ['the older word for a format', { header_type: 'w3c' }, jaeger, ['traceparent', 'uber-trace-id']],
    [
      'the older word for the default alone',
      { header_type: 'ignore', propagation: { default_format: 'gcp' } },
      jaeger,
      ['uber-trace-id', 'x-cloud-trace-context'],
    ],
  ])('%s', async (_, config, headers, names) => {
    expect(Object.keys(await propagated(config, headers)).sort()).toEqual(names);
  });

  test('what no extractor was told to read begins anew', async () => {
    const config = { propagation: { extract: ['b3'], inject: ['w3c'], default_format: 'w3c' } };
    expect((await propagated(config, { traceparent }))['traceparent']).not.toContain(TRACE);
    expect((await propagated({ header_type: 'ignore' }, { traceparent }))['traceparent']).not.toContain(TRACE);
  });

  test('the first extractor that finds one decides', async () => {
    const other = '1'.repeat(32);
    const headers = { traceparent, 'uber-trace-id': `${other}:${SPAN}:0:1` };
    const config = (...extract: string[]) => ({ propagation: { extract, inject: ['w3c'], default_format: 'w3c' } });
    expect((await propagated(config('w3c', 'jaeger'), headers))['traceparent']).toContain(TRACE);
    expect((await propagated(config('jaeger', 'w3c'), headers))['traceparent']).toContain(other);
  });

  test('its id is in the log, as each format has it', async () => {
    const { send } = start({
      traces_endpoint: NOWHERE,
      propagation: { extract: ['w3c'], inject: ['w3c', 'datadog'], default_format: 'w3c' },
    });
    expect((await send({ traceparent })).log).toEqual({ trace_id: { w3c: TRACE, datadog: '9532127138774266268' } });
  });

  test('not without a server of traces', async () => {
    const { send } = start({ logs_endpoint: NOWHERE });
    expect((await send()).upstream.headers).toEqual({});
  });
});

test('http_response_header_for_traceid names the trace to the client, also of what another plugin answered', async () => {
  const { phases, send } = start({ traces_endpoint: NOWHERE, http_response_header_for_traceid: 'x-trace' });
  const context = await send({ traceparent: `00-${TRACE}-${SPAN}-01` });
  const response = new Response();
  await phases.response?.(context, response);
  expect(response.headers.get('x-trace')).toBe(TRACE);
  const early = answered(new Request('http://gateway.test/'));
  const refused = new Response();
  await phases.response?.(early, refused);
  expect(refused.headers.get('x-trace')).toMatch(/^[0-9a-f]{32}$/);
});

describe('samples', () => {
  const sampledOf = async (config: object, flags: string | null, trace = TRACE) => {
    const { send } = start({ traces_endpoint: NOWHERE, ...config });
    const { upstream } = await send(flags === null ? {} : { traceparent: `00-${trace}-${SPAN}-${flags}` });
    return upstream.headers['traceparent']?.endsWith('01');
  };
  const parents = { sampling_strategy: 'parent_probability_fallback' };

  test.each([
    ['every trace when nothing is said', {}, null, true],
    ['none at a rate of 0', { sampling_rate: 0 }, null, false],
    ['all at a rate of 1', { sampling_rate: 1 }, '01', true],
    ['not what the client does not', { sampling_rate: 1 }, '00', false],
    ['by rate what the client does', { sampling_rate: 0 }, '01', false],
    ['what the client does, when its word counts', { sampling_rate: 0, ...parents }, '01', true],
    ['not what the client does not, when its word counts', { sampling_rate: 1, ...parents }, '00', false],
    ['by rate without a word of the client', { sampling_rate: 0, ...parents }, null, false],
  ])('%s', async (_, config, flags, sampled) => {
    expect(await sampledOf(config, flags)).toBe(sampled);
  });

  test('as many as the rate says, each trace alike everywhere', async () => {
    const { send } = start({ traces_endpoint: NOWHERE, sampling_rate: 0.25 });
    let sampled = 0;
    for (let i = 0; i < 4000; i++) if ((await send()).upstream.headers['traceparent']?.endsWith('01')) sampled++;
    // Of 4000 fair draws, fewer than one in a billion such counts lies outside.
    expect(Math.abs(sampled - 1000)).toBeLessThan(200);
    const low = `${'1'.repeat(24)}00000001`;
    for (let i = 0; i < 3; i++) expect(await sampledOf({ sampling_rate: 0.25 }, '01', low)).toBe(true);
    expect(await sampledOf({ sampling_rate: 0.25 }, '01', `${'1'.repeat(24)}f0000000`)).toBe(false);
  });

  test('and sends nothing of what is not', async () => {
    await using collector = openOtlpCollector(200);
    const { phases, send, close } = start({ traces_endpoint: `${collector.url}/v1/traces`, sampling_rate: 0 });
    await phases.log?.(await send());
    await close();
    expect(collector.requests).toEqual([]);
  });
});

describe('sends spans', () => {
  const tries = [
    { ip: '192.0.2.1', port: 8080, startedAt: 1_700_000_000_002, state: 'failed', code: 502 } as const,
    { ip: '192.0.2.2', port: 8080, startedAt: 1_700_000_000_010 },
  ];

  test('of the request and of each address that was tried, with Kong’s names', async () => {
    await using collector = openOtlpCollector(200);
    const { phases, send, close } = start({
      traces_endpoint: `${collector.url}/v1/traces`,
      headers: { 'X-Token': 'abc' },
      resource_attributes: { 'service.name': 'shop', region: 'eu' },
    });
    const context = await send({ traceparent: `00-${TRACE}-${SPAN}-01` }, { outcome: { tries } });
    await phases.log?.(context);
    await close();

    const [root, failed, called] = await collector.spans(3);
    const { url } = context;
    expect(root).toMatchObject({
      name: 'kong',
      kind: 2,
      traceId: TRACE,
      parentSpanId: SPAN,
      start: 1_700_000_000_000_400_000n,
      end: 1_700_000_000_061_000_000n,
      attributes: {
        'http.method': 'GET',
        'http.url': `http://gateway.test${url.pathname}${url.search}`,
        'http.host': 'gateway.test',
        'http.scheme': 'http',
        'http.flavor': '1.1',
        'http.client_ip': '192.0.2.7',
        'net.peer.ip': '192.0.2.1',
        'kong.request.id': context.id,
        'http.status_code': 200,
        'http.route': '/chat',
      },
      resource: { 'service.name': 'shop', 'service.instance.id': NODE_ID, region: 'eu' },
      status: { code: 0 },
    });
    expect(failed).toMatchObject({
      name: 'kong.balancer',
      kind: 3,
      traceId: TRACE,
      parentSpanId: root?.spanId as string,
      start: 1_700_000_000_002_000_000n,
      end: 1_700_000_000_010_000_000n,
      attributes: { try_count: 1, 'net.peer.ip': '192.0.2.1', 'net.peer.port': 8080, 'http.status_code': 502 },
      status: { code: 2 },
    });
    expect(called).toMatchObject({
      attributes: { try_count: 2, 'net.peer.name': 'upstream.test' },
      end: root?.end as bigint,
      status: { code: 0 },
    });
    expect(context.upstream.headers['traceparent']).toBe(`00-${TRACE}-${called?.spanId}-01`);
    const [request] = collector.requests;
    expect(request?.headers.toJSON()).toMatchObject({ 'content-type': 'application/x-protobuf', 'x-token': 'abc' });
  });

  test('of what another plugin answered, under the client’s trace', async () => {
    await using collector = openOtlpCollector(200);
    const { phases, close } = start({ traces_endpoint: `${collector.url}/v1/traces` });
    const context = answered(new Request('http://gateway.test/'), { outcome: { status: 401, source: 'exit' } });
    Object.assign(context.upstream.headers, { traceparent: `00-${TRACE}-${SPAN}-01` });
    await phases.log?.(context);
    await close();
    const spans = await collector.spans(1);
    expect(spans.map(({ name, traceId, parentSpanId }) => ({ name, traceId, parentSpanId }))).toEqual([
      { name: 'kong', traceId: TRACE, parentSpanId: SPAN },
    ]);
    expect(spans[0]?.attributes['http.status_code']).toBe(401);
  });

  test('no more in a request than max_batch_size, and hides what clients prove their identity by', async () => {
    await using collector = openOtlpCollector(200);
    const { phases, send, close } = start({
      traces_endpoint: `${collector.url}/v1/traces`,
      queue: { max_batch_size: 2, max_coalescing_delay: 0 },
    });
    const credentialPlaces = [{ headers: [], parameters: ['a'], members: [] }];
    for (let i = 0; i < 5; i++) await phases.log?.(await send({}, { credentialPlaces }));
    await close();
    const spans = await collector.spans(5);
    expect(collector.requests.length).toBeGreaterThan(2);
    for (const { attributes } of spans) expect(attributes['http.url']).toBe('http://gateway.test/chat?a=REDACTED');
  });

  test.each([429, 503])('again to a server that answers %d, but not to one that wants none', async status => {
    await using busy = openOtlpCollector(status, 200);
    const again = start({ traces_endpoint: `${busy.url}/v1/traces`, queue: { initial_retry_delay: 0.001 } });
    await again.phases.log?.(await again.send());
    await busy.received(2);
    await again.close();
    expect(again.said('error')).toEqual([]);

    await using refusing = openOtlpCollector(400);
    const once = start({ traces_endpoint: `${refusing.url}/v1/traces?key=secret`, headers: { 'x-token': 'secret' } });
    await once.phases.log?.(await once.send());
    await once.close();
    expect(refusing.requests).toHaveLength(1);
    expect(once.lines).toEqual([
      { level: 'error', message: 'opentelemetry c4fe traces: 1 entries are lost', facts: { reason: `${refusing.authority}: status 400` } },
    ]);
  });

  test('to a server that is gone costs a bounded number of entries, and stops nobody', async () => {
    const { phases, send, said } = start({ traces_endpoint: NOWHERE, queue: { max_entries: 10, max_batch_size: 5 } });
    for (let i = 0; i < 100; i++) await phases.log?.(await send());
    expect(said('error')).toEqual(['opentelemetry c4fe traces: the queue is full, dropping the oldest entries']);
  });

  test('to a server that never answers are given up when the three timeouts are over', async () => {
    const silent = startUpstream();
    silent.answer('silence');
    const timeouts = { connect_timeout: 1, send_timeout: 1, read_timeout: 1 };
    const { phases, send, lines, close } = start({ traces_endpoint: silent.url, ...timeouts, queue: { max_retry_time: 0 } });
    await phases.log?.(await send());
    await close();
    expect(lines).toMatchObject([{ level: 'error', facts: { reason: expect.stringContaining('timed out') } }]);
    silent.stop();
  });

  test('no larger than max_bytes', async () => {
    const { phases, send, said } = start({ traces_endpoint: NOWHERE, queue: { max_bytes: 100 } });
    await phases.log?.(await send());
    expect(said('error')[0]).toMatch(/^opentelemetry c4fe traces: an entry of \d{3} bytes is larger than max_bytes \(100\), it is lost$/);
  });
});

describe('sends what is logged', () => {
  test('of a request with its trace, of the gateway without, of requests elsewhere not at all', async () => {
    await using collector = openOtlpCollector(200);
    const { phases, send, log, close } = start({
      traces_endpoint: `${collector.url}/v1/traces`,
      logs_endpoint: `${collector.url}/v1/logs`,
    });
    const context = await send({ traceparent: `00-${TRACE}-${SPAN}-01` });
    log.error('upstream failed', { request_id: context.id, upstream: '192.0.2.1:80', tries: [1] });
    log.warn('it is warm');
    log.error('upstream failed', { request_id: 'of another plugin' });
    await phases.log?.(context);
    log.error('upstream failed', { request_id: context.id, late: true });
    await close();
    log.crit('after the end');

    const records = await collector.records(({ body }) => body === 'it is warm');
    const [root] = await collector.spans(1);
    expect(records).toHaveLength(2);
    expect(records[0]).toMatchObject({
      body: 'upstream failed',
      severityNumber: 17,
      severityText: 'ERR',
      traceId: TRACE,
      spanId: root?.spanId as string,
      attributes: { 'request.id': context.id, upstream: '192.0.2.1:80', tries: '[1]' },
      resource: { 'service.name': 'kong' },
    });
    expect(records[1]).toMatchObject({ body: 'it is warm', severityNumber: 13, severityText: 'WARN' });
    expect(records[1]?.traceId).toBeUndefined();
  });

  test('not what it says of a server that is gone: that would have no end', async () => {
    const { log, lines, close } = start({
      logs_endpoint: NOWHERE,
      queue: { max_batch_size: 1, max_coalescing_delay: 0, max_retry_time: 0 },
    });
    log.error('once');
    while (lines.length < 2) await Bun.sleep(1);
    // What is still to be sent is sent, or given up, before the end.
    await close();
    expect(lines.map(({ message }) => message)).toEqual(['once', 'opentelemetry c4fe logs: giving up, 1 entries are lost']);
  });
});

test('deprecated fields still count, and say what to write instead', async () => {
  await using collector = openOtlpCollector(200);
  const { phases, send, close, said } = start({
    endpoint: `${collector.url}/v1/traces`,
    batch_span_count: 1,
    batch_flush_delay: 0,
    header_type: 'b3',
  });
  await phases.log?.(await send());
  await phases.log?.(await send());
  await collector.spans(2);
  await close();
  expect(collector.requests).toHaveLength(2);
  expect(said('warn')).toEqual([
    'opentelemetry c4fe: opentelemetry: config.batch_span_count is deprecated, please use config.queue.max_batch_size instead',
    'opentelemetry c4fe: opentelemetry: config.batch_flush_delay is deprecated, please use config.queue.max_coalescing_delay instead',
    'opentelemetry c4fe: opentelemetry: config.header_type is deprecated, please use config.propagation options instead',
  ]);
});

describe('refuses', () => {
  const url = { traces_endpoint: NOWHERE };
  test.each<[string, object, string]>([
    ['no endpoint', {}, "at least one of these fields must be non-empty: 'traces_endpoint', 'logs_endpoint'"],
    ['an endpoint that is no url', { traces_endpoint: 'collector' }, 'traces_endpoint: missing host in url'],
    ['a timeout below 0', { ...url, connect_timeout: -1 }, 'connect_timeout: value should be between 0 and 2147483646'],
    ['a rate above 1', { ...url, sampling_rate: 1.5 }, 'sampling_rate: value should be between 0 and 1'],
    ['a format that is none', { ...url, header_type: 'zipkin' }, 'header_type: expected one of'],
    ['b3-single to extract', { ...url, propagation: { extract: ['b3-single'], default_format: 'w3c' } }, 'expected one of'],
    ['no default format', { ...url, propagation: { inject: ['w3c'] } }, 'default_format = "required field missing"'],
    ['an empty attribute', { ...url, resource_attributes: { region: '' } }, 'length must be at least 1'],
    ['a header that is none', { ...url, headers: { 'a b': 'c' } }, "bad header name 'a b'"],
    ['a header of answers that is none', { ...url, http_response_header_for_traceid: 'x trace' }, "bad header name 'x trace'"],
    ['batches of none', { ...url, batch_span_count: 0 }, 'value must be greater than 0'],
  ])('%s', (_, config, message) => {
    expect(() => start(config)).toThrow(message);
  });
});
