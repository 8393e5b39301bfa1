import { constants, Database } from 'bun:sqlite';
import { accessSync, existsSync, constants as fileModes, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import type { Entity, Row } from '../entities/entity.ts';
import { EntityError } from '../entities/entity-error.ts';
import type { Log } from '../lib/log.ts';
import { migrate } from './migrations.ts';
import { Outdated } from './outdated.ts';
import { type Failure, isBusy, isDenied, makeSqliteFile, openSqliteFile, reason } from './sqlite-file.ts';
import type { Change, Persistence } from './store.ts';
import { decodeRow, defineTable, encodeRow, type SqlValues, type Table } from './tables.ts';

const POLL_MILLISECONDS = 500;
/** How long a commit waits, without holding up anything else, for another process to let go of the file. */
const PATIENCE_MILLISECONDS = 5000;
const RETRY_MILLISECONDS = 20;

/**
 * Keeps rows in a SQLite file, which is made when it is not there, for its owner alone. Several processes may share it.
 * One that may only be read serves nevertheless, with a warning; writes are refused for as long as that is so.
 * Throws an Error of one line that names the file and what is wrong with it.
 */
export function openSqlite(path: string, entities: readonly Entity[], log?: Pick<Log, 'warn'>): Persistence {
  const file = resolve(path);
  const tables = entities.map(entity => defineTable(entity, new Set(entities.map(({ name }) => name))));
  try {
    return new SqlitePersistence(file, tables, openPatiently(file, tables), true);
  } catch (error) {
    const why = reason(error as Failure, file);
    const readable = isDenied(error as Failure) ? openForReading(file, tables) : null;
    if (readable === null) throw new Error(`cannot open the database ${file}: ${why}`);
    log?.warn(`the database ${file} can be read, but not written to: ${why}`);
    return new SqlitePersistence(file, tables, readable, false);
  }
}

/** Two gateways that make the same file at once: SQLite does not wait for its lock while it turns to WAL. Nothing is served yet, so the thread may. */
function openPatiently(file: string, tables: readonly Table[]): Database {
  const deadline = performance.now() + PATIENCE_MILLISECONDS;
  for (;;) {
    try {
      return openForWriting(file, tables, PATIENCE_MILLISECONDS);
    } catch (error) {
      if (!isBusy(error as Failure) || performance.now() > deadline) throw error;
      Bun.sleepSync(RETRY_MILLISECONDS);
    }
  }
}

/** Holds the thread for so long at most while another process has the lock. */
function openForWriting(file: string, tables: readonly Table[], milliseconds: number): Database {
  makeSqliteFile(file, database => migrate(database, tables));
  return openSqliteFile(file, database => {
    database.run(`PRAGMA busy_timeout = ${milliseconds}`);
    database.run('PRAGMA journal_mode = WAL');
    database.run('PRAGMA synchronous = FULL');
    database.run('PRAGMA foreign_keys = ON');
    database.transaction(() => migrate(database, tables)).immediate();
    database.run('PRAGMA busy_timeout = 0');
  });
}

/** Null when it cannot be read either, or lacks a table or a column of this version, which it cannot be given. */
function openForReading(file: string, tables: readonly Table[]): Database | null {
  // Where SQLite can put no files beside it, it reads a database only when told that nobody writes: https://www.sqlite.org/wal.html#readonly
  for (const how of existsSync(`${file}-wal`) ? ['mode=ro'] : ['mode=ro', 'immutable=1']) {
    let database: Database | undefined;
    try {
      database = new Database(`${Bun.pathToFileURL(file)}?${how}`, constants.SQLITE_OPEN_READONLY | constants.SQLITE_OPEN_URI);
      for (const { select } of tables) database.query(`${select} LIMIT 0`).all();
      return database;
    } catch {
      database?.close(); // Why it cannot be written to is what its operator hears.
    }
  }
  return null;
}

class SqlitePersistence implements Persistence {
  readonly #file: string;
  readonly #tables: ReadonlyMap<string, Table>;
  #database: Database;
  #writable: boolean;
  /** Of the file that is open, whatever stands in its place later. */
  #inode: number | undefined;
  /** SQLite's counter of other connections' commits, as it was when rows were loaded. */
  #loadedVersion = -1;

  constructor(file: string, tables: readonly Table[], database: Database, writable: boolean) {
    this.#file = file;
    this.#tables = new Map(tables.map(table => [table.name, table]));
    this.#database = database;
    this.#writable = writable;
    this.#inode = inodeOf(file);
  }

  load(): Promise<ReadonlyMap<string, readonly Row[]>> {
    const read = this.#database.transaction(() => {
      const loaded = new Map([...this.#tables.values()].map(table => [table.name, this.#rows(table)]));
      return { loaded, version: this.#version() };
    });
    return this.#patiently('read', () => {
      const { loaded, version } = read();
      this.#loadedVersion = version;
      return loaded;
    });
  }

  commit(changes: readonly Change[]): Promise<void> {
    return this.#patiently('write to', () => {
      if (!this.#writable) this.#openForWriting();
      this.#write(changes);
    });
  }

  #write(changes: readonly Change[]): void {
    const write = this.#database.transaction(() => {
      this.#expectInPlace();
      if (this.#version() !== this.#loadedVersion) throw new Outdated();
      // What goes and what is replaced goes first, so that rows may take over each other's unique values.
      for (const { entity, id } of changes) this.#database.query(this.#table(entity).remove).run(id);
      for (const { entity, row } of changes) {
        const table = this.#table(entity);
        if (row) this.#database.query(table.insert).run(...encodeRow(table, row));
      }
    });
    write.immediate();
  }

  /** What could only be read may have become writable, and changed in the meantime: it counts as not loaded. */
  #openForWriting(): void {
    for (const place of [this.#file, dirname(this.#file)]) accessSync(place, fileModes.W_OK);
    // SQLite would share what this connection may not write with the new one.
    this.#database.close();
    const tables = [...this.#tables.values()];
    try {
      this.#database = openForWriting(this.#file, tables, 0);
      this.#writable = true;
    } catch (error) {
      this.#database = openForReading(this.#file, tables) ?? this.#database;
      throw error;
    } finally {
      this.#inode = inodeOf(this.#file);
      this.#loadedVersion = -1;
    }
  }

  watch(changed: () => void): () => void {
    const timer = setInterval(() => {
      if (this.#isBehind()) changed();
    }, POLL_MILLISECONDS);
    timer.unref();
    return () => clearInterval(timer);
  }

  reachable(): boolean {
    try {
      this.#expectInPlace();
      return this.#database.query('SELECT count(*) FROM sqlite_schema').get() !== null;
    } catch (error) {
      return isBusy(error as Failure);
    }
  }

  async close(): Promise<void> {
    this.#database.close();
  }

  #rows(table: Table): readonly Row[] {
    // One by one: all values at once would be as much again.
    return Array.from(this.#database.query<SqlValues, []>(table.select).iterate(), values => decodeRow(table, values));
  }

  /** A file that was deleted or replaced still takes writes, but nobody will find them. */
  #expectInPlace(): void {
    const inode = inodeOf(this.#file);
    if (inode !== this.#inode) throw new Error(inode === undefined ? 'the file is gone' : 'another file has taken its place');
  }

  #isBehind(): boolean {
    try {
      return this.#version() !== this.#loadedVersion;
    } catch {
      return true; // To load is to learn why.
    }
  }

  #version(): number {
    const { data_version } = this.#database.query('PRAGMA data_version').get() as { data_version: number };
    return data_version;
  }

  #table({ name }: Entity): Table {
    const table = this.#tables.get(name);
    if (!table) throw new Error(`the database has no table '${name}'`);
    return table;
  }

  /** Tries until no other process is in the way. The pauses are asynchronous: a wait inside SQLite would stop the proxy. */
  async #patiently<T>(action: 'read' | 'write to', work: () => T): Promise<T> {
    const deadline = performance.now() + PATIENCE_MILLISECONDS;
    for (;;) {
      try {
        return work();
      } catch (error) {
        if (error instanceof Outdated) throw error;
        const failure = error as Failure;
        if (!isBusy(failure) || performance.now() > deadline) {
          throw new EntityError('database error', `cannot ${action} the database ${this.#file}: ${reason(failure, this.#file)}`);
        }
        await Bun.sleep(RETRY_MILLISECONDS);
      }
    }
  }
}

const inodeOf = (file: string) => statSync(file, { throwIfNoEntry: false })?.ino;
