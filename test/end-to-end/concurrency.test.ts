import { Database } from 'bun:sqlite';
import { afterAll, expect, setDefaultTimeout, test } from 'bun:test';
import { join } from 'node:path';
import { newFolder, type RunningGateway, startGateway } from '../support/executable.ts';
import { type Random, randomOf } from '../support/random.ts';

setDefaultTimeout(120_000);

const CLIENTS = 8;
const NAMES = ['ada', 'ben', 'cleo', 'dan', 'eve', 'finn', 'gus', 'hal'];
const KINDS = ['services', 'routes', 'plugins', 'consumers'] as const;

interface Answer {
  readonly status: number;
  readonly body: unknown;
}
interface AnyRow {
  readonly id: string;
  readonly name?: string;
  readonly username?: string;
  readonly paths?: readonly string[];
  readonly service?: { readonly id: string } | null;
  readonly route?: { readonly id: string } | null;
}

/** Answers with the path it was asked for: the service's, since routes strip theirs. */
const upstream = Bun.serve({ hostname: '127.0.0.1', port: 0, fetch: ({ url }) => new Response(new URL(url).pathname) });
afterAll(() => upstream.stop(true));

const urlOf = (name: string) => `http://127.0.0.1:${upstream.port}/${name}`;
const dataOf = ({ body }: Answer) => (body as { data: AnyRow[] }).data;

/** Something a client may do, the statuses that may answer it, and what an answer of success must say. */
interface Operation {
  readonly ask: (gateway: RunningGateway, name: string, other: string) => Promise<Answer>;
  readonly statuses: readonly number[];
  readonly says?: (name: string, other: string) => object;
}

const plugin = { name: 'ai-proxy', config: { route_type: 'llm/v1/chat', model: { provider: 'openai' } } };
// A parent that was there when the request came may be gone when its turn comes: 400.
const OPERATIONS: readonly Operation[] = [
  {
    ask: (gateway, name) => gateway.request('POST', '/services', { name, url: urlOf(name) }),
    statuses: [201, 409],
    says: name => ({ name, path: `/${name}` }),
  },
  {
    ask: (gateway, name) => gateway.request('PUT', `/services/${name}`, { url: urlOf(`put-${name}`) }),
    statuses: [200],
    says: name => ({ name, path: `/put-${name}` }),
  },
  {
    ask: (gateway, name, other) => gateway.request('PATCH', `/services/${name}`, { name: other, path: `/${other}` }),
    statuses: [200, 404, 409],
    says: (_, other) => ({ name: other, path: `/${other}` }),
  },
  { ask: (gateway, name) => gateway.request('DELETE', `/services/${name}`), statuses: [204, 400] },
  {
    ask: (gateway, name, other) => gateway.request('POST', `/services/${other}/routes`, { name, paths: [`/${name}`] }),
    statuses: [201, 400, 404, 409],
    says: name => ({ name, paths: [`/${name}`] }),
  },
  {
    ask: (gateway, name, other) => gateway.request('PATCH', `/routes/${name}`, { name: other, paths: [`/${other}`] }),
    statuses: [200, 404, 409],
    says: (_, other) => ({ name: other, paths: [`/${other}`] }),
  },
  {
    ask: (gateway, name, other) => gateway.request('PATCH', `/routes/${name}`, { service: { name: other } }),
    statuses: [200, 400, 404],
    says: name => ({ name, paths: [`/${name}`] }),
  },
  { ask: (gateway, name) => gateway.request('DELETE', `/routes/${name}`), statuses: [204] },
  {
    ask: (gateway, name) => gateway.request('POST', `/routes/${name}/plugins`, plugin),
    statuses: [201, 400, 404, 409],
    says: () => ({ name: 'ai-proxy', enabled: true }),
  },
  { ask: (gateway, name) => gateway.request('DELETE', `/routes/${name}/service`), statuses: [404, 405] },
  {
    ask: async (gateway, name) => {
      const { status, body } = await gateway.request('GET', `/routes/${name}/plugins`);
      const [first] = status === 200 ? dataOf({ status, body }) : [];
      return first ? gateway.request('DELETE', `/plugins/${first.id}`) : { status: 204, body: null };
    },
    statuses: [204],
  },
  {
    ask: (gateway, name) => gateway.request('POST', '/consumers', { username: name }),
    statuses: [201, 409],
    says: name => ({ username: name }),
  },
  {
    ask: (gateway, name, other) => gateway.request('PATCH', `/consumers/${name}`, { username: other }),
    statuses: [200, 404, 409],
    says: (_, other) => ({ username: other }),
  },
  { ask: (gateway, name) => gateway.request('DELETE', `/consumers/${name}`), statuses: [204] },
];

/** Codes of refusals: a reference to what is there or is not, or a unique value that is taken. */
const REFUSALS: Readonly<Record<number, readonly number[]>> = { 400: [4, 13], 409: [5] };

/** Resolves to how many operations there were. */
async function actAtRandom(gateway: RunningGateway, { below, pick }: Random, seconds: number): Promise<number> {
  const end = performance.now() + seconds * 1000;
  let count = 0;
  for (; performance.now() < end; count++) {
    if (below(20) === 0) await listOnce(gateway);
    const operation = pick(OPERATIONS);
    const [name, other] = [pick(NAMES), pick(NAMES)];
    const { status, body } = await operation.ask(gateway, name, other);
    expect({ operation: String(operation.ask), status, body, expected: operation.statuses.includes(status) }).toMatchObject({
      expected: true,
    });
    if (status < 300 && operation.says) expect(body).toMatchObject(operation.says(name, other));
    if (REFUSALS[status]) expect(REFUSALS[status]).toContain((body as { code: number }).code);
  }
  return count;
}

const nameOf = (row: AnyRow) => row.name ?? row.username;

/** A list is one moment: no name stands in it twice. */
async function listOnce(gateway: RunningGateway): Promise<void> {
  for (const kind of ['services', 'routes', 'consumers']) {
    const names = dataOf(await gateway.request('GET', `/${kind}`)).map(nameOf);
    expect(names).toEqual([...new Set(names)]);
  }
}

async function everything(gateway: RunningGateway): Promise<Record<(typeof KINDS)[number], AnyRow[]>> {
  const lists = KINDS.map(async kind => [kind, dataOf(await gateway.request('GET', `/${kind}?size=1000`))] as const);
  return Object.fromEntries(await Promise.all(lists)) as Record<(typeof KINDS)[number], AnyRow[]>;
}

/** What the proxy should say of each name, by the rows that the Admin API shows. */
function expectedOf({ services, routes, plugins }: Awaited<ReturnType<typeof everything>>): [string, number, string | null][] {
  return NAMES.map(name => {
    const route = routes.find(({ paths }) => paths?.[0] === `/${name}`);
    if (!route) return [name, 404, null];
    // It asks for a chat, which these requests are not.
    if (plugins.some(({ route: of }) => of?.id === route.id)) return [name, 400, null];
    const owner = services.find(({ id }) => id === route.service?.id) as AnyRow & { readonly path: string };
    return [name, 200, owner.path];
  });
}

async function served(gateway: RunningGateway): Promise<[string, number, string | null][]> {
  return Promise.all(
    NAMES.map(async name => {
      const response = await fetch(`${gateway.proxy}/${name}`);
      const text = await response.text();
      return [name, response.status, response.status === 200 ? text : null] as [string, number, string | null];
    }),
  );
}

function soundness(folder: string): unknown[] {
  using database = new Database(join(folder, 'sluice.db'), { readonly: true });
  return [...database.query('PRAGMA integrity_check').values(), ...database.query('PRAGMA foreign_key_check').values()];
}

// By the clock, so that a busy machine does less, and not for longer.
test.each([
  ['one gateway', 1, 20],
  ['two gateways on one database', 2, 5],
])('8 clients that create, rename and delete the same names: %s, database and proxy agree at the end', async (title, count, seconds) => {
  const folder = newFolder();
  const gateways = await Promise.all(Array.from({ length: count }, () => startGateway({ folder })));
  const gatewayOf = (index: number) => gateways[index % count] as RunningGateway;
  const clients = Array.from({ length: CLIENTS }, (_, client) => actAtRandom(gatewayOf(client), randomOf(client + 1), seconds));
  const operations = await Promise.all(clients);
  console.log(`${operations.reduce((sum, each) => sum + each, 0)} operations in ${seconds} s, ${title}`);

  await using fresh = await startGateway({ folder });
  const stored = await everything(fresh);
  expect(stored.services.length).toBeGreaterThan(0);
  for (const gateway of gateways) {
    while (count > 1 && !Bun.deepEquals(await everything(gateway), stored)) await Bun.sleep(20);
    expect(await everything(gateway)).toEqual(stored);
    expect(await served(gateway)).toEqual(expectedOf(stored));
    expect(gateway.log.filter(({ level }) => level === 'error' || level === 'crit')).toEqual([]);
    await gateway.stop();
  }
  expect(await served(fresh)).toEqual(expectedOf(stored));
  expect(soundness(folder)).toEqual([['ok']]);
});

test('of two whole configurations that come at once, the later one is what is there at the end', async () => {
  const asked = Promise.withResolvers<void>();
  const answer = Promise.withResolvers<string>();
  using vault = Bun.serve({
    hostname: '127.0.0.1',
    port: 0,
    async fetch() {
      asked.resolve();
      return Response.json({ data: { value: await answer.promise } });
    },
  });
  await using gateway = await startGateway({ environment: { SLUICE_DATABASE: 'off' } });
  const secret = { header_name: 'Authorization', header_value: '{vault://slow/key/value}' };
  const first = {
    _format_version: '3.0',
    vaults: [{ name: 'hcv', prefix: 'slow', config: { host: '127.0.0.1', port: vault.port, token: 'token' } }],
    services: [{ name: 'first', url: urlOf('first'), plugins: [{ ...plugin, config: { ...plugin.config, auth: secret } }] }],
  };
  const second = { _format_version: '3.0', services: [{ name: 'second', url: urlOf('second') }] };
  const loads = [gateway.request('POST', '/config', first)];
  await asked.promise;
  loads.push(gateway.request('POST', '/config', second));
  await gateway.request('GET', '/');
  answer.resolve('Bearer x');
  expect((await Promise.all(loads)).map(({ status }) => status)).toEqual([201, 201]);
  expect(await everything(gateway)).toMatchObject({ services: [{ name: 'second' }], plugins: [] });
});
