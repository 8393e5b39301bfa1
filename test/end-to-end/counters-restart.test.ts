import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from 'bun:test';
import { newFolder, type RunningGateway, startGateway } from '../support/executable.ts';
import { hasRedis, type RedisServer, startRedis } from '../support/redis-server.ts';
import { startUpstream } from '../support/upstream.ts';

if (!hasRedis) console.log('skipped: needs redis-server');
setDefaultTimeout(60_000);

const LIMIT = 5;
const upstream = startUpstream();
upstream.answer({ headers: { 'x-kong-limit': 'video=1' }, body: 'ok' });
afterAll(() => upstream.stop());

const ask = async ({ proxy }: RunningGateway) => (await fetch(proxy, { keepalive: false, headers: { connection: 'close' } })).status;

describe.skipIf(!hasRedis)('after a restart nobody begins anew', () => {
  let server: RedisServer;
  beforeAll(async () => {
    server = await startRedis();
  });
  afterAll(() => server.stop());
  const redis = () => ({ policy: 'redis', redis: { host: '127.0.0.1', port: server.port } });
  const cluster = () => ({ policy: 'cluster' });
  const requests = { name: 'rate-limiting', limits: { year: LIMIT } };
  const answers = { name: 'response-ratelimiting', limits: { limits: { video: { year: LIMIT } } } };

  interface Setting {
    readonly what: string;
    readonly plugin: { readonly name: string; readonly limits: object };
    readonly policy: () => object;
    readonly stops: readonly NodeJS.Signals[];
  }
  test.each<Setting>([
    { what: 'requests in Redis', plugin: requests, policy: redis, stops: ['SIGTERM', 'SIGKILL'] },
    { what: 'requests in the database', plugin: requests, policy: cluster, stops: ['SIGTERM', 'SIGKILL'] },
    { what: 'answers in Redis', plugin: answers, policy: redis, stops: ['SIGTERM', 'SIGKILL'] },
    { what: 'answers in the database', plugin: answers, policy: cluster, stops: ['SIGTERM', 'SIGKILL'] },
    // What Redis would be told of in an hour, it is told of at a stop.
    { what: 'requests in Redis, now and then', plugin: requests, policy: () => ({ ...redis(), sync_rate: 3600 }), stops: ['SIGTERM'] },
  ])('$what, stopped by $stops', async ({ plugin, policy, stops }) => {
    const folder = newFolder();
    const start = () => startGateway({ folder, environment: { SLUICE_WORKERS: '1' } });
    for (const [index, stop] of stops.entries()) {
      await using gateway = await start();
      const config = { ...plugin.limits, ...policy() };
      if (index === 0) {
        await gateway.request('POST', '/services', { name: 'api', url: upstream.url });
        await gateway.request('POST', '/services/api/routes', { name: 'all', paths: ['/'] });
        expect(await gateway.request('POST', '/routes/all/plugins', { name: plugin.name, config })).toMatchObject({ status: 201 });
      }
      expect([await ask(gateway), await ask(gateway)]).toEqual([200, 200]);
      await gateway.stop(stop);
    }
    await using gateway = await start();
    const statuses: number[] = [];
    while (statuses.at(-1) !== 429) statuses.push(await ask(gateway));
    expect(statuses.filter(status => status === 200)).toHaveLength(LIMIT - 2 * stops.length);
  });
});
