import { Database } from 'bun:sqlite';
import { closeSync, openSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import type { Entity, Row } from '../entities/entity.ts';
import { EntityError } from '../entities/entity-error.ts';
import { migrate } from './migrations.ts';
import { Outdated } from './outdated.ts';
import type { Change, Persistence } from './store.ts';
import { decodeRow, defineTable, encodeRow, type SqlValue, type Table } from './tables.ts';

const POLL_MILLISECONDS = 500;
/** How long a commit waits, without holding up anything else, for another process to let go of the file. */
const PATIENCE_MILLISECONDS = 5000;
const RETRY_MILLISECONDS = 20;

/**
 * Keeps rows in a SQLite file, which is made when it is not there, for its owner alone. Several processes may share it.
 * Throws an Error of one line that names the file and what is wrong with it.
 */
export function openSqlite(path: string, entities: readonly Entity[]): Persistence {
  const file = resolve(path);
  const tables = entities.map(entity => defineTable(entity, new Set(entities.map(({ name }) => name))));
  try {
    closeSync(openSync(file, 'a', 0o600));
    return new SqlitePersistence(file, openPatiently(file, tables), tables);
  } catch (error) {
    throw new Error(`cannot open the database ${file}: ${reason(error as Failure, file)}`);
  }
}

/** Two gateways that make the same file at once: SQLite does not wait for its lock while it turns to WAL. Nothing is served yet, so the thread may. */
function openPatiently(file: string, tables: readonly Table[]): Database {
  const deadline = performance.now() + PATIENCE_MILLISECONDS;
  for (;;) {
    try {
      return open(file, tables);
    } catch (error) {
      if (!isBusy(error as Failure) || performance.now() > deadline) throw error;
      Bun.sleepSync(RETRY_MILLISECONDS);
    }
  }
}

function open(file: string, tables: readonly Table[]): Database {
  const database = new Database(file, { readwrite: true, strict: true });
  try {
    // Nothing is served yet, so here the thread itself may wait for the lock.
    database.run(`PRAGMA busy_timeout = ${PATIENCE_MILLISECONDS}`);
    database.run('PRAGMA journal_mode = WAL');
    database.run('PRAGMA synchronous = FULL');
    database.run('PRAGMA foreign_keys = ON');
    database.transaction(() => migrate(database, tables)).immediate();
    database.run('PRAGMA busy_timeout = 0');
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}

class SqlitePersistence implements Persistence {
  readonly #file: string;
  readonly #inode: number | undefined;
  readonly #database: Database;
  readonly #tables: ReadonlyMap<string, Table>;
  /** SQLite's counter of other connections' commits, as it was when rows were loaded. */
  #loadedVersion = -1;

  constructor(file: string, database: Database, tables: readonly Table[]) {
    this.#file = file;
    this.#inode = inodeOf(file);
    this.#database = database;
    this.#tables = new Map(tables.map(table => [table.name, table]));
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
    return this.#patiently('write to', () => write.immediate());
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
    return this.#database
      .query(table.select)
      .values()
      .map(values => decodeRow(table, values as SqlValue[]));
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

/** An error of the file system or of SQLite. */
type Failure = Error & { readonly code?: string };

const isBusy = ({ code }: Failure) => code?.startsWith('SQLITE_BUSY') ?? false;

function reason({ code = '', message }: Failure, file: string): string {
  const reasons: Readonly<Record<string, string>> = {
    ENOENT: `the directory ${dirname(file)} does not exist`,
    ENOTDIR: `${dirname(file)} is not a directory`,
    EISDIR: 'it is a directory',
    EACCES: 'permission denied',
    EPERM: 'permission denied',
    EROFS: 'the file system is read-only',
    ENOSPC: 'the disk is full',
    SQLITE_FULL: 'the disk is full',
    SQLITE_NOTADB: 'it is not a SQLite database',
    SQLITE_CORRUPT: 'it is damaged',
    SQLITE_READONLY: 'it is read-only',
    SQLITE_CANTOPEN: `files beside it cannot be made in ${dirname(file)}`,
    SQLITE_BUSY: 'another process keeps it locked',
    SQLITE_IOERR: `reading or writing failed (${code})`,
  };
  return reasons[code] ?? reasons[code.split('_', 2).join('_')] ?? message.replaceAll(/\s*\n\s*/g, ' ');
}
