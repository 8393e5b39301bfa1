import type { Entity, Reference, Row } from '../entities/entity.ts';
import { isObject } from '../lib/json.ts';
import { validate } from '../schema/validate.ts';
import type { Fields, Item } from './declarative-items.ts';
import type { DeclarativeProblems } from './declarative-problems.ts';
import { type ForeignField, foreignFields } from './foreign-fields.ts';
import type { Store } from './store.ts';

/** The store that a file is loaded into, and whether entries may point at rows that only the store has. */
export interface Destination {
  readonly store: Store;
  readonly referable: boolean;
}

// An entry without an id gets the one that Kong would give it. Source: kong/db/schema/others/declarative_config.lua of Kong 3.9.
const NAMESPACE = 'fd02801f-0957-4a15-a55a-c8d9606f30b5';

/** Turns the entries of a file into whole rows. Entities must come parents first: children are named after them. */
export class DeclarativeRows {
  readonly rows = new Map<string, Row[]>();
  readonly #destination: Destination;
  readonly #problems: DeclarativeProblems;
  readonly #ids = new Map<Item, string>();
  /** By entity, the ids of entries by what other entries may call them: id or endpoint key. */
  readonly #names = new Map<string, Map<string, string>>();

  constructor(destination: Destination, problems: DeclarativeProblems) {
    this.#destination = destination;
    this.#problems = problems;
  }

  add(entity: Entity, items: readonly Item[]): void {
    const names = new Map<string, string>();
    const taken = new Set<string>();
    const known = this.#known(entity);
    const rows: Row[] = [];
    this.#names.set(entity.name, names);
    for (const item of items) {
      const fields = { ...withoutAutomaticNulls(entity, item.fields), ...this.#references(item) };
      const keys = uniqueKeys(entity, fields);
      const { id: stated } = fields;
      const given = typeof stated === 'string' ? stated.toLowerCase() : undefined;
      const named = (given === undefined ? keys : [given]).flatMap(key => known.get(key) ?? [])[0];
      const id = given ?? named?.id ?? generatedId(entity, fields, taken);
      const old = named ?? known.get(id);
      const name = entity.endpointKey === undefined ? undefined : fields[entity.endpointKey];
      this.#ids.set(item, id);
      names.set(id, id);
      if (typeof name === 'string') names.set(name, id);
      this.#refuseTwice(item, [...keys, `primary key set to '${id}'`], taken);
      const row = this.#row(item, { ...fields, id: stated ?? id }, old as Fields | undefined);
      if (row) rows.push(row);
    }
    this.rows.set(entity.name, rows);
  }

  /** Rows of the store by their ids and unique keys. */
  #known(entity: Entity): ReadonlyMap<string, Row> {
    const rows = [...this.#destination.store.all(entity)];
    return new Map(rows.flatMap(row => [row.id, ...uniqueKeys(entity, row as Row & Fields)].map(key => [key, row])));
  }

  /** A row that was there keeps its times while nothing else changes: so loading a file again changes nothing. */
  #row({ entity, path, label }: Item, fields: Fields, old: Fields | undefined): Row | undefined {
    const now = Math.floor(Date.now() / 1000);
    const timestamps = Object.keys(entity.schema.fields).filter(name => isAutomatic(entity, name) && name !== 'id');
    const times = Object.fromEntries(timestamps.map(name => [name, old?.[name] ?? now]));
    const result = validate(entity.schema, { ...times, ...fields });
    if ('errors' in result) {
      this.#problems.addAll(path, label, result.errors);
      return undefined;
    }
    const changed = old && timestamps.includes('updated_at') && !('updated_at' in fields) && !Bun.deepEquals(result.value, old);
    return changed ? { ...result.value, updated_at: now } : result.value;
  }

  /** The foreign fields of an entry as `{ id }`, whatever way the file says them. */
  #references(item: Item): Fields {
    const references: Record<string, Reference | null> = {};
    for (const field of foreignFields(item.entity)) {
      const value = item.fields[field.name];
      const around = item.parent?.field === field.name ? this.#ids.get(item.parent.item) : undefined;
      if (value === undefined && around === undefined) continue;
      const id = value === undefined || value === null ? around : this.#resolve(item, field, value);
      if (around !== undefined && id !== undefined && id !== around) {
        this.#problems.add([...item.path, field.name], `${item.label}${field.name}: `, 'value must be null, or the entry around this one');
      }
      references[field.name] = id === undefined ? null : { id };
    }
    return references;
  }

  #resolve({ path, label }: Item, { name, reference }: ForeignField, value: unknown): string | undefined {
    const key = isObject(value) && Object.keys(value).length === 1 ? Object.values(value)[0] : value;
    const found = typeof key === 'string' ? this.#named(reference, key) : undefined;
    if (found !== undefined) return found;
    const shown = typeof value === 'string' ? value : JSON.stringify(value);
    this.#problems.add([...path, name], label, `invalid reference '${name}: ${shown}' (no such entry in '${reference}')`);
    return undefined;
  }

  /** The id of the entry, or of the store's row, with this id or endpoint key. */
  #named(entityName: string, key: string): string | undefined {
    const names = this.#names.get(entityName);
    const entity = this.#destination.store.entities.get(entityName);
    const row = entity && this.#destination.referable ? this.#destination.store.find(entity, key) : undefined;
    return names?.get(key) ?? names?.get(key.toLowerCase()) ?? row?.id;
  }

  #refuseTwice({ entity, path, label }: Item, keys: readonly string[], taken: Set<string>): void {
    const twice = keys.find(key => taken.has(key));
    if (twice !== undefined)
      this.#problems.add(path, label, `uniqueness violation: '${entity.name}' entity with ${twice} already declared`);
    for (const key of keys) taken.add(key);
  }
}

const isAutomatic = (entity: Entity, field: string) => entity.schema.fields[field]?.facts.auto === true;

/** A null for a field the gateway fills means: fill it. */
const withoutAutomaticNulls = (entity: Entity, fields: Fields): Fields =>
  Object.fromEntries(Object.entries(fields).filter(([name, value]) => value !== null || !isAutomatic(entity, name)));

/** What no other row of the entity may say as well. */
function uniqueKeys(entity: Entity, fields: Fields): string[] {
  const unique = Object.keys(entity.schema.fields).filter(name => entity.schema.fields[name]?.facts.unique);
  const alone = unique.flatMap(name => (typeof fields[name] === 'string' ? [`${name} set to '${fields[name]}'`] : []));
  const together =
    entity.cacheKey && `${entity.cacheKey.join(', ')} set to '${entity.cacheKey.map(name => keyPart(fields[name])).join(', ')}'`;
  return together === undefined ? alone : [...alone, together];
}

function generatedId(entity: Entity, fields: Fields, taken: ReadonlySet<string>): string {
  const namespace = Bun.randomUUIDv5(entity.name, NAMESPACE);
  const name = entity.endpointKey === undefined ? undefined : fields[entity.endpointKey];
  if (typeof name === 'string') return Bun.randomUUIDv5(name, namespace);
  if (entity.cacheKey) return Bun.randomUUIDv5([entity.name, ...entity.cacheKey.map(key => keyPart(fields[key]))].join(':'), namespace);
  // Nothing names it, so what it says does: loading the same file again finds the same row.
  for (let copy = 0; ; copy++) {
    const id = Bun.randomUUIDv5(JSON.stringify([fields, copy]), namespace);
    if (!taken.has(`primary key set to '${id}'`)) return id;
  }
}

/** A value within a key of several: references by their ids, nothing as nothing. */
const keyPart = (value: unknown) => String((isObject(value) ? (value as unknown as Reference).id : value) ?? '');
