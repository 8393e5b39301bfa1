import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from 'bun:test';
import { type RunningGateway, startGateway } from '../support/executable.ts';
import { startNameServer } from '../support/name-server.ts';
import { hasRedis, startRedis } from '../support/redis-server.ts';
import { startUpstream } from '../support/upstream.ts';

if (!hasRedis) console.log('skipped: needs redis-server');
setDefaultTimeout(60_000);

const names = await startNameServer();
const well = startUpstream();
well.answer({ body: 'well' });
let gateway: RunningGateway;
beforeAll(async () => {
  gateway = await startGateway({ environment: { SLUICE_WORKERS: '2', SLUICE_DNS_RESOLVER: names.address } });
});
afterAll(async () => {
  await gateway.stop();
  well.stop();
  names.stop();
});

async function make(path: string, body: object): Promise<void> {
  const answer = await gateway.request('POST', path, body);
  expect([answer.status, answer.body]).toEqual([201, expect.anything()]);
}

interface Setting {
  readonly upstream?: object;
  readonly service?: object;
  readonly plugin?: object;
}

/** A route to these targets, and what it answers. */
async function routeTo(targets: readonly string[], { upstream, service, plugin }: Setting = {}) {
  const name = `to-${crypto.randomUUID()}`;
  await make('/upstreams', { name, ...upstream });
  for (const target of targets) await make(`/upstreams/${name}/targets`, { target });
  await make('/services', { name, host: name, ...service });
  await make(`/services/${name}/routes`, { name, paths: [`/${name}`] });
  if (plugin) await make(`/routes/${name}/plugins`, plugin);
  return {
    name,
    /** On a connection of its own, so that any worker may get it. */
    async ask(method = 'GET') {
      const body = method === 'POST' ? { body: 'x' } : {};
      const init = { method, keepalive: false, headers: { connection: 'close' }, ...body };
      const response = await fetch(`${gateway.proxy}/${name}`, init);
      const text = await response.text();
      return [response.status, response.ok ? text : (JSON.parse(text) as { message: string }).message] as const;
    },
  };
}
const at = ({ port }: { readonly port: number }) => `127.0.0.1:${port}`;

/** A server that takes requests, says so, and never answers; a process of its own. */
async function startVictim() {
  const script = `const { port } = Bun.serve({
    port: 0, hostname: '127.0.0.1', reusePort: true, idleTimeout: 0, fetch: () => (console.log('asked'), new Promise(() => {})),
  });
  console.log(port);`;
  const child = Bun.spawn([process.execPath, '-e', script], { stdout: 'pipe' });
  let said = '';
  const lines = async (count: number) => {
    const reader = child.stdout.getReader();
    while (said.split('\n').length <= count) said += Buffer.from((await reader.read()).value ?? []).toString();
    reader.releaseLock();
    return said.split('\n');
  };
  const [port = ''] = await lines(1);
  const kill = async () => {
    child.kill('SIGKILL');
    await child.exited;
  };
  return {
    port: Number(port),
    asked: (count: number) => lines(count + 1),
    kill,
    [Symbol.asyncDispose]: kill,
  };
}

describe('a target that is killed in the middle of requests', () => {
  test('is replaced by the others, for what may be asked twice', async () => {
    await using victim = await startVictim();
    const route = await routeTo([at(victim), at(well)]);
    const answers = Array.from({ length: 12 }, () => route.ask());
    // However the workers share the requests: of those of one that has two or more, one is here.
    await victim.asked(2);
    await victim.kill();
    for (const answer of await Promise.all(answers)) expect(answer).toEqual([200, 'well']);
    expect(await route.ask('POST')).toEqual([200, 'well']);
  });

  test('is the end of what may not', async () => {
    await using victim = await startVictim();
    const route = await routeTo([at(victim)]);
    const answer = route.ask('POST');
    await victim.asked(1);
    await victim.kill();
    expect(await answer).toEqual([502, 'An invalid response was received from the upstream server']);
  });
});

test('a host behind whose name a server is killed is asked again, for what may be asked twice', async () => {
  await using victim = await startVictim();
  const route = await routeTo([], { service: { host: '127.0.0.1', port: victim.port } });
  const [get, post] = [route.ask(), route.ask('POST')];
  await victim.asked(2);
  using _ = Bun.serve({ hostname: '127.0.0.1', port: victim.port, reusePort: true, fetch: () => new Response('another') });
  await victim.kill();
  expect(await get).toEqual([200, 'another']);
  expect((await post)[0]).toBe(502);
});

describe('a target that accepts and never answers', () => {
  const service = { read_timeout: 300, connect_timeout: 300, write_timeout: 300 };
  const silent = startUpstream();
  silent.answer('silence');
  afterAll(() => silent.stop());

  test('is passed over when its time is over, and then left out', async () => {
    const upstream = { healthchecks: { passive: { unhealthy: { timeouts: 1 } } } };
    const route = await routeTo([at(silent), at(well)], { upstream, service });
    const before = silent.requests.length;
    while (silent.requests.length === before) expect(await route.ask()).toEqual([200, 'well']);
    const health = async () =>
      ((await gateway.request('GET', `/upstreams/${route.name}/health`)).body as { data: { target: string; health: string }[] }).data;
    while ((await health()).find(({ target }) => target === at(silent))?.health !== 'UNHEALTHY') await Bun.sleep(1);
  });

  test.each([
    ['GET', 3],
    ['POST', 1],
  ])('is timed out where it stands alone: a %s, after %d attempts', async (method, attempts) => {
    const route = await routeTo([at(silent)], { service: { ...service, retries: 2 } });
    const before = silent.requests.length;
    expect(await route.ask(method)).toEqual([504, 'The upstream server is timing out']);
    expect(silent.requests.length - before).toBe(attempts);
  });
});

test('while no name server answers, what was known serves; who is not known is unavailable, a host until one does', async () => {
  names.records = { 'known.test': [['A', 1, '127.0.0.1']], 'late.test': [['A', 1, '127.0.0.1']] };
  const known = await routeTo([`known.test:${well.port}`]);
  // Each worker looks it up for itself.
  for (let asked = 0; asked < 20; asked++) expect(await known.ask()).toEqual([200, 'well']);
  names.mode = 'fail';
  const { length } = names.queries;
  while (names.queries.length < length + 6) expect(await known.ask()).toEqual([200, 'well']);
  const late = await routeTo([`late.test:${well.port}`]);
  expect(await late.ask()).toEqual([503, 'failure to get a peer from the ring-balancer']);
  const plain = await routeTo([], { service: { host: 'late.test', port: well.port } });
  expect(await plain.ask()).toEqual([503, 'name resolution failed']);
  names.mode = 'answer';
  while ((await plain.ask())[0] !== 200);
  expect(await known.ask()).toEqual([200, 'well']);
});

describe.skipIf(!hasRedis)('Redis that is gone', () => {
  test.each([
    [true, [200, 'well']],
    [false, [500, 'An unexpected error occurred']],
  ] as const)('with fault_tolerant %p: %j, until it is back, which counts from then on', async (fault_tolerant, expected) => {
    await using redis = await startRedis();
    const config = {
      policy: 'redis',
      redis: { host: '127.0.0.1', port: redis.port },
      fault_tolerant,
      year: 5,
      limit_by: 'path',
      path: '/x',
    };
    const route = await routeTo([at(well)], { plugin: { name: 'rate-limiting', config } });
    for (let asked = 0; asked < 5; asked++) expect(await route.ask()).toEqual([200, 'well']);
    expect(await route.ask()).toEqual([429, 'API rate limit exceeded']);
    await redis.stop();
    for (let asked = 0; asked < 20; asked++) expect(await route.ask()).toEqual(expected);
    await using back = await startRedis({ port: redis.port });
    const statuses: number[] = [];
    while (statuses.at(-1) !== 429) statuses.push((await route.ask())[0]);
    expect(await back.ask('KEYS', '*')).toHaveLength(1);
    expect(statuses.filter(status => status === 200)).toHaveLength(5);
  });
});
