import { afterAll, describe, expect, test } from 'bun:test';
import { acl } from '../../src/plugins/acl/acl.ts';
import type { Context } from '../../src/plugins/context.ts';
import { startGateway } from '../proxy/gateway.ts';
import { configured, openHost } from '../support/host.ts';
import { serveConfigurations } from '../support/served.ts';

const rig = await serveConfigurations();
afterAll(rig.close);

const serving = (config: object, auth: object = {}) =>
  rig.load({
    consumer_groups: [{ name: 'gold' }],
    consumers: [
      { username: 'ann', keyauth_credentials: [{ key: 'ann' }], acls: [{ group: 'dev' }, { group: 'öps' }], groups: [{ name: 'gold' }] },
      { username: 'bob', keyauth_credentials: [{ key: 'bob' }] },
      { username: 'nobody' },
      { username: 'guest', acls: [{ group: 'guests' }] },
    ],
    services: [{ name: 'api', url: 'upstream', routes: [{ paths: ['/'] }] }],
    plugins: [
      { name: 'key-auth', config: auth },
      { name: 'acl', config },
    ],
  });

const utf8 = (text: string | undefined) => text && Buffer.from(text, 'latin1').toString();
const FORBIDDEN = 'You cannot consume this service';

describe('who passes', () => {
  test.each<readonly [string, object, string, number]>([
    ['of a group that is allowed', { allow: ['ops', 'dev'] }, 'ann', 200],
    ['of no group that is allowed', { allow: ['admin'] }, 'ann', 403],
    ['of a group that is denied', { deny: ['dev'] }, 'ann', 403],
    ['of no group that is denied', { deny: ['admin'] }, 'ann', 200],
    ['of no group, where some are allowed', { allow: ['dev'] }, 'bob', 403],
    ['of no group, where some are denied', { deny: ['dev'] }, 'bob', 200],
    ['of a group of another case', { allow: ['Dev'] }, 'ann', 403],
    ['of a consumer group, which is not looked at', { allow: ['gold'] }, 'ann', 403],
    ['of a consumer group', { allow: ['gold'], include_consumer_groups: true }, 'ann', 200],
    ['of a consumer group that is denied', { deny: ['gold'], include_consumer_groups: true }, 'ann', 403],
    ['of no consumer group', { allow: ['gold'], include_consumer_groups: true }, 'bob', 403],
    ['where groups from elsewhere come first, and there are none', { allow: ['dev'], always_use_authenticated_groups: true }, 'ann', 200],
  ])('%s', async (_, config, key, status) => {
    await serving(config);
    const answered = await rig.ask('/', { headers: { apikey: key } });
    expect(answered.status).toBe(status);
    if (status === 403) {
      expect(answered.json).toEqual({ message: FORBIDDEN, request_id: answered.headers.get('x-kong-request-id') });
      expect(answered.sent).toBeUndefined();
    }
  });

  test.each<readonly [string, object, string, number]>([
    ['an anonymous consumer without groups', { allow: ['guests'] }, 'nobody', 401],
    ['an anonymous consumer of a group', { allow: ['guests'] }, 'guest', 200],
    ['an anonymous consumer of another group', { allow: ['dev'] }, 'guest', 403],
    ['an anonymous consumer, where others are denied', { deny: ['dev'] }, 'nobody', 200],
  ])('%s', async (_, config, anonymous, status) => {
    await serving(config, { anonymous });
    expect((await rig.ask('/')).status).toBe(status);
  });

  test('nobody without authentication', async () => {
    await rig.load({
      services: [{ name: 'api', url: 'upstream', routes: [{ paths: ['/'] }] }],
      plugins: [{ name: 'acl', config: { deny: ['x'] } }],
    });
    const { status, json } = await rig.ask('/');
    expect([status, json]).toEqual([401, expect.objectContaining({ message: 'Unauthorized' })]);
  });

  test('a consumer that comes into a group, from the next request on', async () => {
    const consumer = (groups: readonly string[]) => ({
      username: 'bob',
      keyauth_credentials: [{ key: 'bob' }],
      acls: groups.map(group => ({ group })),
    });
    const load = (groups: readonly string[]) =>
      rig.load({
        consumers: [consumer(groups)],
        services: [{ name: 'api', url: 'upstream', routes: [{ paths: ['/'] }] }],
        plugins: [{ name: 'key-auth' }, { name: 'acl', config: { allow: ['dev'] } }],
      });
    const status = async () => (await rig.ask('/', { headers: { apikey: 'bob' } })).status;
    await load([]);
    expect(await status()).toBe(403);
    await load(['dev']);
    expect(await status()).toBe(200);
  });
});

describe('the upstream is told', () => {
  const CLAIMS = { 'X-Consumer-Groups': 'admin', 'X-Authenticated-Groups': 'admin' };
  const told = async (config: object, key: string) => {
    await serving(config);
    const { sent } = await rig.ask('/', { headers: { apikey: key, ...CLAIMS } });
    return [utf8(sent?.header('x-consumer-groups'))?.split(', ').sort(), sent?.header('x-authenticated-groups')];
  };

  test('the groups, and not those that the client says', async () => {
    expect(await told({ allow: ['dev'] }, 'ann')).toEqual([['dev', 'öps'], undefined]);
  });

  test('consumer groups with them', async () => {
    expect(await told({ allow: ['dev'], include_consumer_groups: true }, 'ann')).toEqual([['dev', 'gold', 'öps'], undefined]);
  });

  test('nothing, when the operator hides them, or there are none', async () => {
    expect(await told({ allow: ['dev'], hide_groups_header: true }, 'ann')).toEqual([undefined, undefined]);
    expect(await told({ deny: ['x'] }, 'bob')).toEqual([undefined, undefined]);
  });
});

describe('groups that somebody else vouches for', () => {
  const through = async (config: object, identity: Partial<Context>) => {
    const vouch = { access: (context: Context) => void Object.assign(context, identity) };
    using gateway = startGateway({ url: rig.upstream.url, plugins: [vouch, configured(acl, config, openHost().host)] });
    const before = rig.upstream.requests.length;
    const { status } = await fetch(gateway.url);
    const sent = rig.upstream.requests[before];
    return [status, sent?.header('x-authenticated-groups'), sent?.header('x-consumer-groups')];
  };
  const somebody = { consumer: { id: 'c' } as Context['consumer'], credential: { id: 'd' } };
  const groups = { authenticatedGroups: ['eng', 'ops'] };

  test.each<readonly [string, object, Partial<Context>, (number | string | undefined)[]]>([
    ['let a client pass whom nobody knows', { allow: ['eng'] }, groups, [200, 'eng, ops', undefined]],
    ['keep a client away whom nobody knows', { deny: ['eng'] }, groups, [403, undefined, undefined]],
    [
      'come before those of an anonymous consumer',
      { allow: ['eng'] },
      { ...groups, consumer: somebody.consumer },
      [200, 'eng, ops', undefined],
    ],
    ['come after those of a consumer', { allow: ['eng'] }, { ...groups, ...somebody }, [403, undefined, undefined]],
    [
      'come before those of a consumer, where the operator says so',
      { allow: ['eng'], always_use_authenticated_groups: true },
      { ...groups, ...somebody },
      [200, 'eng, ops', undefined],
    ],
    ['are missed where only a credential is known', { allow: ['eng'] }, { credential: { id: 'd' } }, [403, undefined, undefined]],
  ])('%s', async (_, config, identity, wanted) => {
    expect(await through(config, identity)).toEqual(wanted);
  });
});

test.each<readonly [object, string]>([
  [{}, "at least one of these fields must be non-empty: 'config.allow', 'config.deny'"],
  [{ allow: [] }, "at least one of these fields must be non-empty: 'config.allow', 'config.deny'"],
  [{ allow: ['a'], deny: ['b'] }, "exactly one of these fields must be non-empty: 'config.allow', 'config.deny'"],
])('%o is refused', async (config, message) => {
  await expect(serving(config)).rejects.toThrow(message);
});
