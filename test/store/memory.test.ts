import { expect, test } from 'bun:test';
import { consumer } from '../../src/entities/consumer.ts';
import type { Entity, Row } from '../../src/entities/entity.ts';
import { route } from '../../src/entities/route.ts';
import { service } from '../../src/entities/service.ts';
import { openStore } from '../../src/store/memory.ts';
import type { Change, Persistence } from '../../src/store/store.ts';
import { storeContract } from './contract.ts';
import { consumerRow, entities, id, insert, plugin, pluginRow, remove, routeRow, serviceRow } from './rows.ts';

storeContract('a store in memory', () => openStore(entities));

/** A database that lets a test decide when a commit is through and what other processes write. */
class ScriptedDatabase implements Persistence {
  rows: readonly (readonly [Entity, Row])[] = [];
  commits: { changes: readonly Change[]; done: PromiseWithResolvers<void> }[] = [];
  changed: (() => void) | undefined;

  async load() {
    return new Map(entities.map(({ name }) => [name, this.rows.filter(([entity]) => entity.name === name).map(([, row]) => row)]));
  }
  commit(changes: readonly Change[]) {
    const done = Promise.withResolvers<void>();
    this.commits.push({ changes, done });
    return done.promise;
  }
  watch(changed: () => void) {
    this.changed = changed;
    return () => {
      this.changed = undefined;
    };
  }
  reachable() {
    return true;
  }
  async close() {}
}

test('a row is visible only when it is durable', async () => {
  const database = new ScriptedDatabase();
  const store = await openStore(entities, database);
  const committed = store.commit(store.stage([insert(service, serviceRow(1))]));
  await Promise.resolve();
  expect(store.find(service, id(1))).toBeUndefined();
  database.commits[0]?.done.resolve();
  await committed;
  expect(store.find(service, id(1))).toEqual(serviceRow(1));
});

test('a commit that fails leaves everything as it was', async () => {
  const database = new ScriptedDatabase();
  const store = await openStore(entities, database);
  const committed = store.commit(store.stage([insert(service, serviceRow(1))]));
  await Promise.resolve();
  database.commits[0]?.done.reject(new Error('no'));
  expect(committed).rejects.toThrow('no');
  await committed.catch(() => undefined);
  expect(store.find(service, id(1))).toBeUndefined();
});

test('commits of other processes are told as differences, children after their parents', async () => {
  const database = new ScriptedDatabase();
  database.rows = [
    [service, serviceRow(1)],
    [consumer, consumerRow(2)],
    [consumer, consumerRow(3)],
  ];
  const store = await openStore(entities, database);
  const heard = Promise.withResolvers<readonly Change[]>();
  const stop = store.watch(heard.resolve);
  database.rows = [
    [plugin, pluginRow(6, { route: { id: id(5) } })],
    [route, routeRow(5)],
    [service, serviceRow(1, { name: 'renamed' })],
    [consumer, consumerRow(2)],
  ];
  database.changed?.();
  expect(await heard.promise).toEqual([
    { entity: consumer, id: id(3), row: null },
    { entity: service, id: id(1), row: serviceRow(1, { name: 'renamed' }) },
    { entity: route, id: id(5), row: routeRow(5) },
    { entity: plugin, id: id(6), row: pluginRow(6, { route: { id: id(5) } }) },
  ]);
  expect(store.find(service, 'renamed')?.id).toBe(id(1));
  stop();
  expect(database.changed).toBeUndefined();
});

test('a reload waits for the commit under way, and does not undo it', async () => {
  const database = new ScriptedDatabase();
  const store = await openStore(entities, database);
  const changes: Change[] = [];
  store.watch(heard => changes.push(...heard));
  const committed = store.commit(store.stage([insert(service, serviceRow(1))]));
  await Promise.resolve();
  database.changed?.();
  database.rows = [[service, serviceRow(1)]];
  database.commits[0]?.done.resolve();
  await committed;
  const removed = store.commit(store.stage([remove(service, id(2))]));
  await Bun.sleep(0);
  database.commits[1]?.done.resolve();
  await removed;
  expect(store.find(service, id(1))).toEqual(serviceRow(1));
  expect(changes).toEqual([]);
});

test('a watcher is told when the changes of others cannot be read: once, until they can', async () => {
  const database = new ScriptedDatabase();
  const store = await openStore(entities, database);
  const heard: string[] = [];
  const told = async () => {
    database.changed?.();
    await Bun.sleep(0);
    return heard.splice(0);
  };
  store.watch(
    changes => heard.push(`${changes.length} changed`),
    error => heard.push(error.message),
  );
  const { load } = database;
  database.load = () => Promise.reject(new Error('unreadable'));
  expect(await told()).toEqual(['unreadable']);
  expect(await told()).toEqual([]);
  database.load = load;
  database.rows = [[service, serviceRow(1)]];
  expect(await told()).toEqual(['1 changed']);
  database.load = () => Promise.reject(new Error('unreadable again'));
  expect(await told()).toEqual(['unreadable again']);
  database.load = load;
  expect(await told()).toEqual(['0 changed']);
  expect(await told()).toEqual([]);
});
