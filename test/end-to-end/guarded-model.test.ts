import { expect, setDefaultTimeout, test } from 'bun:test';
import { STREAM } from '../support/ai-gateway.ts';
import { startGateway } from '../support/executable.ts';
import { openLineServer } from '../support/line-server.ts';
import { startUpstream } from '../support/upstream.ts';

setDefaultTimeout(60_000);

const ASKED = 80;
const LIMIT = 50;

interface Entry {
  readonly response: { status: number };
  readonly consumer?: { username: string };
  readonly correlation_id?: string;
  readonly ai?: { proxy: { usage: { total_tokens: number } } };
}

test('a model behind keys, groups, a limit and a target that is gone: each request is let in, counted and logged once', async () => {
  const vendor = startUpstream();
  vendor.answer(STREAM);
  const gone = startUpstream();
  gone.stop();
  using logs = openLineServer();
  await using gateway = await startGateway({ environment: { SLUICE_WORKERS: '3' } });
  const make = async (path: string, body: object) => expect(await gateway.request('POST', path, body)).toMatchObject({ status: 201 });
  await make('/upstreams', { name: 'models.internal' });
  for (const { port } of [gone, vendor]) await make('/upstreams/models.internal/targets', { target: `127.0.0.1:${port}` });
  await make('/services', { name: 'ai', url: 'http://localhost:32000' });
  await make('/services/ai/routes', { name: 'chat', paths: ['/chat'] });
  const options = { upstream_url: 'http://models.internal/v1/chat/completions' };
  const model = { provider: 'openai', name: 'gpt-4', options };
  const auth = { header_name: 'Authorization', header_value: 'Bearer secret-key' };
  await make('/routes/chat/plugins', {
    name: 'ai-proxy',
    config: { route_type: 'llm/v1/chat', auth, model, logging: { log_statistics: true } },
  });
  await make('/services/ai/plugins', { name: 'rate-limiting', config: { year: LIMIT, limit_by: 'consumer', policy: 'local' } });
  await make('/services/ai/plugins', { name: 'acl', config: { allow: ['gold'] } });
  await make('/plugins', { name: 'key-auth' });
  await make('/plugins', { name: 'correlation-id' });
  await make('/plugins', { name: 'prometheus', config: { status_code_metrics: true, per_consumer: true, ai_metrics: true } });
  await make('/plugins', { name: 'tcp-log', config: { host: '127.0.0.1', port: logs.port } });
  for (const username of ['ann', 'bob']) {
    await make('/consumers', { username });
    await make(`/consumers/${username}/key-auth`, { key: `key-of-${username}` });
  }
  await make('/consumers/ann/acls', { group: 'gold' });

  const body = JSON.stringify({ stream: true, messages: [{ role: 'user', content: 'What is 1+1?' }] });
  const ask = async (apikey: string) => {
    const headers = { 'content-type': 'application/json', apikey, connection: 'close' };
    const response = await fetch(`${gateway.proxy}/chat`, { method: 'POST', keepalive: false, headers, body });
    const text = await response.text();
    if (response.ok) expect(text).toEndWith('data: [DONE]\n\n');
    return response.status;
  };
  const keys = Array.from({ length: ASKED }, () => ['key-of-ann', 'key-of-bob', 'nobody']).flat();
  const statuses = await Promise.all(keys.map(ask));
  const expected = { 200: LIMIT, 429: ASKED - LIMIT, 403: ASKED, 401: ASKED };
  const count = (all: readonly number[]) =>
    Object.fromEntries(Object.keys(expected).map(code => [code, all.filter(one => String(one) === code).length]));
  expect(count(statuses)).toEqual(expected);

  expect(vendor.requests.length).toBe(LIMIT);
  for (const request of vendor.requests) {
    expect([request.header('authorization'), request.header('apikey')]).toEqual(['Bearer secret-key', undefined]);
  }
  const entries = (await logs.received(keys.length)).map(line => JSON.parse(line) as Entry);
  expect(count(entries.map(({ response }) => response.status))).toEqual(expected);
  const words = (entry: Entry) => [entry.response.status, entry.consumer?.username, entry.ai?.proxy.usage.total_tokens];
  const kinds = new Set(entries.map(entry => JSON.stringify(words(entry))));
  expect([...kinds].sort()).toEqual(['[200,"ann",16]', '[401,null,null]', '[403,"bob",null]', '[429,"ann",null]']);
  expect(new Set(entries.map(({ correlation_id }) => correlation_id)).size).toBe(keys.length);
  expect(JSON.stringify(entries)).not.toContain('key-of-');

  const metrics = await (await fetch(`${gateway.status}/metrics`)).text();
  const requests = (code: number, source: string, consumer: string) =>
    `kong_http_requests_total{service="ai",route="chat",code="${code}",source="${source}",workspace="default",consumer="${consumer}"}`;
  expect(metrics).toContain(`${requests(200, 'service', 'ann')} ${LIMIT}\n`);
  expect(metrics).toContain(`${requests(429, 'kong', 'ann')} ${ASKED - LIMIT}\n`);
  expect(metrics).toContain(`${requests(403, 'kong', 'bob')} ${ASKED}\n`);
  expect(metrics).toContain(`${requests(401, 'kong', '')} ${ASKED}\n`);
  vendor.stop();
});
