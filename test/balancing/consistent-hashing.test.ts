import { afterAll, describe, expect, setDefaultTimeout, test } from 'bun:test';
import { ConsistentHashing } from '../../src/balancing/consistent-hashing.ts';
import { PeerHealth } from '../../src/balancing/health.ts';
import { Peer } from '../../src/balancing/peer.ts';
import type { Consumer } from '../../src/entities/consumer.ts';
import { definePlugin } from '../../src/plugins/plugin.ts';
import { record } from '../../src/schema/field.ts';
import { randomOf } from '../support/random.ts';
import { startUpstream } from '../support/upstream.ts';
import { type Balanced, startBalanced } from './gateway.ts';

setDefaultTimeout(30_000);

const servers = Array.from({ length: 5 }, () => startUpstream());
for (const server of servers) server.answer({ body: String(server.port) });
afterAll(() => {
  for (const server of servers) server.stop();
});
const targets = servers.map(({ port }) => `127.0.0.1:${port}`);

/** Stands in for a plugin that authenticates. */
const who = definePlugin({
  name: 'who',
  priority: 1000,
  config: record({}),
  configure: () => ({
    access(context) {
      const id = context.request.headers.get('x-who');
      if (id !== null) context.consumer = { id } as Consumer;
      return undefined;
    },
  }),
});

type Sent = readonly [path: string, headers: Record<string, string>];
const plain: Sent = ['/', {}];
const header = (value: string): Sent => ['/', { 'x-tenant': value }];
const cookie = (value: string): Sent => ['/', { cookie: `a=b; session=${value}; c=d` }];
const consumer = (value: string): Sent => ['/', { 'x-who': value }];
const forwarded = (ip: string): Sent => ['/', { 'x-real-ip': ip }];
const path = (value: string): Sent => [value, {}];
const values = Array.from({ length: 40 }, (_, index) => `value-${index}`);

const balanced = (upstream: object): Balanced => ({
  targets,
  upstream: { algorithm: 'consistent-hashing', ...upstream },
  route: { paths: ['~/(?<tenant>[^/?]*)', '/'] },
  plugins: [who],
});

describe('what equals have in common', () => {
  test.each<[string, object, (value: string) => Sent]>([
    ['a header', { hash_on: 'header', hash_on_header: 'X-Tenant' }, header],
    ['a cookie', { hash_on: 'cookie', hash_on_cookie: 'session' }, cookie],
    ['the consumer', { hash_on: 'consumer' }, consumer],
    ['the path', { hash_on: 'path' }, value => path(`/${value}`)],
    ['an argument', { hash_on: 'query_arg', hash_on_query_arg: 'who' }, value => path(`/?x=1&who=${value}`)],
    ['a capture', { hash_on: 'uri_capture', hash_on_uri_capture: 'tenant' }, value => path(`/${value}`)],
    ['a header where there is no consumer', { hash_on: 'consumer', hash_fallback: 'header', hash_fallback_header: 'x-tenant' }, header],
    [
      'the path where there is no header',
      { hash_on: 'header', hash_on_header: 'x-none', hash_fallback: 'path' },
      value => path(`/${value}`),
    ],
    [
      'an argument where there is no header',
      { hash_on: 'header', hash_on_header: 'x-none', hash_fallback: 'query_arg', hash_fallback_query_arg: 'a b' },
      value => path(`/?a%20b=${value}`),
    ],
    [
      'a capture where there is no consumer',
      { hash_on: 'consumer', hash_fallback: 'uri_capture', hash_fallback_uri_capture: 'tenant' },
      value => path(`/${value}`),
    ],
    [
      'the cookie where there is no header',
      { hash_on: 'header', hash_on_header: 'x-none', hash_fallback: 'cookie', hash_on_cookie: 'session' },
      cookie,
    ],
  ])('%s', async (_, upstream, requestOf) => {
    await using gateway = await startBalanced(balanced(upstream));
    await gateway.admin('POST', '/plugins', { name: 'who' });
    const served = async () => {
      const ports: string[] = [];
      for (const value of values) {
        const [where, headers] = requestOf(value);
        ports.push(await (await fetch(gateway.url + where, { headers })).text());
      }
      return ports;
    };
    const first = await served();
    expect(await served()).toEqual(first);
    // Different ones are spread.
    expect(new Set(first).size).toBeGreaterThan(2);
  });

  test.each<[string, object, Sent]>([
    ['the address of the client', { hash_on: 'ip' }, forwarded('10.1.1.1')],
    ['nothing', {}, plain],
    ['a header that nobody sends', { hash_on: 'header', hash_on_header: 'x-none' }, plain],
  ])('%s: all go to one', async (_, upstream, [where, headers]) => {
    await using gateway = await startBalanced(balanced(upstream));
    const answers = await gateway.send(6, where, { headers });
    expect(new Set(await Promise.all(answers.map(answer => answer.text()))).size).toBe(1);
  });

  test('of an argument that comes several times, whatever the order', async () => {
    await using gateway = await startBalanced(balanced({ hash_on: 'query_arg', hash_on_query_arg: 'q' }));
    for (const value of values.slice(0, 10)) {
      const [one, other] = [`/?q=a&q=${value}`, `/?q=${value}&z=1&q=a`];
      expect(await (await fetch(gateway.url + one)).text()).toBe(await (await fetch(gateway.url + other)).text());
    }
  });
});

describe('a cookie', () => {
  const upstream = { hash_on: 'cookie', hash_on_cookie: 'session', hash_on_cookie_path: '/app' };

  test('is set for who has none, and brings back to the same target', async () => {
    await using gateway = await startBalanced(balanced(upstream));
    for (let client = 0; client < 8; client++) {
      const first = await fetch(gateway.url);
      const [set = ''] = first.headers.getSetCookie();
      expect(set).toMatch(/^session=[0-9a-f-]{36}; Path=\/app; Same-Site=Lax; HttpOnly$/);
      const again = await fetch(gateway.url, { headers: { cookie: set.split(';')[0] ?? '' } });
      expect(await again.text()).toBe(await first.text());
      expect(again.headers.getSetCookie()).toEqual([]);
    }
  });

  test('of that name from the target gives way, others stay', async () => {
    for (const server of servers) {
      server.answer({
        body: String(server.port),
        headers: [
          ['Set-Cookie', 'session=theirs'],
          ['Set-Cookie', 'other=1'],
        ],
      });
    }
    await using gateway = await startBalanced(balanced(upstream));
    const { headers } = await fetch(gateway.url);
    expect(headers.getSetCookie()).toEqual(['other=1', expect.stringMatching(/^session=[0-9a-f-]{36};/)]);
    for (const server of servers) server.answer({ body: String(server.port) });
  });
});

describe('the ring', () => {
  const peersOf = (weights: Readonly<Record<string, number>>) =>
    Object.entries(weights).map(([ip, weight]) => {
      const presentation = { hostHeader: null, useSrvName: false, clientCertificate: null };
      return Object.assign(new Peer(ip, { ip, port: 80, weight: null, srvName: null }, new PeerHealth(), presentation), { weight });
    });
  const ringOf = (peers: readonly Peer[]) => {
    const ring = new ConsistentHashing(10_000);
    ring.arrange(peers, peers.length);
    return ring;
  };
  const keys = Array.from({ length: 20_000 }, (_, index) => `key ${index}`);
  const five = { '10.0.0.1': 100, '10.0.0.2': 100, '10.0.0.3': 100, '10.0.0.4': 100, '10.0.0.5': 100 };

  test('is the one that Kong would make, searched slot by slot', () => {
    const random = randomOf(7);
    for (let round = 0; round < 20; round++) {
      const weights = Object.fromEntries(
        Array.from({ length: 1 + random.below(40) }, (_, index) => [`10.0.${round}.${index + 10}`, 1 + random.below(100)]),
      );
      const peers = peersOf(weights);
      const slots: string[] = [];
      const total = Object.values(weights).reduce((sum, weight) => sum + weight, 0);
      for (const [ip, weight] of Object.entries(weights)) {
        let left = Math.max(1, Math.floor((weight / total) * peers.length * 160));
        for (let number = 1; left > 0; number++) {
          const slot = Bun.hash.xxHash32(`${ip}::80 ${number}`) % 10_000;
          if (slots[slot] !== undefined) continue;
          slots[slot] = ip;
          left--;
        }
      }
      const ring = ringOf(peers);
      for (const key of keys.slice(0, 500)) {
        let slot = Bun.hash.xxHash32(key) % 10_000;
        while (slots[slot] === undefined) slot = slot === 0 ? 9_999 : slot - 1;
        expect(ring.pick([], key)?.ip).toBe(slots[slot] as string);
      }
    }
  });

  test('moves few when a target comes, all of them to it', () => {
    const before = ringOf(peersOf(five));
    const after = ringOf(peersOf({ ...five, '10.0.0.6': 100 }));
    const moved = keys.filter(key => before.pick([], key)?.ip !== after.pick([], key)?.ip);
    const toNew = moved.filter(key => after.pick([], key)?.ip === '10.0.0.6');
    // A point that two would have taken may go to the other one now.
    expect(toNew.length / moved.length).toBeGreaterThan(0.97);
    expect(moved.length / keys.length).toBeLessThan(0.25);
    expect(moved.length / keys.length).toBeGreaterThan(0.1);
  });

  test('moves nobody but those of a target that is not well, and brings them back', () => {
    const peers = peersOf(five);
    const ring = ringOf(peers);
    const before = keys.map(key => ring.pick([], key)?.ip);
    peers[2]?.health.set('unhealthy');
    const meanwhile = keys.map(key => ring.pick([], key)?.ip);
    expect(meanwhile).not.toContain('10.0.0.3');
    expect(before.filter((ip, index) => ip !== meanwhile[index] && ip !== '10.0.0.3')).toEqual([]);
    peers[2]?.health.set('healthy');
    expect(keys.map(key => ring.pick([], key)?.ip)).toEqual(before);
  });

  test('shares by weight', () => {
    const ring = ringOf(peersOf({ '10.0.0.1': 300, '10.0.0.2': 100 }));
    const share = keys.filter(key => ring.pick([], key)?.ip === '10.0.0.1').length / keys.length;
    expect(share).toBeGreaterThan(0.65);
    expect(share).toBeLessThan(0.85);
  });

  test('goes on with the next of those that were not tried', () => {
    const peers = peersOf(five);
    const ring = ringOf(peers);
    const tried: Peer[] = [];
    for (let next = ring.pick(tried, 'key'); next !== null; next = ring.pick(tried, 'key')) tried.push(next);
    expect(tried.map(({ ip }) => ip).toSorted()).toEqual(Object.keys(five));
  });

  test('leaves nobody out where targets are many for its slots', () => {
    const many = Object.fromEntries(Array.from({ length: 300 }, (_, index) => [`10.1.${index >> 8}.${index & 255}`, 100]));
    const ring = ringOf(peersOf(many));
    expect(new Set(keys.map(key => ring.pick([], key)?.ip)).size).toBe(300);
  });

  test('ends where one is heavy and thousands are light', () => {
    const many = Object.fromEntries(
      Array.from({ length: 3000 }, (_, index) => [`10.1.${index >> 8}.${index & 255}`, index === 0 ? 65535 : 1]),
    );
    expect(ringOf(peersOf(many)).pick([], 'key')).not.toBeNull();
  });
});
