import { afterAll, beforeAll, expect, test } from 'bun:test';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { consumer } from '../../src/entities/consumer.ts';
import type { Entity, Row } from '../../src/entities/entity.ts';
import { EntityError } from '../../src/entities/entity-error.ts';
import { route } from '../../src/entities/route.ts';
import { service } from '../../src/entities/service.ts';
import { openStore } from '../../src/store/memory.ts';
import { openSqlite } from '../../src/store/sqlite.ts';
import type { Store, Write } from '../../src/store/store.ts';
import { consumerRow, entities, id, insert, plugin, pluginRow, remove, replace, routeRow, serviceRow } from './rows.ts';

let directory: string;
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'sluice-random-'));
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

type Pointer = 'service' | 'route' | 'consumer';
type AnyRow = Row & { readonly [P in Pointer]?: { readonly id: string } | null } & { readonly name?: string; readonly username?: string };
type Model = Map<Entity, Map<string, AnyRow>>;

/** A row's fields that point at others. */
const POINTERS: [Entity, [Pointer, Entity, 'cascade' | 'restrict'][]][] = [
  [route, [['service', service, 'restrict']]],
  [
    plugin,
    [
      ['route', route, 'cascade'],
      ['service', service, 'cascade'],
      ['consumer', consumer, 'cascade'],
    ],
  ],
];
const UNIQUE: [Entity, (row: AnyRow) => unknown[]][] = [
  [service, row => [row.name]],
  [route, row => [row.name]],
  [consumer, row => [row.username]],
  [plugin, row => [[row.name, row.route?.id, row.service?.id, row.consumer?.id]]],
];

/** The rules of a store, as plainly as they can be said: every rule looks at every row. False: refused. */
function applyTo(model: Model, write: Write): boolean {
  const rows = model.get(write.entity) ?? new Map<string, AnyRow>();
  if (write.kind === 'remove') return removeFrom(model, write.entity, write.id);
  const row = write.row as AnyRow;
  if (rows.has(row.id) !== (write.kind === 'replace')) return false;
  for (const [entity, pointers] of POINTERS) {
    if (entity !== write.entity) continue;
    for (const [field, target] of pointers) if (row[field] && !model.get(target)?.has(row[field].id)) return false;
  }
  rows.set(row.id, row);
  for (const [entity, keys] of UNIQUE) {
    if (entity !== write.entity) continue;
    const taken = [...rows.values()]
      .flatMap(keys)
      .filter(key => key !== null)
      .map(key => JSON.stringify(key));
    if (new Set(taken).size < taken.length) return false;
  }
  return true;
}

function removeFrom(model: Model, entity: Entity, removed: string): boolean {
  if (!model.get(entity)?.has(removed)) return true;
  for (const [child, pointers] of POINTERS) {
    for (const [field, target, rule] of pointers) {
      if (target !== entity) continue;
      for (const row of [...(model.get(child)?.values() ?? [])]) {
        if (row[field]?.id === removed && (rule === 'restrict' || !removeFrom(model, child, row.id))) return false;
      }
    }
  }
  return model.get(entity)?.delete(removed) ?? false;
}

/** Mulberry32: the same numbers for the same seed. */
function randomNumbers(seed: number) {
  let state = seed;
  return (below: number) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

function randomRow(number: number, kind: number, fields: Readonly<Record<string, unknown>>): [Entity, Row] {
  const pick = (...names: string[]) => Object.fromEntries(names.map(name => [name, fields[name]]));
  if (kind === 0) return [service, serviceRow(number, pick('name', 'tags'))];
  if (kind === 1) return [route, routeRow(number, pick('name', 'tags', 'service'))];
  if (kind === 2) return [consumer, consumerRow(number, pick('username', 'tags'))];
  return [plugin, pluginRow(number, pick('tags', 'service', 'route', 'consumer'))];
}

function randomWrite(random: (below: number) => number): Write {
  const number = random(8);
  const pointer = () => (random(2) ? null : { id: id(random(8)) });
  const name = random(3) ? `name-${random(6)}` : null;
  const tags = random(2) ? ['x', `t${random(3)}`] : null;
  const [entity, row] = randomRow(number, random(4), {
    name,
    username: name ?? 'ann',
    tags,
    service: pointer(),
    route: pointer(),
    consumer: pointer(),
  });
  const kind = random(4);
  return kind === 0 ? remove(entity, row.id) : kind === 1 ? replace(entity, row) : insert(entity, row);
}

const contents = (store: Store) =>
  new Map(entities.map(entity => [entity.name, new Map([...store.all(entity)].map(row => [row.id, row]))]));

test.each(Array.from({ length: 12 }, (_, seed) => seed))(
  'random writes leave what a plain model says, and SQLite what memory has (seed %p)',
  async seed => {
    const random = randomNumbers(seed);
    const path = join(directory, `${seed}.db`);
    let store = await openStore(entities, openSqlite(path, entities));
    let model: Model = new Map(entities.map(entity => [entity, new Map()]));
    for (let step = 0; step < 120; step++) {
      const write = randomWrite(random);
      const attempt: Model = new Map([...model].map(([entity, rows]) => [entity, new Map(rows)]));
      const allowed = applyTo(attempt, write);
      let refused = false;
      try {
        await store.commit(store.stage([write]));
      } catch (error) {
        if (!(error instanceof EntityError) || error.name === 'database error') throw error;
        refused = true;
      }
      expect(refused).toBe(!allowed);
      if (allowed) model = attempt;
      expect(contents(store)).toEqual(new Map([...model].map(([entity, rows]) => [entity.name, rows])) as never);
    }
    for (const tag of ['x', 't1']) {
      const paged = store.page(plugin, { size: 1000, tags: { names: [tag], match: 'all' } }).rows.map(row => row.id);
      expect(paged).toEqual(
        [...(model.get(plugin)?.values() ?? [])]
          .filter(row => row.tags?.includes(tag))
          .map(row => row.id)
          .sort(),
      );
    }
    const before = contents(store);
    await store.close();
    store = await openStore(entities, openSqlite(path, entities));
    expect(contents(store)).toEqual(before);
    await store.close();
  },
);
