import { expect, setDefaultTimeout, test } from 'bun:test';
import { newFolder, type RunningGateway, startGateway } from '../support/executable.ts';
import { hasRedis, startRedis } from '../support/redis-server.ts';

if (!hasRedis) console.log('skipped: needs redis-server');
setDefaultTimeout(120_000);

const LIMIT = 1000;
const CONNECTIONS = 64;
const four = { SLUICE_WORKERS: '4' };
const one = { SLUICE_WORKERS: '1' };

const upstream = Bun.serve({ hostname: '127.0.0.1', port: 0, fetch: () => new Response('ok') });

/** Everything on the gateway is limited as the configuration says. */
async function limit(gateway: RunningGateway, config: object): Promise<void> {
  const service = { name: 'upstream', url: `http://127.0.0.1:${upstream.port}` };
  expect((await gateway.request('POST', '/services', service)).status).toBe(201);
  expect((await gateway.request('POST', '/services/upstream/routes', { name: 'all', paths: ['/'] })).status).toBe(201);
  const plugin = { name: 'rate-limiting', config: { year: LIMIT, limit_by: 'ip', ...config } };
  expect(await gateway.request('POST', '/routes/all/plugins', plugin)).toMatchObject({ status: 201 });
}

/** So many requests on many connections at once: how many got which status. */
async function hammer(gateways: readonly RunningGateway[], requests: number): Promise<Readonly<Record<number, number>>> {
  const statuses: Record<number, number> = {};
  let left = requests;
  await Promise.all(
    Array.from({ length: CONNECTIONS }, async (_, connection) => {
      const { proxy } = gateways[connection % gateways.length] as RunningGateway;
      while (left-- > 0) {
        const response = await fetch(proxy, connection % 2 === 0 ? {} : { keepalive: false });
        await response.text();
        statuses[response.status] = (statuses[response.status] ?? 0) + 1;
      }
    }),
  );
  return statuses;
}

const status = async (gateway: RunningGateway) => (await hammer([gateway], 1)) as object;

test('local: exactly as many as the limit says pass four workers, also while one is killed and the configuration changes', async () => {
  await using gateway = await startGateway({ environment: four });
  await limit(gateway, {});
  expect(await hammer([gateway], LIMIT / 2)).toEqual({ 200: LIMIT / 2 });
  const { body } = await gateway.request('GET', '/');
  const [worker = 0] = (body as { pids: { workers: number[] } }).pids.workers;
  process.kill(worker, 'SIGKILL');
  await gateway.logged(({ message }) => message.startsWith('a worker ended'));
  const { body: plugins } = await gateway.request('GET', '/routes/all/plugins');
  const [{ id } = { id: '' }] = (plugins as { data: { id: string }[] }).data;
  expect((await gateway.request('PATCH', `/plugins/${id}`, { config: { error_code: 503 } })).status).toBe(200);
  expect(await hammer([gateway], LIMIT)).toEqual({ 200: LIMIT / 2, 503: LIMIT / 2 });
});

test('local: one worker counts for itself', async () => {
  await using gateway = await startGateway({ environment: one });
  await limit(gateway, {});
  expect(await hammer([gateway], LIMIT + 100)).toEqual({ 200: LIMIT, 429: 100 });
});

test('consumers, their keys and their groups are counted by themselves, after they were told apart', async () => {
  await using gateway = await startGateway({ environment: four });
  await limit(gateway, { year: 3, limit_by: 'consumer' });
  const make = async (path: string, body: object) => expect((await gateway.request('POST', path, body)).status).toBe(201);
  await make('/routes/all/plugins', { name: 'key-auth' });
  for (const [name, ...keys] of [
    ['anna', 'a1', 'a2'],
    ['berta', 'b'],
    ['clara', 'c'],
    ['dora', 'd'],
  ] as const) {
    await make('/consumers', { username: name });
    for (const key of keys) await make(`/consumers/${name}/key-auth`, { key });
  }
  await make('/consumer_groups', { name: 'gold' });
  for (const name of ['clara', 'dora']) await make('/consumer_groups/gold/consumers', { consumer: name });
  await make('/consumer_groups/gold/plugins', { name: 'rate-limiting', config: { year: 5, limit_by: 'consumer-group' } });
  await make('/consumers/berta/plugins', { name: 'rate-limiting', config: { year: 1, limit_by: 'credential' } });

  const pass = async (keys: readonly string[]) => {
    const statuses = await Promise.all(keys.map(async apikey => (await fetch(gateway.proxy, { headers: { apikey } })).status));
    return statuses.filter(status => status === 200).length;
  };
  const times = (count: number, ...keys: readonly string[]) => Array.from({ length: count }, () => keys).flat();
  expect(await pass(times(10, 'a1', 'a2'))).toBe(3);
  expect(await pass(times(10, 'b'))).toBe(1);
  expect(await pass(times(10, 'c', 'd'))).toBe(5);
  expect(await pass(['nobody'])).toBe(0);
});

test('cluster: exactly as many pass the workers of two gateways of one database, and they are counted after a restart', async () => {
  const folder = newFolder();
  {
    await using gateway = await startGateway({ folder, environment: four });
    await limit(gateway, { policy: 'cluster' });
    await using other = await startGateway({ folder, environment: four });
    expect(await hammer([gateway, other], LIMIT + 500)).toEqual({ 200: LIMIT, 429: 500 });
    // Counting is no change of the configuration.
    expect((await gateway.request('GET', '/routes/all')).status).toBe(200);
    await gateway.stop('SIGTERM');
    await other.stop('SIGKILL');
  }
  await using again = await startGateway({ folder, environment: one });
  expect(await status(again)).toEqual({ 429: 1 });
});

test('cluster: refused where the configuration is a file', async () => {
  await using gateway = await startGateway({ environment: { ...one, SLUICE_DATABASE: 'off' } });
  const text = `
_format_version: "3.0"
plugins: [{name: rate-limiting, config: {second: 5, policy: cluster}}]`;
  const answer = await gateway.request('POST', '/config', { config: text });
  expect([answer.status, JSON.stringify(answer.body)]).toEqual([400, expect.stringContaining('expected one of: local, redis')]);
});

test.skipIf(!hasRedis)('redis: exactly as many pass, they are counted after a restart, and Redis may go and come back', async () => {
  const folder = newFolder();
  const redis = await startRedis({ password: 's3cret-word' });
  const config = { policy: 'redis', redis: { host: '127.0.0.1', port: redis.port, password: 's3cret-word' } };
  {
    await using gateway = await startGateway({ folder, environment: four });
    await limit(gateway, config);
    expect(await hammer([gateway], LIMIT + 500)).toEqual({ 200: LIMIT, 429: 500 });
  }
  await using again = await startGateway({ folder, environment: four });
  expect(await status(again)).toEqual({ 429: 1 });
  await redis.stop();
  expect(await hammer([again], 200)).toEqual({ 200: 200 });
  const said = await again.logged(({ message }) => message.includes('failed to get usage'));
  expect(JSON.stringify(again.log)).not.toContain('s3cret-word');
  expect(said['error']).toContain(`redis at 127.0.0.1:${redis.port}`);
  await using _back = await startRedis({ port: redis.port, password: 's3cret-word' });
  expect(await hammer([again], LIMIT + 100)).toEqual({ 200: LIMIT, 429: 100 });
});
