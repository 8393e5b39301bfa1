import { Database } from 'bun:sqlite';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, setSystemTime, test } from 'bun:test';
import { join } from 'node:path';
import { consumerGroup } from '../../src/entities/consumer-group.ts';
import { ConfigurationError } from '../../src/lib/configuration-error.ts';
import type { Context } from '../../src/plugins/context.ts';
import type { Host, PluginInstance } from '../../src/plugins/plugin.ts';
import { rateLimiting } from '../../src/plugins/rate-limiting.ts';
import { SqliteCounters } from '../../src/store/sqlite-counters.ts';
import { type Setting, startGateway } from '../proxy/gateway.ts';
import { newFolder } from '../support/executable.ts';
import { configured, openHost } from '../support/host.ts';
import { hasRedis, type RedisServer, startRedis } from '../support/redis-server.ts';
import { startUpstream } from '../support/upstream.ts';

if (!hasRedis) console.log('skipped: needs redis-server');

const upstream = startUpstream();
afterAll(() => upstream.stop());

interface Given extends Partial<Setting> {
  readonly host?: Host;
  readonly instance?: Partial<PluginInstance>;
  /** What the plugins before it have found out. */
  readonly known?: (context: Context) => void;
}

/** A gateway whose requests come by the plugin as it is configured. */
function limited(config: object, { host = openHost().host, instance, known = () => {}, ...setting }: Given = {}) {
  const before = {
    access(context: Context) {
      known(context);
      return undefined;
    },
  };
  const phases = configured(rateLimiting, config, host, instance);
  const gateway = startGateway({ url: upstream.url, plugins: [before, phases], ...setting });
  return {
    phases,
    async ask(path = '/', init: RequestInit = {}) {
      const response = await fetch(gateway.url + path, init);
      const headers = Object.fromEntries([...response.headers].filter(([name]) => /^(x-)?ratelimit|^retry/.test(name)));
      return { status: response.status, headers, body: await response.text() };
    },
    /** The statuses of so many requests, one after the other. */
    async statuses(count: number, path = '/', init: RequestInit = {}) {
      const statuses = [];
      for (let number = 0; number < count; number++) statuses.push((await this.ask(path, init)).status);
      return statuses;
    },
    [Symbol.dispose]: () => gateway[Symbol.dispose](),
  };
}

describe('by the calendar', () => {
  beforeEach(() => void setSystemTime(new Date('2027-01-31T23:59:30.250Z')));
  afterEach(() => void setSystemTime());

  test('requests pass until the limit, and what is left is said', async () => {
    using gateway = limited({ minute: 2 });
    expect(await gateway.ask()).toMatchObject({
      status: 200,
      headers: {
        'ratelimit-limit': '2',
        'ratelimit-remaining': '1',
        'ratelimit-reset': '30',
        'x-ratelimit-limit-minute': '2',
        'x-ratelimit-remaining-minute': '1',
      },
    });
    expect((await gateway.ask()).headers['ratelimit-remaining']).toBe('0');
    const refused = await gateway.ask();
    expect(refused).toMatchObject({
      status: 429,
      headers: {
        'ratelimit-limit': '2',
        'ratelimit-remaining': '0',
        'ratelimit-reset': '30',
        'retry-after': '30',
        'x-ratelimit-limit-minute': '2',
        'x-ratelimit-remaining-minute': '0',
      },
    });
    expect(JSON.parse(refused.body)).toEqual({ message: 'API rate limit exceeded', request_id: expect.any(String) });
    setSystemTime(new Date('2027-02-01T00:00:00.000Z'));
    expect(await gateway.statuses(3)).toEqual([200, 200, 429]);
  });

  test.each([
    ['second', '2027-01-31T23:59:30.999Z', '2027-01-31T23:59:31.000Z', '1'],
    ['minute', '2027-01-31T23:59:59.999Z', '2027-02-01T00:00:00.000Z', '30'],
    ['hour', '2027-01-31T23:59:59.999Z', '2027-02-01T00:00:00.000Z', '30'],
    ['day', '2027-01-31T23:59:59.999Z', '2027-02-01T00:00:00.000Z', '30'],
    ['month', '2027-01-31T23:59:59.999Z', '2027-02-01T00:00:00.000Z', '30'],
    ['year', '2027-12-31T23:59:59.999Z', '2028-01-01T00:00:00.000Z', String(334 * 86_400 + 30)],
  ])('a %s', async (period, last, next, reset) => {
    using gateway = limited({ [period]: 1 });
    expect((await gateway.ask()).headers['ratelimit-reset']).toBe(reset);
    setSystemTime(new Date(last));
    expect((await gateway.ask()).status).toBe(429);
    setSystemTime(new Date(next));
    expect((await gateway.ask()).status).toBe(200);
  });

  test('a clock that is set back counts in the span that it is in, and one that is set forward again goes on there', async () => {
    using gateway = limited({ minute: 1 });
    expect(await gateway.statuses(2)).toEqual([200, 429]);
    setSystemTime(new Date('2027-01-31T23:58:59.000Z'));
    expect(await gateway.statuses(2)).toEqual([200, 429]);
    setSystemTime(new Date('2027-01-31T23:59:59.000Z'));
    expect(await gateway.statuses(1)).toEqual([429]);
  });

  test('of several limits each holds, the headers speak of the nearest, and what one refuses is counted by none', async () => {
    using gateway = limited({ second: 2, minute: 3, hour: 3 });
    expect((await gateway.ask()).headers).toEqual({
      'ratelimit-limit': '2',
      'ratelimit-remaining': '1',
      'ratelimit-reset': '1',
      'x-ratelimit-limit-second': '2',
      'x-ratelimit-remaining-second': '1',
      'x-ratelimit-limit-minute': '3',
      'x-ratelimit-remaining-minute': '2',
      'x-ratelimit-limit-hour': '3',
      'x-ratelimit-remaining-hour': '2',
    });
    await gateway.ask();
    const refused = await gateway.ask();
    expect([refused.status, refused.headers['x-ratelimit-remaining-minute'], refused.headers['retry-after']]).toEqual([429, '1', '1']);
    setSystemTime(new Date('2027-01-31T23:59:31.000Z'));
    expect((await gateway.ask()).status).toBe(200);
    // Of those used up, the longest says when to come again: here both end together.
    const over = await gateway.ask();
    expect([over.status, over.headers['ratelimit-limit'], over.headers['retry-after']]).toEqual([429, '3', '29']);
  });

  test('a limit that is no whole number lets one more pass than the whole of it', async () => {
    using gateway = limited({ minute: 1.5 });
    expect(await gateway.statuses(3)).toEqual([200, 200, 429]);
  });

  test('without headers there is no Retry-After either', async () => {
    using gateway = limited({ minute: 1, hide_client_headers: true });
    expect((await gateway.ask()).headers).toEqual({});
    expect(await gateway.ask()).toMatchObject({ status: 429, headers: {} });
  });

  test('a refusal has the status and the text that the configuration says', async () => {
    using gateway = limited({ minute: 1, error_code: 503, error_message: 'Come back later' });
    await gateway.ask();
    const { status, body } = await gateway.ask('/', { headers: { accept: 'text/plain' } });
    expect([status, body.split('\n')[0]]).toEqual([503, 'Come back later']);
  });
});

const client = (address: string) => ({ headers: { 'X-Real-IP': address } });
const trusting = { trustedIps: ['127.0.0.1'] };
const someone = { id: 'someone', name: 'someone' } as never;
const isSomeone = (context: Context): void => {
  context.consumer = someone;
};
const hasKey = (context: Context): void => {
  context.credential = { id: 'key' } as never;
};

describe('requests are counted together', () => {
  beforeEach(() => void setSystemTime(new Date('2027-01-31T23:59:30.250Z')));
  afterEach(() => void setSystemTime());

  test('by address, when nobody says otherwise and nobody is known', async () => {
    using gateway = limited({ minute: 1 }, trusting);
    expect(await gateway.statuses(2, '/', client('192.0.2.1'))).toEqual([200, 429]);
    expect(await gateway.statuses(2, '/', client('192.0.2.2'))).toEqual([200, 429]);
  });

  test.each([
    ['consumer', isSomeone],
    ['consumer', hasKey],
    ['credential', hasKey],
    ['service', () => {}],
    ['header', () => {}],
    ['path', () => {}],
    ['consumer-group', isSomeone],
  ] as const)('by %s', async (limit_by, known) => {
    const { host } = openHost();
    const groups: Host = {
      ...host,
      pointingAt: () => () => [{ consumer_group: { id: 'silver' } }, { consumer_group: { id: 'gold' } }] as never,
      lookup: entity => id => ((entity as unknown) === consumerGroup ? ({ id, name: id } as never) : undefined),
    };
    const config = {
      minute: 1,
      limit_by,
      ...(limit_by === 'header' && { header_name: 'X-Tenant' }),
      ...(limit_by === 'path' && { path: '/dear' }),
    };
    using gateway = limited(config, { ...trusting, known, host: groups });
    const from = (address: string) => ({ headers: { ...client(address).headers, 'X-Tenant': 'a' } });
    expect(await gateway.statuses(2, '/dear?x', from('192.0.2.1'))).toEqual([200, 429]);
    expect(await gateway.statuses(1, '/dear', from('192.0.2.2'))).toEqual([429]);
  });

  test.each([
    ['ip', isSomeone],
    ['credential', isSomeone],
    ['header', () => {}],
    ['path', () => {}],
    ['consumer-group', () => {}],
  ] as const)('by address, where there is no %s to tell them by', async (limit_by, known) => {
    const config = { minute: 1, limit_by, header_name: 'X-Tenant', path: '/dear' };
    using gateway = limited(config, { ...trusting, known });
    expect(await gateway.statuses(2, '/', client('192.0.2.1'))).toEqual([200, 429]);
    expect(await gateway.statuses(2, '/', client('192.0.2.2'))).toEqual([200, 429]);
  });

  test.each([
    ['/dear', '/d%65ar'],
    ['/d%65ar', '/dear'],
  ])('by the path %s, also where a client spells it %s', async (path, spelt) => {
    using gateway = limited({ minute: 1, limit_by: 'path', path }, trusting);
    expect(await gateway.statuses(1, path, client('192.0.2.1'))).toEqual([200]);
    expect(await gateway.statuses(1, spelt, client('192.0.2.2'))).toEqual([429]);
  });

  test('by what a client makes up, however long it is, and only a digest of that is kept', async () => {
    const file = join(newFolder(), 'counters');
    const host = { ...openHost().host, databaseCounters: new SqliteCounters(file) };
    using gateway = limited({ minute: 1, limit_by: 'header', header_name: 'X-Tenant', policy: 'cluster' }, { host });
    const tenant = (end: string) => ({ headers: { 'X-Tenant': `${'x'.repeat(10_000)}${end}` } });
    expect(await gateway.statuses(2, '/', tenant('a'))).toEqual([200, 429]);
    expect(await gateway.statuses(2, '/', tenant('b'))).toEqual([200, 429]);
    const lengths = new Database(file).query('SELECT max(length(key)) FROM counters').values();
    expect(Number(lengths[0]?.[0])).toBeLessThan(250);
  });

  test('in one group, when the row is for it', async () => {
    const both = { minute: 1, limit_by: 'consumer-group' };
    using gateway = limited(both, { ...trusting, instance: { consumerGroup: 'gold' } });
    expect(await gateway.statuses(1, '/', client('192.0.2.1'))).toEqual([200]);
    expect(await gateway.statuses(1, '/', client('192.0.2.2'))).toEqual([429]);
  });

  test('by rows for the same route and service, and apart from those of others', async () => {
    const { host } = openHost();
    using first = limited({ minute: 1 }, { host, instance: { route: 'a' } });
    using again = limited({ minute: 1 }, { host, instance: { route: 'a', id: 'another' } });
    using other = limited({ minute: 1 }, { host, instance: { route: 'b' } });
    expect([await first.statuses(1), await again.statuses(1), await other.statuses(1)]).toEqual([[200], [429], [200]]);
  });
});

describe('a configuration is refused', () => {
  test.each([
    [
      {},
      "at least one of these fields must be non-empty: 'config.second', 'config.minute', 'config.hour', 'config.day', 'config.month', 'config.year'",
    ],
    [{ second: 0 }, 'value must be greater than 0'],
    [{ second: 10, minute: 5 }, 'The limit for minute(5.0) cannot be lower than the limit for second(10.0)'],
    [{ hour: 10.5, year: 10 }, 'The limit for year(10.0) cannot be lower than the limit for hour(10.5)'],
    [{ second: 1, limit_by: 'header' }, 'config.header_name: required field missing'],
    [{ second: 1, limit_by: 'header', header_name: 'a b' }, "bad header name 'a b'"],
    [{ second: 1, limit_by: 'path' }, 'config.path: required field missing'],
    [{ second: 1, limit_by: 'path', path: 'x' }, 'should start with: /'],
    [{ second: 1, policy: 'redis' }, 'host = "required field missing"'],
    [{ second: 1, sync_rate: 5 }, 'sync_rate can only be used with a redis policy'],
    [{ second: 1, policy: 'redis', redis: { host: 'a b' } }, 'invalid value: a b'],
    [{ second: 1, policy: 'redis', redis: { host: 'localhost' }, sync_rate: -3 }, 'expected -1, or a number of seconds'],
    [{ second: 1, error_code: 204 }, 'expected a status between 200 and 599'],
    [{ second: 1, error_code: 4290 }, 'expected a status between 200 and 599'],
    [
      { second: 1, policy: 'redis', redis_host: 'a', redis: { host: 'b' } },
      'both deprecated and new field are used but their values mismatch',
    ],
  ])('%j', (config, message) => {
    expect(() => configured(rateLimiting, config, openHost().host)).toThrow(message);
  });

  test('of the cluster, where there is no database', () => {
    expect(() => configured(rateLimiting, { second: 1, policy: 'cluster' }, openHost().host)).toThrow(
      new ConfigurationError('expected one of: local, redis', 'policy'),
    );
  });
});

describe.skipIf(!hasRedis)('under each policy', () => {
  let redis: RedisServer;
  beforeAll(async () => {
    redis = await startRedis();
  });
  afterAll(() => redis.stop());

  const databases = (file = join(newFolder(), 'counters')) => ({ ...openHost().host, databaseCounters: new SqliteCounters(file) });
  const at = () => ({ policy: 'redis', redis: { host: '127.0.0.1', port: redis.port } });
  const POLICIES: readonly (readonly [string, () => readonly [object, Host]])[] = [
    ['local', () => [{ policy: 'local' }, openHost().host]],
    ['cluster', () => [{ policy: 'cluster' }, databases()]],
    ['redis', () => [at(), openHost().host]],
    ['redis by its old names', () => [{ policy: 'redis', redis_host: '127.0.0.1', redis_port: redis.port }, openHost().host]],
    ['redis every so often', () => [{ ...at(), sync_rate: 0.01 }, openHost().host]],
  ];

  test.each(POLICIES)('%s: of many requests at once, as many pass as the limit says', async (_, setUp) => {
    const [config, host] = setUp();
    using gateway = limited({ ...config, year: 50 }, { host, instance: { route: crypto.randomUUID() } });
    const statuses = await Promise.all(Array.from({ length: 64 }, async () => await gateway.statuses(3)));
    expect(statuses.flat().filter(status => status === 200).length).toBe(50);
    expect(statuses.flat().filter(status => status === 429).length).toBe(64 * 3 - 50);
    await gateway.phases.close?.();
  });

  test.each(POLICIES)('%s: of several limits each holds, and what one refuses is counted by none', async (_, setUp) => {
    const [config, host] = setUp();
    const instance = { route: crypto.randomUUID() };
    using month = limited({ ...config, month: 3, year: 5 }, { host, instance });
    using year = limited({ ...config, year: 5 }, { host, instance });
    expect(await month.statuses(5)).toEqual([200, 200, 200, 429, 429]);
    await month.phases.close?.();
    const { headers } = await year.ask();
    expect(headers).toMatchObject({ 'x-ratelimit-limit-year': '5', 'x-ratelimit-remaining-year': '1' });
    await year.phases.close?.();
  });

  test('cluster: gateways of one database count together, and it outlives them', async () => {
    const file = join(newFolder(), 'counters');
    for (const [index, statuses] of [[200, 200], [200, 429], [429]].entries()) {
      const host = databases(file);
      using gateway = limited({ policy: 'cluster', year: 3 }, { host });
      expect([index, await gateway.statuses(statuses.length)]).toEqual([index, statuses]);
      host.databaseCounters.close();
    }
  });

  test('redis: keys are Kong’s, and end with their period', async () => {
    const route = crypto.randomUUID();
    using gateway = limited({ ...at(), year: 3 }, { instance: { route } });
    await gateway.statuses(2);
    const start = Date.UTC(new Date().getUTCFullYear(), 0);
    const name = `ratelimit:${route}:00000000-0000-0000-0000-000000000000:127.0.0.1:${start}:year`;
    expect(await redis.ask('GET', name)).toBe('2');
    const end = Date.UTC(new Date().getUTCFullYear() + 1, 0) / 1000;
    expect(await redis.ask('EXPIRETIME', name)).toBe(end + 5);
    await gateway.phases.close?.();
  });

  test.each([
    [true, 200],
    [false, 500],
  ])(
    'fault_tolerant %p: without a server each request is answered with %d, once one is there they are counted',
    async (fault_tolerant, status) => {
      let server = await startRedis();
      const { port } = server;
      const { host, said } = openHost();
      using gateway = limited({ policy: 'redis', redis: { host: '127.0.0.1', port }, fault_tolerant, year: 2 }, { host });
      expect(await gateway.statuses(3)).toEqual([200, 200, 429]);
      await server.stop();
      expect(await gateway.statuses(3)).toEqual([status, status, status]);
      expect(said('error')).toEqual(['rate-limiting c4fe: failed to get usage']);
      server = await startRedis({ port });
      expect(await gateway.statuses(3)).toEqual([200, 200, 429]);
      expect(said('notice')).toEqual(['rate-limiting c4fe: counting again']);
      await server.stop();
      await gateway.phases.close?.();
    },
  );
});
