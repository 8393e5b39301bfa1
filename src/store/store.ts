import type { Entity, Row } from '../entities/entity.ts';

/** One row as it will be; null: no longer there. Cascades appear as changes of their own. */
export interface Change {
  readonly entity: Entity;
  readonly id: string;
  readonly row: Row | null;
}

export interface PageQuery {
  /** 1 to 1000 rows; they come in the order of their ids. */
  readonly size: number;
  /** An opaque mark from an earlier page: rows after it, whatever was inserted since. */
  readonly offset?: string;
  /** Rows with all of these tags, or any of them. */
  readonly tags?: { readonly names: readonly string[]; readonly match: 'all' | 'any' };
  /** Rows whose foreign field points at this id. */
  readonly where?: { readonly field: string; readonly id: string };
}

export interface Page<R> {
  readonly rows: readonly R[];
  /** The mark of the next page; null on the last. */
  readonly offset: string | null;
}

/** `insert` takes an id that is free, `replace` one that is taken; `remove` of what is not there comes to nothing. */
export type Write =
  | { readonly kind: 'insert' | 'replace'; readonly entity: Entity; readonly row: Row }
  | { readonly kind: 'remove'; readonly entity: Entity; readonly id: string };

/**
 * Where entities live. Rows are held in memory, indexed, and read without I/O; a `Persistence` keeps them on disk.
 * So uniqueness, references, cascades, paging and tags are one piece of code, the same over every database.
 */
export interface Store {
  readonly entities: ReadonlyMap<string, Entity>;
  /** Counts how often reads began to see what another process wrote. */
  readonly revision: number;
  /** Counts how often rows changed, whoever changed them. */
  readonly generation: number;
  /** By id, or by the entity's endpoint key, when that is unique by itself. */
  find<R extends Row>(entity: Entity<R>, key: string): R | undefined;
  /** By the id, or a field that is unique. */
  findBy<R extends Row>(entity: Entity<R>, field: string, value: string): R | undefined;
  /** By the fields of the entity's `cacheKey`: `{ upstream: { id }, target: '10.0.0.1:80' }`. One that is left out counts as null. */
  findByCacheKey<R extends Row>(entity: Entity<R>, values: Readonly<Record<string, unknown>>): R | undefined;
  page<R extends Row>(entity: Entity<R>, query: PageQuery): Page<R>;
  all<R extends Row>(entity: Entity<R>): Iterable<R>;
  /** The rows whose foreign field, or list of references, points at this id. */
  pointingAt<R extends Row>(entity: Entity<R>, field: keyof R & string, id: string): Iterable<R>;
  /**
   * What writes come to, cascades included: each sees what those before it did, and may take unique values that others of
   * them give up. Throws an EntityError (primary key, unique, foreign key, not found, referenced by others). Changes nothing either way.
   */
  stage(writes: readonly Write[]): readonly Change[];
  /**
   * Durable when it resolves, and visible to reads from then on. One transaction. Throws an EntityError `database error`;
   * `Outdated` when another process has changed the database, which reads see from then on: see `untilUpToDate`.
   * `decidedAt` is the revision whose rows the changes rest on, that of this moment when it is not given.
   */
  commit(changes: readonly Change[], decidedAt?: number): Promise<void>;
  /**
   * Tells of commits made elsewhere, by another process on the same database, once reads see them; and, when it cannot
   * read those, why: once, until it can, which `changed` tells even when nothing did. Returns how to stop.
   */
  watch(changed: (changes: readonly Change[]) => void, failed?: (error: Error) => void): () => void;
  /** Whether the database answers now. Without one there is nothing to miss. */
  reachable(): boolean;
  close(): Promise<void>;
}

/** A database, as far as a Store needs one. */
export interface Persistence {
  /** Every row of every entity by its name, in one consistent read. */
  load(): Promise<ReadonlyMap<string, readonly Row[]>>;
  /** One transaction, on disk when it resolves. Throws an EntityError `database error`, or `Outdated` when there are commits it has not loaded. */
  commit(changes: readonly Change[]): Promise<void>;
  /** Calls back while somebody else's commit has not been loaded. Returns how to stop. */
  watch(changed: () => void): () => void;
  reachable(): boolean;
  close(): Promise<void>;
}
