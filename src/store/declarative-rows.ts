import type { Entity, Reference, Row } from '../entities/entity.ts';
import { isObject } from '../lib/json.ts';
import type { RecordField } from '../schema/field.ts';
import { validate } from '../schema/validate.ts';
import { withoutTransient } from './complete-row.ts';
import type { Fields, Item } from './declarative-item.ts';
import type { DeclarativeProblems } from './declarative-problems.ts';
import { type ForeignField, foreignFields, type ListReference, listReferences } from './foreign-fields.ts';
import type { Store } from './store.ts';
import { UniqueKeys } from './unique-keys.ts';

export interface Destination {
  /** The store that a file is loaded into. */
  readonly store: Store;
  /** Whether rows that the file does not mention stay: then entries may point at them. */
  readonly keepsOthers: boolean;
  /** Whether values are as people write them, passwords for one, and not as rows keep them. */
  readonly transforms: boolean;
}

/** Stands for an id that is not known before the row is. */
const NO_ID = '00000000-0000-0000-0000-000000000000';

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
    const { keepsOthers } = this.#destination;
    const references = { foreign: foreignFields(entity), lists: listReferences(entity) };
    const keys = new UniqueKeys(entity);
    const known = items.length === 0 ? new Map<string, Row>() : this.#known(entity, keys);
    const complete = this.#completer(entity);
    /** Ids of this file's entries by what is theirs alone. */
    const taken = new Map<string, string>();
    const names = new Map<string, string>();
    const foreign: { item: Item; key: string; owner: string }[] = [];
    const rows: Row[] = [];
    this.#names.set(entity.name, names);
    for (const item of [...items.filter(({ mention }) => !mention), ...items.filter(({ mention }) => mention)]) {
      const entry = { ...item.fields, ...this.#references(item, references) };
      const completed = complete(entry);
      const row = completed.row ?? entry;
      const { id: given } = entry;
      const stated = typeof given === 'string' ? given.toLowerCase() : undefined;
      const own = keys.of(row);
      const named = first(known, stated === undefined ? own : [keys.ofId(stated)]);
      const mentioned = first(taken, stated === undefined ? own : [keys.ofId(stated), ...own]);
      const isThere = item.mention && (mentioned !== undefined || (keepsOthers && named !== undefined));
      const id =
        (item.mention ? mentioned : undefined) ?? stated ?? named?.id ?? keys.generatedId(row, entry, one => taken.has(keys.ofId(one)));
      const name = row[entity.endpointKey ?? ''];
      this.#ids.set(item, id);
      names.set(id, id);
      if (typeof name === 'string') names.set(name, id);
      if (isThere) continue;
      own.push(keys.ofId(id));
      const twice = own.find(key => taken.has(key));
      if (twice !== undefined) this.#problems.addTo(item, [], violation(entity, `${twice} already declared`));
      for (const key of own) taken.set(key, id);
      for (const key of keepsOthers ? own : []) {
        const owner = known.get(key)?.id ?? id;
        if (owner !== id) foreign.push({ item, key, owner });
      }
      if (completed.errors) this.#problems.addAll(item, completed.errors);
      else rows.push(completed.finish(id, named ?? known.get(keys.ofId(id))));
    }
    for (const { item, key, owner } of foreign) {
      if (!names.has(owner)) this.#problems.addTo(item, [], violation(entity, `${key} is there already, with the id ${owner}`));
    }
    this.rows.set(entity.name, rows);
  }

  /** Rows of the store by their ids and unique keys. */
  #known(entity: Entity, keys: UniqueKeys): ReadonlyMap<string, Row> {
    const known = new Map<string, Row>();
    for (const row of this.#destination.store.all(entity)) {
      for (const key of keys.of(row as Row & Fields)) known.set(key, row);
      known.set(keys.ofId(row.id), row);
    }
    return known;
  }

  /** Makes entries into rows, as they are but for their ids and times, which `finish` knows. */
  #completer(entity: Entity) {
    const { transformations: _, ...facts } = entity.schema.facts;
    const schema: RecordField<Row> = this.#destination.transforms ? entity.schema : { ...entity.schema, facts };
    const milliseconds = Date.now();
    const automatic = Object.entries(schema.fields).flatMap(
      ([
        name,
        {
          type,
          facts: { auto },
        },
      ]) => (auto && name !== 'id' ? [[name, type === 'integer' ? Math.floor(milliseconds / 1000) : milliseconds / 1000] as const] : []),
    );
    const now: Fields = Object.fromEntries(automatic);
    return (entry: Fields) => {
      const given = withoutNulls(entry, ['id', ...Object.keys(now)]);
      const result = validate(schema, { ...now, ...given, id: given['id'] ?? NO_ID });
      if ('errors' in result) return { errors: result.errors };
      const row = withoutTransient(entity, result.value) as Row & Fields;
      /** A row that was there keeps its times while nothing else changes: so loading a file again changes nothing. */
      const finish = (id: string, found: Row | undefined): Row => {
        const old = found as (Row & Fields) | undefined;
        if (!old) return { ...row, id };
        const kept = Object.keys(now).filter(name => !(name in given) && old[name] !== undefined);
        const same = { ...row, id, ...Object.fromEntries(kept.map(name => [name, old[name]])) };
        return kept.includes('updated_at') && !Bun.deepEquals(same, old) ? { ...same, updated_at: row['updated_at'] as number } : same;
      };
      return { row, finish };
    };
  }

  /** The foreign fields of an entry as `{ id }`, whatever way the file says them. */
  #references(item: Item, { foreign, lists }: References): Fields {
    const references: Record<string, Reference | null> = {};
    for (const field of foreign) {
      const value = item.fields[field.name];
      const outer = item.around.get(field.name);
      const around = outer && this.#ids.get(outer);
      if (value === undefined && around === undefined) continue;
      const id = value === undefined || value === null ? around : this.#resolve(item, field, value);
      if (around !== undefined && id !== undefined && id !== around) {
        this.#problems.addTo(item, [field.name], 'value must be null, or the entry around this one');
      }
      references[field.name] = id === undefined ? null : { id };
    }
    for (const { name, reference } of lists) {
      const ids = item.fields[name];
      for (const [index, id] of (Array.isArray(ids) ? ids : []).entries()) {
        if (typeof id === 'string' && this.#named(reference, id) === undefined) {
          this.#problems.addTo(item, [name, index], `invalid reference '${id}' (no such entry in '${reference}')`);
        }
      }
    }
    return references;
  }

  /** Of what leads nowhere, an id that nothing has: one problem is enough. */
  #resolve(item: Item, { name, reference }: ForeignField, value: unknown): string {
    const { id = Object.values(isObject(value) ? value : {})[0] } = isObject(value) ? value : { id: value };
    const found = typeof id === 'string' ? this.#named(reference, id) : undefined;
    if (found !== undefined) return found;
    const shown = typeof value === 'string' ? value : JSON.stringify(value);
    this.#problems.addTo(item, [name], `invalid reference '${name}: ${shown}' (no such entry in '${reference}')`);
    return Bun.randomUUIDv5(shown, NO_ID);
  }

  /** The id of the entry, or of the store's row, with this id or endpoint key. */
  #named(entityName: string, key: string): string | undefined {
    const { store, keepsOthers } = this.#destination;
    const names = this.#names.get(entityName);
    const entity = store.entities.get(entityName);
    const row = entity && keepsOthers ? store.find(entity, key) : undefined;
    return names?.get(key) ?? names?.get(key.toLowerCase()) ?? row?.id;
  }
}

interface References {
  readonly foreign: readonly ForeignField[];
  readonly lists: readonly ListReference[];
}

const violation = (entity: Entity, what: string) => `uniqueness violation: '${entity.name}' entity with ${what}`;

function first<T>(map: ReadonlyMap<string, T>, keys: readonly string[]): T | undefined {
  for (const key of keys) if (map.has(key)) return map.get(key);
  return undefined;
}

/** A null for a field the gateway fills means: fill it. */
const withoutNulls = (fields: Fields, automatic: readonly string[]): Fields =>
  Object.fromEntries(Object.entries(fields).filter(([name, value]) => value !== null || !automatic.includes(name)));
