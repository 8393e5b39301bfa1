import { afterAll, beforeAll, expect, setDefaultTimeout, test } from 'bun:test';
import { ANSWER } from '../support/ai-exchange.ts';
import { type RunningGateway, startGateway } from '../support/executable.ts';
import { startUpstream } from '../support/upstream.ts';

setDefaultTimeout(60_000);

const WORKERS = 4;
/** So many connections come to every worker. */
const CONNECTIONS = 100;

const upstream = startUpstream();
let gateway: RunningGateway;
let plugin = '';

beforeAll(async () => {
  gateway = await startGateway({ environment: { SLUICE_WORKERS: String(WORKERS) } });
  const created = async (path: string, body: object) => {
    const { status, body: row } = await gateway.request('POST', path, body);
    expect([status, row]).toEqual([201, expect.anything()]);
    return (row as { id: string }).id;
  };
  await created('/services', { name: 'shop', url: upstream.url });
  await created('/services/shop/routes', { name: 'shop', paths: ['/shop'] });
  await created('/services/shop/routes', { name: 'chat', paths: ['/chat'] });
  plugin = await created('/routes/shop/plugins', { name: 'proxy-cache', config: { strategy: 'memory' } });
  const model = { provider: 'openai', name: 'gpt-4', options: { upstream_url: `${upstream.url}/v1/chat/completions` } };
  await created('/routes/chat/plugins', { name: 'ai-proxy', config: { route_type: 'llm/v1/chat', model } });
  const kept = { strategy: 'memory', request_method: ['POST'], content_type: ['application/json', 'text/event-stream'] };
  await created('/routes/chat/plugins', { name: 'proxy-cache', config: kept });
});
afterAll(async () => {
  await gateway.stop();
  upstream.stop();
});

/** On a connection of its own, so that any worker may get it. */
async function ask(path: string, init: RequestInit = {}) {
  const response = await fetch(gateway.proxy + path, { ...init, keepalive: false, headers: { ...init.headers, connection: 'close' } });
  const { headers } = response;
  return { text: await response.text(), status: headers.get('x-cache-status'), key: headers.get('x-cache-key') ?? '' };
}

/** How often the upstream was asked while every worker was. */
async function askAll(path: string, init?: RequestInit): Promise<number> {
  const before = upstream.requests.length;
  for (let count = 0; count < CONNECTIONS; count++) await ask(path, init);
  return upstream.requests.length - before;
}

const admin = async (method: string, path: string) => {
  const { status, body } = await gateway.request(method, path);
  return [status, body];
};
const NOT_FOUND = [404, { message: 'Not found' }];

test('each worker asks once; a purge reaches them all', async () => {
  upstream.answer({ headers: { 'content-type': 'text/plain' }, body: 'tea' });
  expect(await askAll('/shop/tea')).toBe(WORKERS);
  const { key, status } = await ask('/shop/tea');
  expect(status).toBe('Hit');

  const shown = [200, expect.objectContaining({ status: 200, body: 'tea', body_len: 3, ttl: 300 })];
  expect(await admin('GET', `/proxy-cache/${key}`)).toEqual(shown);
  expect(await admin('GET', `/proxy-cache/${plugin}/caches/${key}`)).toEqual(shown);
  expect(await admin('GET', `/proxy-cache/${crypto.randomUUID()}/caches/${key}`)).toEqual(NOT_FOUND);

  expect(await admin('DELETE', `/proxy-cache/${key}`)).toEqual([204, null]);
  expect(await admin('DELETE', `/proxy-cache/${key}`)).toEqual(NOT_FOUND);
  expect(await admin('GET', `/proxy-cache/${key}`)).toEqual(NOT_FOUND);
  expect(await askAll('/shop/tea')).toBe(WORKERS);

  expect(await admin('DELETE', `/proxy-cache/${plugin}/caches/${key}`)).toEqual([204, null]);
  expect(await admin('DELETE', `/proxy-cache/${plugin}/caches/${key}`)).toEqual(NOT_FOUND);
  expect(await askAll('/shop/tea')).toBe(WORKERS);

  expect(await admin('DELETE', '/proxy-cache')).toEqual([204, null]);
  expect(await askAll('/shop/tea')).toBe(WORKERS);
});

test('a worker that died has taken its entries with it, and purges go on', async () => {
  await askAll('/shop/cake');
  const { key } = await ask('/shop/cake');
  const { pids } = (await gateway.request('GET', '/')).body as { pids: { workers: number[] } };
  process.kill(pids.workers[0] ?? 0, 'SIGKILL');
  await gateway.logged(({ message }) => message === 'a worker ended: another takes its place');
  expect(await admin('DELETE', `/proxy-cache/${key}`)).toEqual([204, null]);
  expect(await admin('GET', `/proxy-cache/${key}`)).toEqual(NOT_FOUND);
});

test('a change of the configuration forgets what was kept', async () => {
  await askAll('/shop/pie');
  const { key } = await ask('/shop/pie');
  expect((await gateway.request('PATCH', `/plugins/${plugin}`, { config: { cache_ttl: 60 } })).status).toBe(200);
  expect(await admin('GET', `/proxy-cache/${key}`)).toEqual(NOT_FOUND);
});

test('what a model answered is given again to the same question, and to no other', async () => {
  upstream.answer({ headers: { 'content-type': 'application/json' }, body: JSON.stringify(ANSWER) });
  const question = (content: string) => ({
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ messages: [{ role: 'user', content }] }),
  });
  expect(await askAll('/chat', question('1+1'))).toBe(WORKERS);
  const again = await ask('/chat', question('1+1'));
  expect([again.status, JSON.parse(again.text)]).toEqual(['Hit', ANSWER]);
  expect((await ask('/chat', question('1+2'))).status).toBe('Miss');
});

test('a stream is given again once it has ended well', async () => {
  const events = ['data: {"choices":[{"delta":{"content":"2"}}]}\n\n', 'data: [DONE]\n\n'];
  upstream.answer({ headers: { 'content-type': 'text/event-stream' }, chunks: events });
  const question = {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: '{"stream":true,"messages":[{"role":"user","content":"1+1"}]}',
  };
  expect(await askAll('/chat', question)).toBe(WORKERS);
  const { text, status } = await ask('/chat', question);
  expect([status, text]).toEqual(['Hit', expect.stringContaining('data: [DONE]')]);
});

test('the paths are listed', async () => {
  const { body } = await gateway.request('GET', '/endpoints');
  const paths = ['/proxy-cache', '/proxy-cache/{cache_key}', '/proxy-cache/{plugin_id}/caches/{cache_key}'];
  expect((body as { data: string[] }).data).toEqual(expect.arrayContaining(paths));
});
