import { afterAll, afterEach, beforeAll, expect, setDefaultTimeout, test } from 'bun:test';
import { type RunningGateway, startGateway } from '../support/executable.ts';
import { startUpstream } from '../support/upstream.ts';

setDefaultTimeout(20_000);

const upstream = startUpstream();
let gateway: RunningGateway;
let made: string[] = [];

beforeAll(async () => {
  gateway = await startGateway();
  await gateway.request('POST', '/services', { name: 'shop', url: upstream.url });
  await gateway.request('POST', '/services/shop/routes', { name: 'shop', paths: ['~/shop/(?<item>[^/]+)', '/'] });
});
afterEach(async () => {
  for (const id of made) expect((await gateway.request('DELETE', `/plugins/${id}`)).status).toBe(204);
  made = [];
  upstream.answer({ headers: { 'content-type': 'text/plain' }, body: 'ok' });
});
afterAll(async () => {
  await gateway.stop();
  upstream.stop();
});

/** As an operator types it: `name=cors`, `config.max_age=60`. */
async function plugin(...fields: string[]): Promise<string> {
  const pairs = fields.map(field => [field.slice(0, field.indexOf('=')), field.slice(field.indexOf('=') + 1)] as [string, string]);
  const response = await fetch(`${gateway.admin}/routes/shop/plugins`, { method: 'POST', body: new URLSearchParams(pairs) });
  const row = (await response.json()) as { id: string };
  expect([response.status, row]).toEqual([201, expect.anything()]);
  made.push(row.id);
  return row.id;
}

test('correlation-id: an id goes up and comes back', async () => {
  await plugin('name=correlation-id', 'config.header_name=X-Id', 'config.generator=tracker', 'config.echo_downstream=true');
  const { headers } = await fetch(gateway.proxy);
  expect(headers.get('x-id')).toMatch(/^[\d.]+-\d+-\d+-\d+-1-\d+\.\d{3}$/);
  expect(upstream.requests.at(-1)?.header('x-id')).toBe(headers.get('x-id') as string);
});

test('request-termination: the route is closed, and says what it was asked', async () => {
  await plugin('name=request-termination', 'config.status_code=418', 'config.echo=true', 'config.trigger=x-echo');
  const response = await fetch(`${gateway.proxy}/shop/tea?x-echo`);
  const { request, kong } = (await response.json()) as { request: { path: string; port: number }; kong: { node_id: string } };
  expect([response.status, request.path, request.port]).toEqual([418, '/shop/tea', Number(new URL(gateway.proxy).port)]);
  expect(kong.node_id).toBe(((await gateway.request('GET', '/')).body as { node_id: string }).node_id);
  expect(await (await fetch(`${gateway.proxy}/shop/tea`)).text()).toBe('ok');
});

test('ip-restriction: this machine is not let in', async () => {
  await plugin('name=ip-restriction', 'config.deny[]=10.0.0.1', 'config.deny[]=127.0.0.0/8', 'config.status=404');
  const response = await fetch(gateway.proxy);
  expect([response.status, await response.json()]).toEqual([
    404,
    { message: 'Your IP address is not allowed', request_id: expect.any(String) },
  ]);
});

test('request-size-limiting: eleven bytes are one too many', async () => {
  await plugin('name=request-size-limiting', 'config.allowed_payload_size=10', 'config.size_unit=bytes');
  const status = async (body: string) => (await fetch(gateway.proxy, { method: 'POST', body })).status;
  expect([await status('0123456789'), await status('0123456789a')]).toEqual([200, 413]);
});

test('bot-detection: bots stay out, but for the one that is allowed', async () => {
  await plugin('name=bot-detection', 'config.allow=^Googlebot', 'config.deny=(?i)curl');
  const status = async (agent: string) => (await fetch(gateway.proxy, { headers: { 'user-agent': agent } })).status;
  expect(await Promise.all(['Googlebot/2.1', 'bingbot/2.0', 'CURL/8', 'Mozilla/5.0'].map(status))).toEqual([200, 403, 403, 200]);
});

test('cors: a page may call after it has asked', async () => {
  await plugin('name=cors', 'config.origins=https://(a|b)\\.test', 'config.credentials=true', 'config.max_age=60');
  const headers = { origin: 'https://b.test', 'access-control-request-method': 'PUT', 'access-control-request-headers': 'x-a' };
  const preflight = await fetch(gateway.proxy, { method: 'OPTIONS', headers });
  expect([preflight.status, upstream.requests.filter(({ method }) => method === 'OPTIONS')]).toEqual([200, []]);
  expect(preflight.headers.toJSON()).toMatchObject({
    'access-control-allow-origin': 'https://b.test',
    'access-control-allow-credentials': 'true',
    'access-control-allow-headers': 'x-a',
    'access-control-max-age': '60',
    vary: 'Origin',
  });
  const call = await fetch(gateway.proxy, { headers: { origin: 'https://c.test' } });
  expect([call.status, call.headers.get('access-control-allow-origin'), call.headers.get('vary')]).toEqual([200, null, 'Origin']);
});

test('redirect: to the same path of another host', async () => {
  await plugin('name=redirect', 'config.location=https://new.test:8443/x', 'config.keep_incoming_path=true', 'config.status_code=308');
  const response = await fetch(`${gateway.proxy}/shop/a%20b?c=d`, { redirect: 'manual' });
  expect([response.status, response.headers.get('location')]).toEqual([308, 'https://new.test:8443/shop/a%20b?c=d']);
});

test('request-transformer: the upstream is asked otherwise', async () => {
  await plugin(
    'name=request-transformer',
    'config.replace.uri=/items/$(uri_captures.item)',
    'config.remove.headers=X-Secret',
    "config.add.headers=X-Tenant:$(headers['x-tenant'] or 'nobody')",
    'config.add.querystring=from:$(query_params.page)',
    'config.add.body=seller:ada',
  );
  const response = await fetch(`${gateway.proxy}/shop/tea?page=2`, {
    method: 'POST',
    body: '{"n":1}',
    headers: { 'content-type': 'application/json', 'x-secret': 's' },
  });
  const sent = upstream.requests.at(-1);
  expect([response.status, sent?.target, sent?.text()]).toEqual([200, '/items/tea?page=2&from=2', '{"n":1,"seller":"ada"}']);
  expect([sent?.header('x-tenant'), sent?.header('x-secret')]).toEqual(['nobody', undefined]);
});

test('request-transformer: Lua is refused when it is configured', async () => {
  const { status, body } = await gateway.request('POST', '/routes/shop/plugins', {
    name: 'request-transformer',
    config: { add: { headers: ['X-Now:$(os.time())'] } },
  });
  expect([status, JSON.stringify(body)]).toEqual([400, expect.stringContaining("this gateway runs no Lua: 'os.time()' may read headers")]);
});

test('request-transformer: what a model is asked, too', async () => {
  const model = startUpstream();
  model.answer({ headers: { 'content-type': 'application/json' }, body: '{"choices":[]}' });
  await plugin('name=request-transformer', 'config.remove.body=user', 'config.add.headers=X-Team:a');
  await plugin(
    'name=ai-proxy',
    'config.route_type=llm/v1/chat',
    'config.model.provider=openai',
    'config.model.name=gpt-4',
    `config.model.options.upstream_url=${model.url}/v1/chat/completions`,
  );
  const body = '{"user":"ada","messages":[{"role":"user","content":"Hi"}]}';
  await (await fetch(`${gateway.proxy}/shop/tea`, { method: 'POST', body, headers: { 'content-type': 'application/json' } })).text();
  expect((await model.received()).json()).toEqual({ model: 'gpt-4', messages: [{ role: 'user', content: 'Hi' }] });
  expect((await model.received()).header('x-team')).toBe('a');
  model.stop();
});

test('response-transformer: headers of a stream change, the stream does not wait', async () => {
  await plugin('name=response-transformer', 'config.remove.headers=X-Inner', 'config.add.headers=X-Outer:1', 'config.add.json=a:1');
  upstream.answer({
    headers: { 'content-type': 'text/event-stream', 'x-inner': '1' },
    chunks: ['data: 1\n\n', 'data: 2\n\n'],
    gated: true,
  });
  const asked = fetch(gateway.proxy);
  await upstream.release();
  const response = await asked;
  const reader = (response.body as ReadableStream<Uint8Array>).getReader();
  expect(Buffer.from((await reader.read()).value ?? []).toString()).toBe('data: 1\n\n');
  await upstream.release();
  expect(Buffer.from((await reader.read()).value ?? []).toString()).toBe('data: 2\n\n');
  expect([response.headers.get('x-inner'), response.headers.get('x-outer')]).toEqual([null, '1']);
});

test('response-transformer: members of an answer change by their types', async () => {
  await plugin(
    'name=response-transformer',
    'config.remove.json=secret',
    'config.rename.json=nick:name',
    'config.add.json[]=age:7',
    'config.add.json[]=ok:true',
    'config.add.json_types[]=number',
    'config.add.json_types[]=boolean',
  );
  upstream.answer({ headers: { 'content-type': 'application/json' }, body: '{"secret":1,"nick":"ada"}' });
  expect(await (await fetch(gateway.proxy)).text()).toBe('{"name":"ada","age":7,"ok":true}');
});
