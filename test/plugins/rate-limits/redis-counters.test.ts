import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import type { Window } from '../../../src/lib/window-counters.ts';
import { acquireRedis, RedisCounters, SyncedCounters } from '../../../src/plugins/rate-limits/redis-counters.ts';
import { hasRedis, type RedisServer, startRedis } from '../../support/redis-server.ts';

if (!hasRedis) console.log('skipped: needs redis-server');

const configOf = (port: number) => ({
  host: '127.0.0.1',
  port,
  timeout: 5000,
  username: null,
  password: null,
  database: 0,
  ssl: false,
  ssl_verify: false,
  server_name: null,
});
const inAnHour = Date.now() + 3_600_000;
const window = (key: string, limit: number, amount = 1, endsAt = inAnHour): Window => ({ key, endsAt, limit, amount });
const newKey = () => crypto.randomUUID();

describe.skipIf(!hasRedis)('counters in Redis', () => {
  let server: RedisServer;
  beforeAll(async () => {
    server = await startRedis();
  });
  afterAll(() => server.stop());

  test('add to all windows or to none', async () => {
    const { redis, release } = acquireRedis(configOf(server.port));
    const counters = new RedisCounters(redis);
    const [a, b] = [newKey(), newKey()];
    const both = [window(a, 2), window(b, 3)];
    expect(await counters.read(both)).toEqual([0, 0]);
    expect(await counters.take(both)).toEqual({ counts: [0, 0], full: -1 });
    expect(await counters.take(both)).toEqual({ counts: [1, 1], full: -1 });
    expect(await counters.take(both)).toEqual({ counts: [2, 2], full: 0 });
    expect(await counters.take([window(b, 2.5, 10)])).toEqual({ counts: [2], full: -1 });
    expect(await counters.take([window(b, 3)])).toEqual({ counts: [12], full: 0 });
    expect(await counters.take([window(b, 3, -2)])).toEqual({ counts: [12], full: -1 });
    expect(await counters.read(both)).toEqual([2, 10]);
    release();
  });

  test('have one connection for all that name the same server alike', async () => {
    const clients = async () => String(await server.ask('CLIENT', 'LIST')).split('\n').length;
    const before = await clients();
    const users = Array.from({ length: 5 }, () => acquireRedis(configOf(server.port)));
    for (const { redis } of users) await redis.send('PING', []);
    expect(await clients()).toBe(before + 1);
    for (const { release } of users.slice(1)) release();
    expect(await users[0]?.redis.send('PING', [])).toBe('PONG');
    users[0]?.release();
    while ((await clients()) !== before);
  });

  describe('that are told of it every so often', () => {
    const SELDOM = 3600;
    /** Two workers that tell the server when the test says so. */
    const open = (port = server.port) => {
      const failures: string[] = [];
      const { redis, release } = acquireRedis(configOf(port));
      const make = () => new SyncedCounters(new RedisCounters(redis), SELDOM, error => void failures.push(error.message));
      return { one: make(), other: make(), failures, close: release };
    };

    test('count alone meanwhile, then learn of the others', async () => {
      const { one, other, close } = open();
      const minute = [window(newKey(), 5)];
      for (let count = 0; count < 3; count++) {
        expect(await one.take(minute)).toEqual({ counts: [count], full: -1 });
        expect(await other.take(minute)).toEqual({ counts: [count], full: -1 });
      }
      expect(await server.ask('EXISTS', minute[0]?.key ?? '')).toBe(0);
      await one.sync();
      await other.sync();
      expect(await other.take(minute)).toEqual({ counts: [6], full: 0 });
      expect(await one.take(minute)).toEqual({ counts: [3], full: -1 });
      await one.sync();
      expect(await one.read(minute)).toEqual([7]);
      close();
    });

    test('count none twice that ask at once for what is not known yet', async () => {
      const { one, close } = open();
      const minute = [window(newKey(), 10)];
      const all = await Promise.all(Array.from({ length: 30 }, () => one.take(minute)));
      expect(all.filter(({ full }) => full === -1).length).toBe(10);
      await one.sync();
      expect(await server.ask('GET', minute[0]?.key ?? '')).toBe('10');
      close();
    });

    test('tell it later when it cannot be reached, and forget what has ended', async () => {
      const gone = await startRedis();
      const { one, failures, close } = open(gone.port);
      const [key, ended] = [newKey(), newKey()];
      await one.take([window(key, 5)]);
      await one.take([window(ended, 5, 1, Date.now() - 1)]);
      await gone.stop();
      await one.sync();
      expect(failures).toEqual([expect.stringContaining(`redis at 127.0.0.1:${gone.port}: `)]);
      await using back = await startRedis({ port: gone.port });
      await one.take([window(key, 5)]);
      await one.sync();
      expect([await back.ask('GET', key), await back.ask('EXISTS', ended)]).toEqual(['2', 0]);
      close();
    });
  });
});
