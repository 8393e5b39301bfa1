import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from 'bun:test';
import { type RunningGateway, startGateway } from '../support/executable.ts';
import { tlsClient } from '../support/tls-client.ts';
import { startUpstream } from '../support/upstream.ts';

setDefaultTimeout(60_000);

const upstream = startUpstream();
let gateway: RunningGateway;
let secure = 0;
beforeAll(async () => {
  const environment = { SLUICE_WORKERS: '2', SLUICE_PROXY_LISTEN: '127.0.0.1:0, 127.0.0.1:0 ssl' };
  gateway = await startGateway({ environment });
  secure = Number(new URL(gateway.log.flatMap(({ proxy }) => (proxy as string[] | undefined) ?? [])[1] ?? '').port);
  await make('/services', { name: 'api', url: upstream.url });
});
afterAll(async () => {
  await gateway.stop();
  upstream.stop();
});

async function make(path: string, body: object): Promise<{ id: string }> {
  const answer = await gateway.request('POST', path, body);
  expect([answer.status, answer.body]).toEqual([201, expect.anything()]);
  return answer.body as { id: string };
}

/** A route of its own with these plugins, and what a request to it is answered with, on a connection of its own. */
async function routeWith(...plugins: readonly object[]) {
  const name = `with-${crypto.randomUUID()}`;
  await make('/services/api/routes', { name, paths: [`/${name}`] });
  const rows: { id: string }[] = [];
  for (const plugin of plugins) rows.push(await make(`/routes/${name}/plugins`, plugin));
  return {
    path: `/${name}`,
    rows,
    ask: async (headers: Readonly<Record<string, string>> = {}) =>
      (await fetch(`${gateway.proxy}/${name}`, { keepalive: false, headers: { connection: 'close', ...headers } })).status,
  };
}
const closed = (status_code: number, more: object = {}) => ({ name: 'request-termination', config: { status_code }, ...more });

test('a plugin that is switched off takes no part, from the next request on, and is asked for by its instance_name', async () => {
  const { ask } = await routeWith(closed(418, { enabled: false, instance_name: 'tea' }));
  expect(await ask()).toBe(200);
  for (const [enabled, status] of [
    [true, 418],
    [false, 200],
    [true, 418],
  ] as const) {
    expect((await gateway.request('PATCH', '/plugins/tea', { enabled })).status).toBe(200);
    for (let asked = 0; asked < 8; asked++) expect(await ask()).toBe(status);
  }
  expect(await gateway.request('POST', '/plugins', closed(420, { instance_name: 'tea' }))).toMatchObject({ status: 409 });
  expect((await gateway.request('DELETE', '/plugins/tea')).status).toBe(204);
  for (let asked = 0; asked < 8; asked++) expect(await ask()).toBe(200);
});

describe('a plugin for some protocols', () => {
  // As in Kong, where protocols tell HTTP from plain TCP: whoever speaks one of HTTP's is served.
  test.each([[['http']], [['https']], [['http', 'https']], [['grpc', 'http']]])('%j takes part over http and https', async protocols => {
    const { ask, path } = await routeWith(closed(418, { protocols }));
    expect(await ask()).toBe(418);
    using client = await tlsClient(secure);
    expect(await client.get(path)).toStartWith('HTTP/1.1 418 ');
  });

  test('has one that its route has', async () => {
    const { path } = await routeWith();
    const answer = await gateway.request('POST', `/routes${path}/plugins`, closed(418, { protocols: ['grpc', 'grpcs'] }));
    expect(answer).toMatchObject({ status: 400, body: { fields: { protocols: "must match the associated route's protocols" } } });
  });
});

describe('plugins run by their priority, in whatever order they came', () => {
  const LIMIT = { name: 'rate-limiting', config: { year: 1, limit_by: 'path', path: '/' } };
  const KEY = { name: 'key-auth', config: {} };

  test.each([[[KEY, LIMIT]], [[LIMIT, KEY]]])('%#: who is not let in is not counted', async plugins => {
    const { ask } = await routeWith(...plugins);
    const key = `key-${crypto.randomUUID()}`;
    await make('/consumers', { username: key });
    await make(`/consumers/${key}/key-auth`, { key });
    for (let asked = 0; asked < 4; asked++) expect(await ask()).toBe(401);
    expect([await ask({ apikey: key }), await ask({ apikey: key }), await ask()]).toEqual([200, 429, 401]);
  });

  test('of those that refuse, the first speaks: bots, then keys, then addresses, then the closed route', async () => {
    const plugins = [
      closed(418),
      { name: 'ip-restriction', config: { deny: ['127.0.0.1'], status: 420 } },
      KEY,
      { name: 'bot-detection', config: { deny: ['crawler'] } },
    ];
    const { ask, rows } = await routeWith(...plugins);
    const key = `key-${crypto.randomUUID()}`;
    await make('/consumers', { username: key });
    await make(`/consumers/${key}/key-auth`, { key });
    expect(await ask({ 'user-agent': 'crawler' })).toBe(403);
    expect(await ask({ 'user-agent': 'other' })).toBe(401);
    expect(await ask({ 'user-agent': 'other', apikey: key })).toBe(420);
    expect((await gateway.request('PATCH', `/plugins/${rows[1]?.id}`, { enabled: false })).status).toBe(200);
    expect(await ask({ 'user-agent': 'other', apikey: key })).toBe(418);
  });
});
