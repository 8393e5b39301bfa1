import type { Entity, Row } from '../entities/entity.ts';
import type { Fields, Item } from './declarative-item.ts';
import type { DeclarativeProblems } from './declarative-problems.ts';
import { rowMaker } from './row-maker.ts';
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

/** The rows of one entity that a file describes. */
export class EntityRows {
  readonly rows: Row[] = [];
  /** Their ids, by what entries of other entities may call them: id or endpoint key. */
  readonly names = new Map<string, string>();
  readonly #entity: Entity;
  readonly #keepsOthers: boolean;
  readonly #problems: DeclarativeProblems;
  readonly #keys: UniqueKeys;
  readonly #make: ReturnType<typeof rowMaker>;
  /** Rows of the store by what is theirs alone, then ids of this file's. */
  readonly #known = new Map<string, Row>();
  readonly #taken = new Map<string, string>();
  /** Entries that say what a row of the store says already. */
  readonly #disputes: { readonly item: Item; readonly key: string; readonly owner: string }[] = [];

  constructor(entity: Entity, { store, keepsOthers, transforms }: Destination, problems: DeclarativeProblems) {
    this.#entity = entity;
    this.#keepsOthers = keepsOthers;
    this.#problems = problems;
    this.#keys = new UniqueKeys(entity);
    this.#make = rowMaker(entity, transforms);
    for (const row of store.all(entity)) for (const key of this.#keysOf(row as Row & Fields, row.id)) this.#known.set(key, row);
  }

  /** Takes an entry whose references are resolved, and returns the id of its row. Those that only mention rows must come last. */
  add(item: Item, entry: Fields): string {
    const made = this.#make(entry);
    const row = 'errors' in made ? entry : made.row;
    const { id: given } = entry;
    const stated = typeof given === 'string' ? given.toLowerCase() : undefined;
    const keys = this.#keysOf(row, stated);
    const id = this.#mentioned(item, keys) ?? stated ?? first(this.#known, keys)?.id ?? this.#generated(row, entry);
    const { [this.#entity.endpointKey ?? '']: name } = row;
    this.names.set(id, id);
    if (typeof name === 'string') this.names.set(name, id);
    if (this.#mentioned(item, keys) === undefined) {
      this.#claim(item, this.#keysOf(row, id), id);
      if ('errors' in made) this.#problems.addAll(item, made.errors);
      else this.rows.push(made.finish(id, this.#known.get(this.#keys.ofId(id))));
    }
    return id;
  }

  /** To be called when all entries are there: a row of the store gives way only if the file says so. */
  refuseDisputed(): void {
    for (const { item, key, owner } of this.#disputes) {
      if (!this.names.has(owner))
        this.#problems.addTo(item, [], this.#violation(`${this.#keys.shown(key)} is there already, with the id ${owner}`));
    }
  }

  /** The id of the row that an entry does no more than mention, when it is there without. */
  #mentioned({ mention }: Item, keys: readonly string[]): string | undefined {
    if (!mention) return undefined;
    return first(this.#taken, keys) ?? (this.#keepsOthers ? first(this.#known, keys)?.id : undefined);
  }

  #generated(row: Fields, entry: Fields): string {
    return this.#keys.generatedId(row, entry, id => this.#taken.has(this.#keys.ofId(id)));
  }

  #claim(item: Item, keys: readonly string[], id: string): void {
    const twice = keys.find(key => this.#taken.has(key));
    if (twice !== undefined) this.#problems.addTo(item, [], this.#violation(`${this.#keys.shown(twice)} already declared`));
    for (const key of keys) {
      this.#taken.set(key, id);
      const owner = this.#known.get(key)?.id ?? id;
      if (this.#keepsOthers && owner !== id) this.#disputes.push({ item, key, owner });
    }
  }

  #keysOf(row: Fields, id: string | undefined): readonly string[] {
    return id === undefined ? this.#keys.of(row) : [...this.#keys.of(row), this.#keys.ofId(id)];
  }

  #violation(what: string): string {
    return `uniqueness violation: '${this.#entity.name}' entity with ${what}`;
  }
}

function first<T>(map: ReadonlyMap<string, T>, keys: readonly string[]): T | undefined {
  for (const key of keys) if (map.has(key)) return map.get(key);
  return undefined;
}
