import { afterAll, describe, expect, test } from 'bun:test';
import { configurationOf, nameOf, PLUGINS, REQUESTS, STEPS } from '../support/precedence.ts';
import { serveConfigurations } from '../support/served.ts';

const rig = await serveConfigurations();
afterAll(rig.close);

describe.each(PLUGINS)('of the configurations of $plugin the most specific applies', shown => {
  test.each(STEPS.map((step, index) => [nameOf(step), index] as const))('from %s on', async (_, index) => {
    const steps = STEPS.slice(index);
    await rig.load(configurationOf(shown, index % 2 === 0 ? steps : steps.toReversed()));
    for (const [path, apikey, owners] of REQUESTS) {
      const wanted = steps.find(step => step.every(owner => owners.includes(owner)));
      const applied = shown.stepIn(await rig.ask(path, { headers: { apikey } }));
      expect([path, apikey, applied]).toEqual([path, apikey, wanted && nameOf(wanted)]);
    }
  });
});

test('the anonymous consumer has configurations of its own', async () => {
  await rig.load({
    consumers: [{ username: 'nobody' }],
    services: [{ name: 'api', url: 'upstream', routes: [{ name: 'mine', paths: ['/mine'] }] }],
    plugins: [
      { name: 'key-auth', config: { anonymous: 'nobody' } },
      { name: 'request-termination', consumer: 'nobody', config: { status_code: 403 } },
    ],
  });
  expect((await rig.ask('/mine')).status).toBe(403);
});

test('consumers of a group have limits of their own, each its own count', async () => {
  await rig.load({
    consumer_groups: [{ name: 'gold' }],
    consumers: ['ann', 'bob', 'eve'].map(name => ({
      username: name,
      keyauth_credentials: [{ key: name }],
      groups: name === 'eve' ? [] : [{ name: 'gold' }],
    })),
    services: [{ name: 'api', url: 'upstream', routes: [{ name: 'mine', paths: ['/mine'] }] }],
    plugins: [
      { name: 'key-auth' },
      { name: 'rate-limiting', config: { year: 1, policy: 'local' } },
      { name: 'rate-limiting', consumer_group: 'gold', config: { year: 3, policy: 'local' } },
    ],
  });
  const passed = async (apikey: string) => {
    const statuses = [];
    for (let asked = 0; asked < 5; asked++) statuses.push((await rig.ask('/mine', { headers: { apikey } })).status);
    return statuses.filter(status => status === 200).length;
  };
  expect([await passed('ann'), await passed('bob'), await passed('eve')]).toEqual([3, 3, 1]);
});

test('a plugin that runs before authentication knows no consumer', async () => {
  await rig.load({
    consumers: [{ username: 'ann', keyauth_credentials: [{ key: 'ann' }] }],
    services: [{ name: 'api', url: 'upstream', routes: [{ name: 'mine', paths: ['/mine'] }] }],
    plugins: [
      { name: 'key-auth' },
      { name: 'correlation-id', config: { header_name: 'x-everybody' } },
      { name: 'correlation-id', consumer: 'ann', config: { header_name: 'x-ann' } },
    ],
  });
  const { sent } = await rig.ask('/mine', { headers: { apikey: 'ann' } });
  expect([sent?.header('x-everybody'), sent?.header('x-ann')]).toEqual([expect.any(String), undefined]);
});

test('a consumer that comes into a group, or leaves it, has its configurations from the next request on', async () => {
  const load = (groups: readonly string[]) =>
    rig.load({
      consumer_groups: [{ name: 'gold' }, { name: 'silver' }],
      consumers: [{ username: 'ann', keyauth_credentials: [{ key: 'ann' }], groups: groups.map(name => ({ name })) }],
      services: [{ name: 'api', url: 'upstream', routes: [{ name: 'mine', paths: ['/mine'] }] }],
      plugins: [
        { name: 'key-auth' },
        { name: 'request-termination', consumer_group: 'gold', config: { status_code: 418 } },
        { name: 'request-termination', consumer_group: 'silver', config: { status_code: 420 } },
      ],
    });
  const statuses = [];
  for (const groups of [[], ['silver'], ['silver', 'gold'], ['gold'], []]) {
    await load(groups);
    statuses.push((await rig.ask('/mine', { headers: { apikey: 'ann' } })).status);
  }
  // Of several groups the first by name decides.
  expect(statuses).toEqual([200, 420, 418, 418, 200]);
});

describe('a configuration that does not work', () => {
  const ENDPOINT = '{vault://nowhere/at-all}';
  const loading = (plugins: readonly object[]) =>
    rig.load({
      consumer_groups: [{ name: 'gold' }],
      consumers: [
        { username: 'ann', keyauth_credentials: [{ key: 'ann' }], groups: [{ name: 'gold' }] },
        { username: 'eve', keyauth_credentials: [{ key: 'eve' }] },
      ],
      services: [{ name: 'api', url: 'upstream', routes: [{ paths: ['/'] }] }],
      plugins: [{ name: 'key-auth' }, ...plugins],
    });
  const statuses = async () => {
    const ask = async (key: string) => (await rig.ask('/', { headers: { apikey: key } })).status;
    return [await ask('ann'), await ask('eve')];
  };

  test.each([
    ['of everybody', {}, [500, 500]],
    ['of a consumer', { consumer: 'ann' }, [500, 200]],
    ['of a consumer group', { consumer_group: 'gold' }, [500, 200]],
  ])('%s lets none of their requests pass', async (_, owner, wanted) => {
    await loading([{ name: 'opentelemetry', ...owner, config: { traces_endpoint: ENDPOINT } }]);
    expect(await statuses()).toEqual(wanted);
  });

  test('of one consumer leaves those of others where they were', async () => {
    const limits = { minute: 1, policy: 'redis', redis: { host: '127.0.0.1', password: ENDPOINT } };
    await loading([
      { name: 'rate-limiting', consumer: 'ann', config: limits },
      { name: 'rate-limiting', consumer: 'eve', config: { minute: 1 } },
    ]);
    expect([await statuses(), await statuses()]).toEqual([
      [500, 200],
      [500, 429],
    ]);
  });
});
