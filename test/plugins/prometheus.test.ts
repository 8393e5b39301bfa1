import { describe, expect, test } from 'bun:test';
import type { Consumer } from '../../src/entities/consumer.ts';
import type { Route } from '../../src/entities/route.ts';
import type { Service } from '../../src/entities/service.ts';
import { exposition } from '../../src/lib/exposition.ts';
import { prometheus } from '../../src/plugins/prometheus.ts';
import { answered, type Circumstances } from '../support/context.ts';
import { configured, openHost } from '../support/host.ts';

const route = { id: 'route-id', name: 'chat' } as Route;
const service = { id: 'service-id', name: 'ai', host: 'ai.test' } as Service;
const consumer = { id: 'consumer-id', username: 'ann', custom_id: null } as Consumer;

function start(config: object) {
  const { host } = openHost();
  const phases = configured(prometheus, config, host);
  return {
    log: (circumstances: Circumstances = {}, request = new Request('http://localhost/')) =>
      void phases.log?.(answered(request, { route, service, ...circumstances })),
    /** The lines that are numbers, but for those of buckets. */
    lines: () =>
      exposition(host.metrics.read())
        .split('\n')
        .filter(line => line !== '' && !/^#|_bucket\{/.test(line)),
    text: () => exposition(host.metrics.read()),
    again: (more: object) => configured(prometheus, more, host),
  };
}

describe('status_code_metrics', () => {
  const NAMED = 'service="ai",route="chat"';
  test.each<[string, Circumstances, string]>([
    ['an answer of the upstream', {}, `${NAMED},code="200",source="service",workspace="default",consumer=""`],
    [
      'an answer of the gateway',
      { outcome: { status: 401, source: 'exit' } },
      `${NAMED},code="401",source="kong",workspace="default",consumer=""`,
    ],
    [
      'an upstream that failed',
      { outcome: { status: 502, source: 'error' } },
      `${NAMED},code="502",source="kong",workspace="default",consumer=""`,
    ],
    ['a client that left', { outcome: { clientLeft: true } }, `${NAMED},code="499",source="service",workspace="default",consumer=""`],
    [
      'a consumer, who is nobody without per_consumer',
      { consumer },
      `${NAMED},code="200",source="service",workspace="default",consumer=""`,
    ],
    [
      'a route without a name',
      { route: { ...route, name: null } },
      'service="ai",route="route-id",code="200",source="service",workspace="default",consumer=""',
    ],
    [
      'a service without a name',
      { service: { ...service, name: null } },
      'service="ai.test",route="chat",code="200",source="service",workspace="default",consumer=""',
    ],
    ['a route without a service', { service: null }, 'service="",route="chat",code="200",source="service",workspace="default",consumer=""'],
  ])('%s', (_, circumstances, labels) => {
    const { log, lines } = start({ status_code_metrics: true });
    log(circumstances);
    log(circumstances);
    expect(lines()).toEqual([`kong_http_requests_total{${labels}} 2`]);
  });

  test('a request that no route was found for is not counted', () => {
    const { log, lines } = start({ status_code_metrics: true, bandwidth_metrics: true, latency_metrics: true });
    log({ route: null, service: null });
    expect(lines()).toEqual([]);
  });

  test.each([
    [consumer, 'ann'],
    [{ ...consumer, username: null, custom_id: 'a-1' }, 'a-1'],
    [{ ...consumer, username: 'a "b"\n' }, String.raw`a \"b\"\n`],
    [null, ''],
  ])('per_consumer names %o', (who, name) => {
    const { log, lines } = start({ status_code_metrics: true, bandwidth_metrics: true, per_consumer: true });
    log({ consumer: who as Consumer | null });
    for (const line of lines()) expect(line).toContain(`consumer="${name}"`);
    expect(lines()).toHaveLength(3);
  });
});

test('latency_metrics are those of the log, in histograms with Kong’s buckets', () => {
  const { log, lines, text } = start({ latency_metrics: true });
  log();
  log({ outcome: { upstreamStartedMs: null, upstreamFirstByteMs: null, endedMs: 3 } });
  const labels = 'service="ai",route="chat",workspace="default"';
  expect(lines()).toEqual([
    `kong_kong_latency_ms_count{${labels}} 2`,
    `kong_kong_latency_ms_sum{${labels}} 4`,
    `kong_upstream_latency_ms_count{${labels}} 1`,
    `kong_upstream_latency_ms_sum{${labels}} 40`,
    `kong_request_latency_ms_count{${labels}} 2`,
    `kong_request_latency_ms_sum{${labels}} 64`,
  ]);
  const bounds = (name: string) => [...text().matchAll(new RegExp(`^${name}_bucket\\{.*le="(.*)"\\}`, 'gm'))].map(([, bound]) => bound);
  expect(bounds('kong_kong_latency_ms').join()).toBe('1,2,5,7,10,15,20,30,50,75,100,200,500,750,1000,+Inf');
  for (const name of ['kong_upstream_latency_ms', 'kong_request_latency_ms'])
    expect(bounds(name).join()).toBe('25,50,80,100,250,400,700,1000,2000,5000,10000,30000,60000,+Inf');
});

test('bandwidth_metrics are the sizes of the log, heads included', () => {
  const { log, lines } = start({ bandwidth_metrics: true });
  log({ outcome: { requestSize: 100, responseSize: 1000, responseHeaders: new Headers({ a: 'b' }) } }, new Request('http://localhost/x'));
  const labels = (direction: string) => `{service="ai",route="chat",direction="${direction}",workspace="default",consumer=""}`;
  expect(lines()).toEqual([
    `kong_bandwidth_bytes${labels('ingress')} ${'GET /x HTTP/1.1\r\n\r\n'.length + 100}`,
    `kong_bandwidth_bytes${labels('egress')} ${'HTTP/1.1 200 \r\na: b\r\n\r\n'.length + 1000}`,
  ]);
});

describe('ai_metrics', () => {
  const exchange = (meta: object = {}, usage: object = {}) => ({
    ai: {
      proxy: {
        meta: { provider_name: 'openai', request_model: 'gpt-4', llm_latency: 700, ...meta },
        usage: { prompt_tokens: 11, completion_tokens: 5, total_tokens: 16, cost: 0.5, ...usage },
      },
    },
  });
  const LABELS = 'ai_provider="openai",ai_model="gpt-4",cache_status="",vector_db="",embeddings_provider="",embeddings_model=""';

  test('count exchanges, costs, tokens by type and the latency of the vendor', () => {
    const { log, lines } = start({ ai_metrics: true });
    log({ log: exchange() });
    log({ log: exchange({}, { cost: 0.25 }) });
    expect(lines()).toEqual([
      `kong_ai_llm_requests_total{${LABELS},workspace="default"} 2`,
      `kong_ai_llm_cost_total{${LABELS},workspace="default"} 0.75`,
      `kong_ai_llm_tokens_total{${LABELS},token_type="prompt_tokens",workspace="default"} 22`,
      `kong_ai_llm_tokens_total{${LABELS},token_type="completion_tokens",workspace="default"} 10`,
      `kong_ai_llm_tokens_total{${LABELS},token_type="total_tokens",workspace="default"} 32`,
      `kong_ai_llm_provider_latency_ms_count{${LABELS},workspace="default"} 2`,
      `kong_ai_llm_provider_latency_ms_sum{${LABELS},workspace="default"} 1400`,
    ]);
  });

  test('count no zero', () => {
    const { log, lines } = start({ ai_metrics: true });
    log({
      log: {
        ai: { proxy: { meta: { provider_name: 'openai', request_model: 'gpt-4', llm_latency: 0 }, usage: { usage_source: 'absent' } } },
      },
    });
    expect(lines()).toEqual([`kong_ai_llm_requests_total{${LABELS},workspace="default"} 1`]);
  });

  test('need the statistics that an AI plugin logs', () => {
    const { log, lines } = start({ ai_metrics: true });
    for (const entry of [{}, { ai: { proxy: { payload: { request: 'x' } } } }]) log({ log: entry });
    expect(lines()).toEqual([]);
  });

  test('name a model once a vendor has answered for it, no more than a thousand, and none that is long', () => {
    const { log, lines, again } = start({ ai_metrics: true });
    const modelsIn = () => new Set(lines().map(line => /ai_model="([^"]*)"/.exec(line)?.[1]));
    log({ log: exchange({ request_model: 'no-such-model' }), outcome: { status: 404 } });
    expect(modelsIn()).toEqual(new Set(['other']));
    log({ log: exchange({ request_model: 'x'.repeat(201) }) });
    expect(modelsIn()).toEqual(new Set(['other']));
    for (let i = 0; i < 2000; i++) log({ log: exchange({ request_model: `model-${i}` }) });
    expect(modelsIn().size).toBe(1001);
    // A new configuration takes no thousand more.
    const { log: logAgain } = again({ ai_metrics: true });
    void logAgain?.(answered(new Request('http://localhost/'), { route, service, log: exchange({ request_model: 'model-5000' }) }));
    expect(modelsIn().size).toBe(1001);
  });
});

test('nothing is counted unless it is asked', () => {
  const { log, text } = start({});
  log({ log: { ai: { proxy: { meta: {}, usage: {} } } } });
  expect(text()).toBe('');
});

describe('refuses', () => {
  test('wasm_metrics, unless it is false', () => {
    expect(() => start({ wasm_metrics: true })).toThrow('this gateway runs no WebAssembly');
    expect(() => start({ wasm_metrics: false })).not.toThrow();
  });
});
