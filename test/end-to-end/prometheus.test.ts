import { describe, expect, setDefaultTimeout, test } from 'bun:test';
import { startAiGateway } from '../support/ai-gateway.ts';
import type { RunningGateway } from '../support/executable.ts';
import { openLineServer } from '../support/line-server.ts';
import { openOtlpCollector } from '../support/otlp.ts';

setDefaultTimeout(30_000);

const ALL = { status_code_metrics: true, latency_metrics: true, bandwidth_metrics: true, ai_metrics: true };

/** The number of a series. */
function numberIn(text: string, name: string, labels = ''): number | undefined {
  const line = text.split('\n').find(one => one.startsWith(`${name}{`) && one.includes(labels));
  return line === undefined ? undefined : Number(line.slice(line.lastIndexOf(' ')));
}

const metricsOf = async (gateway: RunningGateway, url = gateway.status) => (await fetch(`${url}/metrics`)).text();

/** The text once so many requests have been counted: that is done after the last byte of their answers. */
async function counted(gateway: RunningGateway, requests: number): Promise<string> {
  for (;;) {
    const text = await metricsOf(gateway);
    if (numberIn(text, 'kong_http_requests_total') === requests) return text;
    await Bun.sleep(5);
  }
}

const AI = 'ai_provider="openai",ai_model="gpt-4"';

test('streamed answers of a model are counted with what they cost, on every worker together, at both listeners', async () => {
  await using ai = await startAiGateway([{ name: 'prometheus', config: ALL }], { SLUICE_WORKERS: '3' });
  for (let asked = 0; asked < 30; asked++) expect(await ai.chat({ connection: 'close' })).toEndWith('data: [DONE]\n\n');
  const text = await counted(ai.gateway, 30);
  expect(text).toContain(
    'kong_http_requests_total{service="ai",route="chat",code="200",source="service",workspace="default",consumer=""} 30\n',
  );
  expect(numberIn(text, 'kong_ai_llm_requests_total', AI)).toBe(30);
  expect(numberIn(text, 'kong_ai_llm_tokens_total', 'token_type="prompt_tokens"')).toBe(330);
  expect(numberIn(text, 'kong_ai_llm_tokens_total', 'token_type="completion_tokens"')).toBe(150);
  expect(numberIn(text, 'kong_ai_llm_cost_total', AI)).toBeCloseTo(0.63);
  expect(numberIn(text, 'kong_request_latency_ms_count')).toBe(30);
  expect(numberIn(text, 'kong_upstream_latency_ms_bucket', 'le="+Inf"')).toBe(30);
  expect(numberIn(text, 'kong_bandwidth_bytes', 'direction="egress"')).toBeGreaterThan(30 * 400);
  expect(numberIn(text, 'kong_nginx_requests_total')).toBe(30);
  expect(text).toContain('kong_datastore_reachable 1\n');
  expect(text.match(/^kong_memory_workers_lua_vms_bytes\{/gm)).toHaveLength(3);
  expect(await metricsOf(ai.gateway, ai.gateway.admin)).toContain('code="200",source="service",workspace="default",consumer=""} 30\n');
  expect(text).not.toContain('secret-key');
});

test('what a worker has counted stays when it dies', async () => {
  await using ai = await startAiGateway([{ name: 'prometheus', config: ALL }], { SLUICE_WORKERS: '3' });
  for (let asked = 0; asked < 12; asked++) await ai.chat({ connection: 'close' });
  await counted(ai.gateway, 12);
  const { pids } = (await ai.gateway.request('GET', '/')).body as { pids: { workers: number[] } };
  for (const pid of pids.workers) process.kill(pid, 'SIGKILL');
  // Some of those that come may meet a worker that is about to end.
  for (let asked = 0; asked < 5; ) if ((await ai.chat({ connection: 'close' }).catch(() => '')) !== '') asked++;
  const text = await counted(ai.gateway, 17);
  expect(numberIn(text, 'kong_ai_llm_requests_total', AI)).toBe(17);
});

describe('what is not asked is not counted', () => {
  test('without the plugin there is what the gateway tells of itself', async () => {
    await using ai = await startAiGateway([]);
    await ai.chat();
    const text = await metricsOf(ai.gateway);
    expect(text).toContain('kong_node_info{');
    expect(text).not.toContain('kong_http_requests_total');
  });

  test('a plugin that is gone is not shown', async () => {
    await using ai = await startAiGateway([{ name: 'prometheus', config: ALL }]);
    await ai.chat();
    await counted(ai.gateway, 1);
    const { data } = (await ai.gateway.request('GET', '/services/ai/plugins')).body as { data: { id: string }[] };
    for (const { id } of data) await ai.gateway.request('DELETE', `/plugins/${id}`);
    expect(await metricsOf(ai.gateway)).not.toContain('kong_http_requests_total');
  });

  test('a path that no route is for is counted nowhere', async () => {
    await using ai = await startAiGateway([]);
    await ai.gateway.request('POST', '/plugins', { name: 'prometheus', config: ALL });
    for (const path of ['/a', '/b', '/c']) expect((await fetch(ai.gateway.proxy + path)).status).toBe(404);
    await ai.chat();
    expect(await counted(ai.gateway, 1)).not.toContain('404');
  });

  test('wasm_metrics is refused', async () => {
    await using ai = await startAiGateway([]);
    const answer = await ai.gateway.request('POST', '/plugins', { name: 'prometheus', config: { wasm_metrics: true } });
    expect([answer.status, JSON.stringify(answer.body)]).toEqual([400, expect.stringContaining('this gateway runs no WebAssembly')]);
  });
});

test('per_consumer names who asked, and no key of theirs is shown in metrics, traces or logs', async () => {
  await using collector = openOtlpCollector(200);
  using logs = openLineServer();
  await using ai = await startAiGateway([
    { name: 'key-auth', config: {} },
    { name: 'prometheus', config: { ...ALL, per_consumer: true } },
    { name: 'opentelemetry', config: { traces_endpoint: `${collector.url}/v1/traces`, queue: { max_coalescing_delay: 0.01 } } },
    { name: 'tcp-log', config: { host: '127.0.0.1', port: logs.port } },
  ]);
  const { gateway } = ai;
  await gateway.request('POST', '/consumers', { username: 'ann "a"' });
  await gateway.request('POST', `/consumers/${encodeURIComponent('ann "a"')}/key-auth`, { key: 'key-of-ann' });
  const body = JSON.stringify({ messages: [{ role: 'user', content: 'x' }] });
  const init = { method: 'POST', body, headers: { 'content-type': 'application/json' } };
  expect((await fetch(`${gateway.proxy}/chat?apikey=key-of-ann`, init)).status).toBe(200);
  expect((await fetch(`${gateway.proxy}/chat`, init)).status).toBe(401);

  const named = String.raw`kong_http_requests_total{service="ai",route="chat",code="200",source="service",workspace="default",consumer="ann \"a\""} 1`;
  const nameless = 'kong_http_requests_total{service="ai",route="chat",code="401",source="kong",workspace="default",consumer=""} 1';
  let text = '';
  while (!text.includes(named) || !text.includes(nameless)) text = await metricsOf(gateway);
  const spans = await collector.spans(4);
  const told = [
    text,
    JSON.stringify(spans, (_, value) => (typeof value === 'bigint' ? String(value) : value)),
    ...(await logs.received(2)),
  ];
  for (const one of told) expect(one).not.toContain('key-of-ann');
  expect(told[1]).toContain('/chat?apikey=REDACTED');
});

test('the health of targets is shown where a plugin asks for it', async () => {
  await using ai = await startAiGateway([]);
  const { gateway } = ai;
  const passive = { healthy: { successes: 1 }, unhealthy: { http_failures: 1 } };
  await gateway.request('POST', '/upstreams', { name: 'checked', healthchecks: { passive } });
  await gateway.request('POST', '/upstreams', { name: 'unchecked' });
  await gateway.request('POST', '/upstreams/checked/targets', { target: '127.0.0.1:1' });
  await gateway.request('POST', '/upstreams/checked/targets', { target: '127.0.0.2:1' });
  await gateway.request('POST', '/upstreams/checked/targets', { target: 'nowhere.invalid:1' });
  await gateway.request('POST', '/upstreams/unchecked/targets', { target: '127.0.0.1:1' });
  const { body } = await gateway.request('POST', '/plugins', { name: 'prometheus', config: {} });
  expect(await metricsOf(gateway)).not.toContain('kong_upstream_target_health');

  await gateway.request('PATCH', `/plugins/${(body as { id: string }).id}`, { config: { upstream_health_metrics: true } });
  await gateway.request('PUT', '/upstreams/checked/targets/127.0.0.2:1/unhealthy');
  const states = async () => {
    const lines = [...(await metricsOf(gateway)).matchAll(/^kong_upstream_target_health\{(.*),subsystem="http"\} 1$/gm)];
    return lines.map(([, labels]) => labels).sort();
  };
  const wanted = [
    'upstream="checked",target="127.0.0.1:1",address="127.0.0.1:1",state="healthy"',
    'upstream="checked",target="127.0.0.2:1",address="127.0.0.2:1",state="unhealthy"',
    'upstream="checked",target="nowhere.invalid:1",address="",state="dns_error"',
    'upstream="unchecked",target="127.0.0.1:1",address="127.0.0.1:1",state="healthchecks_off"',
  ];
  while (!Bun.deepEquals(await states(), wanted)) await Bun.sleep(20);
  expect((await metricsOf(gateway)).match(/^kong_upstream_target_health\{/gm)).toHaveLength(4 * wanted.length);
});
