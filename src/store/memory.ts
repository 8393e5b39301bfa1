import type { Entity, Row } from '../entities/entity.ts';
import { createTurns } from '../lib/turns.ts';
import { Collection, idsIn } from './collection.ts';
import { completeRow } from './complete-row.ts';
import { type ForeignField, type ListReference, parentsFirst } from './foreign-fields.ts';
import { Outdated } from './outdated.ts';
import type { Change, Page, PageQuery, Persistence, Store, Write } from './store.ts';
import { foreignKeyViolation, listedViolation, notFound, primaryKeyViolation, referencedViolation } from './violations.ts';

/** Opens a store on what the persistence has loaded; without one, an empty store that forgets everything. */
export async function openStore(entities: readonly Entity[], persistence?: Persistence): Promise<Store> {
  const store = new MemoryStore(entities, persistence);
  await store.reload();
  return store;
}

interface Listener {
  changed(changes: readonly Change[]): void;
  failed?: ((error: Error) => void) | undefined;
}

/** A row that staging has touched, as it was before. */
interface Touched {
  readonly collection: Collection;
  readonly id: string;
  readonly before: Row | undefined;
}

class MemoryStore implements Store {
  readonly entities: ReadonlyMap<string, Entity>;
  revision = 0;
  generation = 0;
  readonly #persistence: Persistence | undefined;
  /** Parents before the children that point at them. */
  readonly #collections: ReadonlyMap<string, Collection>;
  /** By an entity's name, the fields of others that point at it. */
  readonly #children = new Map<string, { collection: Collection; field: ForeignField }[]>();
  /** By an entity's name, the lists of others that hold ids of its rows. */
  readonly #lists = new Map<string, { collection: Collection; field: ListReference }[]>();
  readonly #listeners = new Set<Listener>();
  #stopWatching: (() => void) | undefined;
  #reloading = false;
  #failing = false;
  /** Commits and reloads wait for each other: a reload must not undo a commit that came after its read. */
  readonly #inTurn = createTurns();

  constructor(entities: readonly Entity[], persistence: Persistence | undefined) {
    this.entities = new Map(entities.map(entity => [entity.name, entity]));
    this.#persistence = persistence;
    this.#collections = new Map(parentsFirst(entities).map(entity => [entity.name, new Collection(entity)]));
    for (const collection of this.#collections.values()) {
      for (const field of collection.foreignFields) {
        const children = this.#children.get(field.reference) ?? [];
        this.#children.set(field.reference, [...children, { collection, field }]);
      }
      for (const field of collection.listReferences) {
        const lists = this.#lists.get(field.reference) ?? [];
        this.#lists.set(field.reference, [...lists, { collection, field }]);
      }
    }
  }

  find<R extends Row>(entity: Entity<R>, key: string): R | undefined {
    const collection = this.#collection(entity);
    const named = entity.endpointKey !== undefined && collection.isUnique(entity.endpointKey);
    return (collection.get(key) ?? (named ? collection.findBy(entity.endpointKey ?? '', key) : undefined)) as R | undefined;
  }

  findBy<R extends Row>(entity: Entity<R>, field: string, value: string): R | undefined {
    return this.#collection(entity).findBy(field, value) as R | undefined;
  }

  findByCacheKey<R extends Row>(entity: Entity<R>, values: Readonly<Record<string, unknown>>): R | undefined {
    return this.#collection(entity).findByCacheKey(values) as R | undefined;
  }

  page<R extends Row>(entity: Entity<R>, query: PageQuery): Page<R> {
    return this.#collection(entity).page(query) as Page<R>;
  }

  all<R extends Row>(entity: Entity<R>): Iterable<R> {
    return this.#collection(entity).all() as Iterable<R>;
  }

  *pointingAt<R extends Row>(entity: Entity<R>, field: keyof R & string, id: string): Iterable<R> {
    const collection = this.#collection(entity);
    for (const child of collection.pointingAt(field, id).after('')) yield collection.get(child) as R;
  }

  // Writes are tried on the indexes themselves and then taken back: nobody else runs in between, and so there is one
  // set of rules for what is staged and for what is there.
  stage(writes: readonly Write[]): readonly Change[] {
    const touched = new Map<string, Touched>();
    try {
      for (const write of writes) if (write.kind !== 'insert') this.#release(write, touched);
      for (const write of writes) this.#try(write, touched);
      return [...touched.values()].flatMap(({ collection, id, before }) => {
        const row = collection.get(id) ?? null;
        return row || before ? [{ entity: collection.entity, id, row }] : [];
      });
    } finally {
      for (const { collection, id } of touched.values()) collection.delete(id);
      for (const { collection, before } of touched.values()) if (before) collection.put(before);
    }
  }

  commit(changes: readonly Change[], decidedAt = this.revision): Promise<void> {
    return this.#inTurn(async () => {
      if (decidedAt !== this.revision) throw new Outdated();
      try {
        await this.#persistence?.commit(changes);
      } catch (error) {
        if (error instanceof Outdated) await this.#refresh();
        throw error;
      }
      this.#apply(changes);
    });
  }

  watch(changed: Listener['changed'], failed?: Listener['failed']): () => void {
    const listener = { changed, failed };
    this.#listeners.add(listener);
    this.#stopWatching ??= this.#persistence?.watch(() => void this.#catchUp());
    return () => {
      this.#listeners.delete(listener);
      if (this.#listeners.size > 0) return;
      this.#stopWatching?.();
      this.#stopWatching = undefined;
    };
  }

  reachable(): boolean {
    return this.#persistence?.reachable() ?? true;
  }

  async close(): Promise<void> {
    this.#stopWatching?.();
    this.#stopWatching = undefined;
    await this.#inTurn(async () => this.#persistence?.close());
  }

  /** Takes over what the persistence holds now, and says what that changed. */
  reload(): Promise<readonly Change[]> {
    return this.#inTurn(() => this.#load());
  }

  async #catchUp(): Promise<void> {
    if (this.#reloading) return;
    this.#reloading = true;
    await this.#inTurn(() => this.#refresh());
    this.#reloading = false;
  }

  async #load(): Promise<readonly Change[]> {
    const changes = this.#persistence ? this.#differences(await this.#persistence.load()) : [];
    this.#apply(changes);
    if (changes.length > 0) this.revision++;
    return changes;
  }

  /** Loads, and tells listeners what that changed, or that it cannot be done. */
  async #refresh(): Promise<void> {
    try {
      const changes = await this.#load();
      const isNews = changes.length > 0 || this.#failing;
      this.#failing = false;
      if (isNews) for (const listener of this.#listeners) listener.changed(changes);
    } catch (error) {
      if (!this.#failing) for (const listener of this.#listeners) listener.failed?.(error as Error);
      this.#failing = true;
    }
  }

  #try(write: Write, touched: Map<string, Touched>): void {
    const collection = this.#collection(write.entity);
    if (write.kind === 'remove') {
      this.#remove(collection, write.id, touched);
      return;
    }
    const { kind, row } = write;
    const exists = collection.get(row.id) !== undefined;
    if (kind === 'insert' && exists) throw primaryKeyViolation(row.id);
    if (kind === 'replace' && !exists) throw notFound(row.id);
    for (const { name, reference } of [...collection.foreignFields, ...collection.listReferences]) {
      const lost = idsIn(row, name).find(id => !this.#collections.get(reference)?.get(id));
      if (lost !== undefined) throw foreignKeyViolation(name, { id: lost }, reference);
    }
    touch(touched, collection, row.id);
    collection.put(row);
  }

  #remove(collection: Collection, id: string, touched: Map<string, Touched>): void {
    if (!collection.get(id)) return;
    const parent = collection.entity.name;
    for (const { collection: holders, field } of this.#lists.get(parent) ?? []) {
      const [holder] = holders.pointingAt(field.name, id).after('');
      if (holder !== undefined) throw listedViolation(parent, id, holders.entity.name, holder);
    }
    for (const { collection: children, field } of this.#children.get(parent) ?? []) {
      for (const childId of [...children.pointingAt(field.name, id).after('')]) {
        if (field.onDelete === 'restrict') throw referencedViolation(parent, children.entity.name);
        if (field.onDelete === 'cascade') {
          this.#remove(children, childId, touched);
        } else {
          touch(touched, children, childId);
          children.put({ ...children.get(childId), id: childId, [field.name]: null });
        }
      }
    }
    touch(touched, collection, id);
    collection.delete(id);
  }

  #release(write: Exclude<Write, { kind: 'insert' }>, touched: Map<string, Touched>): void {
    const collection = this.#collection(write.entity);
    const id = write.kind === 'remove' ? write.id : write.row.id;
    touch(touched, collection, id);
    collection.release(id);
  }

  #apply(changes: readonly Change[]): void {
    this.generation++;
    for (const { entity, id } of changes) this.#collection(entity).delete(id);
    for (const { entity, row } of changes) if (row) this.#collection(entity).put(row);
  }

  /** What turns the rows in memory into those loaded: children go before their parents, and come after them. */
  #differences(loaded: ReadonlyMap<string, readonly Row[]>): readonly Change[] {
    const removed: Change[] = [];
    const put: Change[] = [];
    for (const collection of this.#collections.values()) {
      const { entity } = collection;
      const rows = new Map((loaded.get(entity.name) ?? []).map(row => [row.id, row]));
      for (const { id } of collection.all()) if (!rows.has(id)) removed.push({ entity, id, row: null });
      for (const [id, row] of rows) {
        const current = collection.get(id);
        if (Bun.deepEquals(current, row)) continue;
        const complete = completeRow(entity, row);
        if (!Bun.deepEquals(current, complete)) put.push({ entity, id, row: complete });
      }
    }
    return [...removed.reverse(), ...put];
  }

  #collection(entity: { readonly name: string }): Collection {
    const collection = this.#collections.get(entity.name);
    if (!collection) throw new Error(`the store has no entity '${entity.name}'`);
    return collection;
  }
}

/** Remembers how a row was. What was touched last comes last: so children stand before a parent removed, and after one inserted. */
function touch(touched: Map<string, Touched>, collection: Collection, id: string): void {
  const key = `${collection.entity.name}:${id}`;
  const before = touched.has(key) ? touched.get(key)?.before : collection.get(id);
  touched.delete(key);
  touched.set(key, { collection, id, before });
}
