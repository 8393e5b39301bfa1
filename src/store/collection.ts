import type { Entity, Reference, Row } from '../entities/entity.ts';
import { type ForeignField, foreignFields, type ListReference, listReferences } from './foreign-fields.ts';
import { decodeOffset, encodeOffset } from './offset.ts';
import { SortedIds } from './sorted-ids.ts';
import type { Page, PageQuery } from './store.ts';
import { invalidSize, uniqueViolation } from './violations.ts';

/** Fields that together name one row at most, and the rows that hold their values. */
interface UniqueKey {
  readonly fields: readonly string[];
  readonly owners: Map<string, string>;
}

const NONE = new SortedIds();

/** The rows of one entity in memory, with an index for each way in which they are found. */
export class Collection {
  readonly entity: Entity;
  readonly foreignFields: readonly ForeignField[];
  readonly listReferences: readonly ListReference[];
  readonly #rows = new Map<string, Row>();
  readonly #ids = new SortedIds();
  readonly #byTag = new Map<string, SortedIds>();
  /** By a field that points at rows of others, ids of rows by the id that they point at. */
  readonly #byTarget = new Map<string, Map<string, SortedIds>>();
  readonly #uniqueKeys = new Map<string, UniqueKey>();

  constructor(entity: Entity) {
    this.entity = entity;
    this.foreignFields = foreignFields(entity);
    this.listReferences = listReferences(entity);
    for (const { name } of [...this.foreignFields, ...this.listReferences]) this.#byTarget.set(name, new Map());
    for (const [name, { facts }] of Object.entries(entity.schema.fields)) {
      if (facts.unique) this.#uniqueKeys.set(name, { fields: [name], owners: new Map() });
    }
    if (entity.cacheKey) this.#uniqueKeys.set(cacheKeyName(entity), { fields: entity.cacheKey, owners: new Map() });
  }

  get(id: string): Row | undefined {
    return this.#rows.get(id);
  }

  isUnique(field: string): boolean {
    return this.#uniqueKeys.has(field);
  }

  /** By its id, or by a field that is unique. */
  findBy(field: string, value: string): Row | undefined {
    return this.#rows.get(field === 'id' ? value : (this.#unique(field).owners.get(value) ?? ''));
  }

  /** The row with these values in the fields of the entity's `cacheKey`; one that is left out counts as null. */
  findByCacheKey(values: Readonly<Record<string, unknown>>): Row | undefined {
    const { fields, owners } = this.#unique(cacheKeyName(this.entity));
    return this.#rows.get(owners.get(claim(fields, values) ?? '') ?? '');
  }

  all(): Iterable<Row> {
    return this.#rows.values();
  }

  page({ size, offset, tags, where }: PageQuery): Page<Row> {
    if (!Number.isInteger(size) || size < 1 || size > 1000) throw invalidSize();
    const from = offset === undefined ? '' : decodeOffset(offset);
    const found = new Map<string, Row>();
    for (const ids of this.#lists({ tags, where })) {
      let remaining = size + 1;
      for (const id of ids.after(from)) {
        const row = this.#rows.get(id);
        if (!row || !matches(row, { tags, where })) continue;
        found.set(id, row);
        if (--remaining === 0) break;
      }
    }
    const rows = [...found.values()].sort((a, b) => (a.id < b.id ? -1 : 1));
    const last = rows.length > size ? rows[size - 1] : undefined;
    return { rows: rows.slice(0, size), offset: last ? encodeOffset(last.id) : null };
  }

  /** Ids of the rows whose foreign field points at `id`, or whose list has it. */
  pointingAt(field: string, id: string): SortedIds {
    return this.#byTarget.get(field)?.get(id) ?? NONE;
  }

  /** Throws an EntityError when another row holds one of its unique values, and changes nothing then. */
  put(row: Row): void {
    for (const { fields, owners } of this.#uniqueKeys.values()) {
      const value = claim(fields, row);
      const owner = value === undefined ? row.id : (owners.get(value) ?? row.id);
      if (owner !== row.id) throw uniqueViolation(Object.fromEntries(fields.map(name => [name, member(row, name)])));
    }
    this.delete(row.id);
    this.#rows.set(row.id, row);
    this.#ids.add(row.id);
    for (const { fields, owners } of this.#uniqueKeys.values()) {
      const value = claim(fields, row);
      if (value !== undefined) owners.set(value, row.id);
    }
    this.#eachList(row, (lists, key) => {
      const list = lists.get(key) ?? new SortedIds();
      lists.set(key, list);
      list.add(row.id);
    });
  }

  delete(id: string): void {
    const row = this.#rows.get(id);
    if (!row) return;
    this.release(id);
    this.#rows.delete(id);
    this.#ids.delete(id);
    this.#eachList(row, (lists, key) => {
      const list = lists.get(key);
      list?.delete(id);
      if (list?.isEmpty) lists.delete(key);
    });
  }

  /** Gives up a row's unique values, so that others may take them before it gets new ones. */
  release(id: string): void {
    const row = this.#rows.get(id);
    if (!row) return;
    for (const { fields, owners } of this.#uniqueKeys.values()) {
      const value = claim(fields, row);
      if (value !== undefined && owners.get(value) === id) owners.delete(value);
    }
  }

  #unique(key: string): UniqueKey {
    const unique = this.#uniqueKeys.get(key);
    if (!unique) throw new Error(`field '${key}' of ${this.entity.name} is not unique`);
    return unique;
  }

  #eachList(row: Row, visit: (lists: Map<string, SortedIds>, key: string) => void): void {
    for (const tag of row.tags ?? []) visit(this.#byTag, tag);
    for (const [field, lists] of this.#byTarget) for (const id of idsIn(row, field)) visit(lists, id);
  }

  /** Lists that hold every row a query asks for, as short as the indexes allow. */
  #lists({ tags, where }: Filter): readonly SortedIds[] {
    if (where) return [this.pointingAt(where.field, where.id)];
    if (!tags) return [this.#ids];
    const names = tags.match === 'any' ? tags.names : tags.names.slice(0, 1);
    return names.map(name => this.#byTag.get(name) ?? NONE);
  }
}

type Filter = { readonly [K in 'tags' | 'where']: PageQuery[K] | undefined };

const cacheKeyName = ({ cacheKey = [] }: Entity) => cacheKey.join();

const member = (row: object, field: string) => (row as Readonly<Record<string, unknown>>)[field];

export const referenceOf = (row: Row, field: string) => member(row, field) as Reference | null | undefined;

/** The ids that a foreign field or a list of references holds. */
export function idsIn(row: Row, field: string): readonly string[] {
  const value = member(row, field) as Reference | readonly string[] | null | undefined;
  if (!value) return [];
  return 'id' in value ? [value.id] : value;
}

function matches(row: Row, { tags, where }: Filter): boolean {
  if (where && referenceOf(row, where.field)?.id !== where.id) return false;
  const has = (tag: string) => row.tags?.includes(tag) ?? false;
  return !tags || (tags.match === 'any' ? tags.names.some(has) : tags.names.every(has));
}

/** What a row claims under a unique key. One field without a value claims nothing; of several, nulls count as values. */
function claim(fields: readonly string[], row: object): string | undefined {
  const [first] = fields;
  if (fields.length > 1 || first === undefined) return JSON.stringify(fields.map(name => member(row, name) ?? null));
  const value = member(row, first);
  if (typeof value === 'string') return value;
  return value === null || value === undefined ? undefined : JSON.stringify(value);
}
