import { Database } from 'bun:sqlite';
import { expect, setDefaultTimeout, test } from 'bun:test';
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { EXECUTABLE, newFolder, type RunningGateway, startGateway } from '../support/executable.ts';
import { type Random, randomOf } from '../support/random.ts';
import { CERTIFICATE_FILE, KEY_FILE } from '../support/upstream.ts';

setDefaultTimeout(300_000);

const KILLS = 50;
const IMPORT_KILLS = 10;
const CLIENTS = 4;
const NAMES = 4;

/** What one client knows to be there, by name; nobody else writes to these names. */
interface Rows {
  readonly services: Readonly<Record<string, { readonly retries: number }>>;
  readonly routes: Readonly<Record<string, { readonly service: string | null; readonly plugin: boolean }>>;
  /** By their tag, with the names of their SNIs. */
  readonly certificates: Readonly<Record<string, readonly string[]>>;
}

/** A write, and what is there once it is done: all of it or nothing. */
interface Step {
  readonly request: readonly [method: string, path: string, body?: object];
  readonly status: number;
  readonly after: Rows;
}

const url = 'http://127.0.0.1:9';
const plugin = { name: 'ai-proxy', config: { route_type: 'llm/v1/chat', model: { provider: 'openai' } } };

const NOTHING: Rows = { services: {}, routes: {}, certificates: {} };
const pair = { cert: await Bun.file(CERTIFICATE_FILE).text(), key: await Bun.file(KEY_FILE).text() };

const without = <T>(records: Readonly<Record<string, T>>, name: string) =>
  Object.fromEntries(Object.entries(records).filter(([key]) => key !== name));

/** A step that makes sense for the rows there are. Those that write or remove several rows matter most here. */
function nextStep(rows: Rows, name: string, { below }: Random): Step {
  const { services, routes, certificates } = rows;
  const route = routes[name];
  const made = `${name}-made`;
  const step = (status: number, request: Step['request'], changed: Partial<Rows>): Step => ({
    status,
    request,
    after: { ...rows, ...changed },
  });
  const withService = (of: string, retries: number) => ({ services: { ...services, [of]: { retries } } });
  const withRoute = (service: string | null, plugin: boolean) => ({ routes: { ...routes, [name]: { service, plugin } } });

  if (below(4) === 0) {
    const snis = [`a.${name}.test`, `b.${name}.test`];
    return certificates[name]
      ? step(204, ['DELETE', `/certificates/${snis[0]}`], { certificates: without(certificates, name) })
      : step(201, ['POST', '/certificates', { ...pair, snis, tags: [name] }], { certificates: { ...certificates, [name]: snis } });
  }
  if (route && !route.plugin) return step(201, ['POST', `/routes/${name}/plugins`, plugin], withRoute(route.service, true));
  if (route && route.service === null && !services[made]) {
    return step(200, ['PUT', `/routes/${name}/service`, { name: made, url }], { ...withService(made, 5), ...withRoute(made, true) });
  }
  if (route) return step(204, ['DELETE', `/routes/${name}`], { routes: without(routes, name) });
  if (services[made]) return step(204, ['DELETE', `/services/${made}`], { services: without(services, made) });
  if (!services[name]) return step(201, ['POST', '/services', { name, url }], withService(name, 5));
  const path = { name, paths: [`/${name}`] };
  const retries = below(100);
  const choices = [
    step(204, ['DELETE', `/services/${name}`], { services: without(services, name) }),
    step(200, ['PATCH', `/services/${name}`, { retries }], withService(name, retries)),
    step(201, ['POST', '/routes', path], withRoute(null, false)),
    step(201, ['POST', `/services/${name}/routes`, path], withRoute(name, false)),
  ];
  return choices[below(choices.length)] as Step;
}

interface Client {
  readonly prefix: string;
  readonly random: Random;
  rows: Rows;
  /** The step that was asked for and not answered yet. */
  pending: Step | null;
}

/** Writes one thing after the other until the gateway is gone. */
async function writeOn(gateway: RunningGateway, client: Client, acknowledged: () => void): Promise<void> {
  for (;;) {
    const step = nextStep(client.rows, `${client.prefix}${client.random.below(NAMES)}`, client.random);
    client.pending = step;
    const answer = await gateway.request(...step.request).catch(() => null);
    if (answer === null) return;
    expect({ request: step.request, ...answer }).toMatchObject({ status: step.status });
    client.rows = step.after;
    client.pending = null;
    acknowledged();
  }
}

interface AnyRow {
  readonly id: string;
  readonly name: string;
  readonly retries: number;
  readonly tags: readonly string[] | null;
  readonly snis: readonly string[];
  readonly service: { readonly id: string } | null;
  readonly route: { readonly id: string } | null;
}

async function list(gateway: RunningGateway, kind: string): Promise<AnyRow[]> {
  const { status, body } = await gateway.request('GET', `/${kind}?size=1000`);
  expect(status).toBe(200);
  return (body as { data: AnyRow[] }).data;
}

/** What the gateway shows, of all clients by their prefix. A plugin whose route is gone would be half a deletion. */
async function shown(gateway: RunningGateway): Promise<(prefix: string) => Rows> {
  const kinds = ['services', 'routes', 'plugins', 'certificates'];
  const [services = [], routes = [], plugins = [], certificates = []] = await Promise.all(kinds.map(kind => list(gateway, kind)));
  const nameOf = new Map(services.map(({ id, name }) => [id, name]));
  const plugged = new Set(plugins.map(({ route }) => route?.id));
  expect(plugins.filter(({ route }) => !routes.some(({ id }) => id === route?.id))).toEqual([]);
  const of = <T>(rows: readonly AnyRow[], prefix: string, entry: (row: AnyRow) => readonly [string, T]) =>
    Object.fromEntries(rows.map(entry).filter(([name]) => name.startsWith(prefix)));
  return prefix => ({
    services: of(services, prefix, ({ name, retries }) => [name, { retries }]),
    routes: of(routes, prefix, ({ id, name, service }) => {
      const owner = service && (nameOf.get(service.id) ?? 'lost');
      return [name, { service: owner, plugin: plugged.has(id) }];
    }),
    certificates: of(certificates, prefix, ({ tags, snis }) => [tags?.[0] ?? '', [...snis].sort()]),
  });
}

function expectSound(folder: string): void {
  using database = new Database(join(folder, 'sluice.db'), { readonly: true });
  expect(database.query('PRAGMA integrity_check').values()).toEqual([['ok']]);
  expect(database.query('PRAGMA foreign_key_check').values()).toEqual([]);
}

test(`kill -9 at ${KILLS} random points: what was acknowledged is there, what was not is there whole or not at all`, async () => {
  const folder = newFolder();
  const random = randomOf(20261122);
  const clients: Client[] = Array.from({ length: CLIENTS }, (_, index) => ({
    prefix: `client-${index}-`,
    random: randomOf(index + 1),
    rows: NOTHING,
    pending: null,
  }));
  let unanswered = 0;
  for (let kill = 0; kill <= KILLS; kill++) {
    await using gateway = await startGateway({ folder });
    expectSound(folder);
    const rowsOf = await shown(gateway);
    for (const client of clients) {
      const found = rowsOf(client.prefix);
      const isDone = client.pending !== null && Bun.deepEquals(found, client.pending.after);
      expect(found).toEqual(isDone ? (client.pending as Step).after : client.rows);
      client.rows = found;
      client.pending = null;
    }
    if (kill === KILLS) break;
    let remaining = 1 + random.below(60);
    await Promise.all(clients.map(client => writeOn(gateway, client, () => --remaining === 0 && gateway.signal('SIGKILL'))));
    unanswered += clients.filter(({ pending }) => pending !== null).length;
  }
  expect(unanswered).toBeGreaterThan(KILLS);
});

test(`kill -9 of an import at ${IMPORT_KILLS} random points leaves the whole file or nothing of it`, async () => {
  const random = randomOf(7);
  const entries = Array.from({ length: 300 }, (_, number) => ({
    name: `service-${number}`,
    url,
    routes: [{ name: `route-${number}`, paths: [`/${number}`], plugins: [plugin] }],
  }));
  const file = join(newFolder(), 'all.json');
  await Bun.write(file, JSON.stringify({ _format_version: '3.0', services: entries }));
  let interrupted = 0;
  for (let kill = 0; kill < IMPORT_KILLS; kill++) {
    const folder = newFolder();
    const child = Bun.spawn([EXECUTABLE, 'import', file], { cwd: folder, env: {}, stdout: 'ignore', stderr: 'ignore' });
    // What is written goes to this file first, so its size says how far the transaction is.
    await grown(join(folder, 'sluice.db-wal'), random.below(1_000_000), child);
    child.kill('SIGKILL');
    await child.exited;
    await using gateway = await startGateway({ folder });
    expectSound(folder);
    const counts = await Promise.all(['services', 'routes', 'plugins'].map(async kind => (await list(gateway, kind)).length));
    expect([
      [0, 0, 0],
      [300, 300, 300],
    ]).toContainEqual(counts);
    if (counts[0] === 0) interrupted++;
  }
  expect(interrupted).toBeGreaterThan(0);
});

/** Resolves once the file has so many bytes, or the process has ended. */
async function grown(file: string, bytes: number, { exited }: Bun.Subprocess): Promise<void> {
  let ended = false;
  void exited.then(() => {
    ended = true;
  });
  while (!ended && (statSync(file, { throwIfNoEntry: false })?.size ?? 0) < bytes) await new Promise(setImmediate);
}
