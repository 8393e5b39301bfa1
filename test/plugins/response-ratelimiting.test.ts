import { afterAll, afterEach, beforeEach, describe, expect, setSystemTime, test } from 'bun:test';
import { join } from 'node:path';
import type { Context } from '../../src/plugins/context.ts';
import type { Host } from '../../src/plugins/plugin.ts';
import { responseRatelimiting } from '../../src/plugins/response-ratelimiting.ts';
import { SqliteCounters } from '../../src/store/sqlite-counters.ts';
import { startGateway } from '../proxy/gateway.ts';
import { newFolder } from '../support/executable.ts';
import { configured, openHost } from '../support/host.ts';
import { freePort, hasRedis, startRedis } from '../support/redis-server.ts';
import { startUpstream } from '../support/upstream.ts';

if (!hasRedis) console.log('skipped: needs redis-server');

const upstream = startUpstream();
afterAll(() => upstream.stop());
beforeEach(() => void setSystemTime(new Date('2027-01-31T23:59:30.250Z')));
afterEach(() => void setSystemTime());

const VIDEO = { limits: { video: { minute: 3 } } };

/** A gateway whose answers come by the plugin; the upstream says what each has used. */
function limited(config: object, { host = openHost().host, known = () => {} }: { host?: Host; known?: (context: Context) => void } = {}) {
  const before = {
    access(context: Context) {
      known(context);
      return undefined;
    },
  };
  const phases = configured(responseRatelimiting, config, host);
  const gateway = startGateway({ url: upstream.url, plugins: [before, phases] });
  return {
    phases,
    async ask(used?: string, header = 'X-Kong-Limit') {
      upstream.answer({ body: 'a film', headers: used === undefined ? {} : { [header]: used } });
      const count = upstream.requests.length;
      const response = await fetch(gateway.url);
      const told = Object.fromEntries([...response.headers].filter(([name]) => /ratelimit|kong-limit|x-used/.test(name)));
      const sent = upstream.requests[count];
      return { status: response.status, told, body: await response.text(), left: sent?.header('x-ratelimit-remaining-video'), sent };
    },
    [Symbol.dispose]: () => gateway[Symbol.dispose](),
  };
}

test('answers count as the upstream says, which hears what is left, until the limit is used up', async () => {
  using gateway = limited(VIDEO);
  expect(await gateway.ask('video=2')).toMatchObject({
    status: 200,
    body: 'a film',
    left: '3',
    told: { 'x-ratelimit-limit-video-minute': '3', 'x-ratelimit-remaining-video-minute': '1' },
  });
  expect(await gateway.ask()).toMatchObject({ status: 200, left: '1', told: { 'x-ratelimit-remaining-video-minute': '1' } });
  // What began below the limit may go beyond it.
  expect(await gateway.ask('video=2')).toMatchObject({ status: 200, left: '1', told: { 'x-ratelimit-remaining-video-minute': '0' } });
  const refused = await gateway.ask('video=1');
  expect(refused).toMatchObject({ status: 429, body: '', left: '-1', told: { 'x-ratelimit-limit-video-minute': '3' } });
  expect(refused.told).not.toHaveProperty('x-kong-limit');
  expect(await gateway.ask()).toMatchObject({ status: 200 });
  setSystemTime(new Date('2027-02-01T00:00:00Z'));
  expect(await gateway.ask('video=1')).toMatchObject({ status: 200, left: '3' });
});

test('each limit is its own, and an answer that one of them holds back is counted by none', async () => {
  using gateway = limited({ limits: { video: { minute: 1, hour: 5 }, image: { day: 10 } } });
  expect((await gateway.ask('video=1, image=4')).told).toEqual({
    'x-ratelimit-limit-image-day': '10',
    'x-ratelimit-limit-video-hour': '5',
    'x-ratelimit-limit-video-minute': '1',
    'x-ratelimit-remaining-image-day': '6',
    'x-ratelimit-remaining-video-hour': '4',
    'x-ratelimit-remaining-video-minute': '0',
  });
  expect((await gateway.ask('video=1,image=1')).status).toBe(429);
  const next = await gateway.ask('image=1');
  expect([next.status, next.told['x-ratelimit-remaining-image-day'], next.told['x-ratelimit-remaining-video-hour']]).toEqual([
    200,
    '5',
    '4',
  ]);
  expect([next.left, next.sent?.header('x-ratelimit-remaining-image')]).toEqual(['0', '6']);
});

test.each(['', 'video', 'video=', 'video=x', 'video=1e3', '=1', 'sound=1', 'video=1=1', '__proto__=1', 'video=99999999999999999999'])(
  'what says nothing of a limit counts nothing: %p',
  async used => {
    using gateway = limited(VIDEO);
    expect((await gateway.ask(used)).told['x-ratelimit-remaining-video-minute']).toBe('3');
  },
);

test('an upstream may give back', async () => {
  using gateway = limited(VIDEO);
  await gateway.ask('video=3');
  expect((await gateway.ask('video=-2')).told['x-ratelimit-remaining-video-minute']).toBe('2');
});

test('the header may have another name, and clients need not see what is left', async () => {
  using gateway = limited({ ...VIDEO, header_name: 'X-Used', hide_client_headers: true });
  expect(await gateway.ask('video=3', 'X-Used')).toMatchObject({ status: 200, told: {} });
  expect(await gateway.ask('video=1', 'X-Used')).toMatchObject({ status: 429, told: {} });
});

test('with block_on_first_violation requests do not reach the upstream once a limit is used up', async () => {
  using gateway = limited({ ...VIDEO, block_on_first_violation: true });
  await gateway.ask('video=4');
  const { status, body, sent } = await gateway.ask('video=1');
  expect([status, JSON.parse(body).message, sent]).toEqual([429, "API rate limit exceeded for 'video'", undefined]);
});

test('clients are told apart by consumer or credential', async () => {
  for (const limit_by of ['consumer', 'credential'] as const) {
    let name = 'anna';
    using gateway = limited(
      { ...VIDEO, limit_by },
      {
        known: context => {
          Object.assign(context, { consumer: { id: name }, credential: { id: name } });
        },
      },
    );
    await gateway.ask('video=3');
    expect((await gateway.ask('video=1')).status).toBe(429);
    name = 'berta';
    expect((await gateway.ask('video=1')).status).toBe(200);
  }
});

test('an answer of the gateway itself is counted by nobody', async () => {
  using gateway = limited(VIDEO, {
    known: () => {
      throw new Error('no');
    },
  });
  expect(await gateway.ask('video=1')).toMatchObject({ status: 500, told: {} });
});

describe('a configuration is refused', () => {
  test.each([
    [{}, 'config.limits: required field missing'],
    [{ limits: {} }, 'length must be at least 1'],
    [{ limits: { video: {} } }, "at least one of these fields must be non-empty: 'second', 'minute', 'hour', 'day', 'month', 'year'"],
    [{ limits: { video: { second: 10, minute: 5 } } }, 'The limit for minute(5.0) cannot be lower than the limit for second(10.0)'],
    [{ limits: { 'a film': { second: 1 } } }, "'a film' cannot be in the name of a header"],
    [{ ...VIDEO, header_name: 'a b' }, "'a b' cannot be in the name of a header"],
    [{ ...VIDEO, policy: 'cluster' }, 'expected one of: local, redis'],
    [{ ...VIDEO, policy: 'redis' }, 'host = "required field missing"'],
    [{ ...VIDEO, limit_by: 'path' }, 'expected one of: consumer, credential, ip'],
  ])('%j', (config, message) => {
    expect(() => configured(responseRatelimiting, config, openHost().host)).toThrow(message);
  });
});

test.skipIf(!hasRedis).each(['local', 'cluster', 'redis'])('%s: of many answers at once as many pass as the limit says', async policy => {
  setSystemTime();
  await using redis = await startRedis();
  const host = { ...openHost().host, databaseCounters: new SqliteCounters(join(newFolder(), 'counters')) };
  const config = { limits: { video: { year: 20 } }, policy, redis: { host: '127.0.0.1', port: redis.port } };
  using gateway = limited(config, { host });
  const answers = await Promise.all(Array.from({ length: 64 }, () => gateway.ask('video=1')));
  expect(answers.filter(({ status }) => status === 200).length).toBe(20);
  await gateway.phases.close?.();
});

test.each([
  [true, 200],
  [false, 500],
])('fault_tolerant %p: without a server requests are answered with %d', async (fault_tolerant, status) => {
  const { host, said } = openHost();
  const redis = { host: '127.0.0.1', port: freePort() };
  using gateway = limited({ ...VIDEO, policy: 'redis', redis, fault_tolerant }, { host });
  expect((await gateway.ask('video=1')).status).toBe(status);
  expect(said('error')).toEqual(['response-ratelimiting c4fe: failed to get usage']);
  await gateway.phases.close?.();
});
