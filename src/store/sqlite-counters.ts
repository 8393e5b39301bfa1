import type { Database } from 'bun:sqlite';
import { type Taken, taken, type Window, type WindowCounters } from '../lib/window-counters.ts';
import { type Failure, isBusy, openSqliteFile } from './sqlite-file.ts';

/** How long a request waits for another process to let go of the file. */
const PATIENCE_MS = 2000;
const RETRY_MS = 2;
/** As many requests as are counted in one transaction. */
const MOST_TOGETHER = 100;
/** How often windows are removed that have ended, and how long ago that must have been. */
const CLEAN_MS = 1000;
const ENDED_MS = 60_000;
/** So many are removed at a time, and two for each that was written since: they never pile up, and no request waits for long. */
const LEAST_REMOVED = 100;

const SCHEMA =
  'CREATE TABLE IF NOT EXISTS counters (ends_at INTEGER, key TEXT, count INTEGER NOT NULL, PRIMARY KEY (ends_at, key)) WITHOUT ROWID';
const SELECT = 'SELECT count FROM counters WHERE ends_at = ? AND key = ?';
const ADD = 'INSERT INTO counters VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET count = max(0, count + excluded.count)';
const REMOVE = 'DELETE FROM counters WHERE (ends_at, key) IN (SELECT ends_at, key FROM counters WHERE ends_at < ? LIMIT ?)';

/** A request that waits for its turn. */
interface Waiting {
  readonly windows: readonly Window[];
  readonly adds: boolean;
  readonly since: number;
  resolve(taken: Taken): void;
  reject(error: Error): void;
}

/**
 * Windows in a SQLite file of their own, which is made when it is not there: it may lie beside the database, whose rows
 * would look changed with each request. Several processes may count in it, each opening it at its first request. No wait
 * holds up the thread.
 */
export class SqliteCounters implements WindowCounters {
  readonly #file: string;
  #database: Database | null = null;
  #waiting: Waiting[] = [];
  #isAtWork = false;
  #cleanedAt = Date.now();
  #written = 0;

  constructor(file: string) {
    this.#file = file;
  }

  async read(windows: readonly Window[]): Promise<readonly number[]> {
    return (await this.#ask(windows, false)).counts;
  }

  take(windows: readonly Window[]): Promise<Taken> {
    return this.#ask(windows, true);
  }

  close(): void {
    this.#database?.close();
    this.#database = null;
  }

  #ask(windows: readonly Window[], adds: boolean): Promise<Taken> {
    const { promise, resolve, reject } = Promise.withResolvers<Taken>();
    this.#waiting.push({ windows, adds, since: performance.now(), resolve, reject });
    if (!this.#isAtWork) {
      this.#isAtWork = true;
      // Requests that come together are counted together.
      setImmediate(() => void this.#work());
    }
    return promise;
  }

  async #work(): Promise<void> {
    while (this.#waiting.length > 0) {
      const together = this.#waiting.splice(0, MOST_TOGETHER);
      try {
        const results = await this.#patiently(together[0]?.since ?? 0, () => this.#count(together));
        for (const [index, { resolve }] of together.entries()) resolve(results[index] as Taken);
      } catch (error) {
        // It may be the file that is at fault: the next request opens what is there then.
        this.close();
        const { message } = error as Error;
        const failure = new Error(`cannot count in ${this.#file}: ${message}`);
        for (const { reject } of together) reject(failure);
      }
    }
    this.#isAtWork = false;
  }

  #count(together: readonly Waiting[]): Taken[] {
    this.#database ??= open(this.#file);
    const database = this.#database;
    const select = database.query<{ count: number }, [number, string]>(SELECT);
    const add = database.query<unknown, [number, string, number]>(ADD);
    const count = ({ windows, adds }: Waiting): Taken => {
      const result = taken(
        windows,
        windows.map(({ key, endsAt }) => select.get(endsAt, key)?.count ?? 0),
      );
      if (!adds || result.full >= 0) return result;
      for (const { key, endsAt, amount } of windows) add.run(endsAt, key, amount);
      this.#written += windows.length;
      return result;
    };
    return database
      .transaction(() => {
        this.#clean(database);
        return together.map(count);
      })
      .immediate();
  }

  #clean(database: Database): void {
    const now = Date.now();
    if (now - this.#cleanedAt < CLEAN_MS) return;
    database.query(REMOVE).run(now - ENDED_MS, LEAST_REMOVED + 2 * this.#written);
    this.#cleanedAt = now;
    this.#written = 0;
  }

  /** From the first request on that waits: those behind it must not wait for its patience and then for their own. */
  async #patiently<T>(since: number, work: () => T): Promise<T> {
    for (;;) {
      try {
        return work();
      } catch (error) {
        if (!isBusy(error as Failure) || performance.now() > since + PATIENCE_MS) throw error;
        await Bun.sleep(RETRY_MS * (1 + Math.random()));
      }
    }
  }
}

const open = (file: string): Database =>
  openSqliteFile(file, database => {
    database.run('PRAGMA busy_timeout = 0');
    database.run('PRAGMA journal_mode = WAL');
    // A crash of the machine may lose the last counts, and never the file.
    database.run('PRAGMA synchronous = NORMAL');
    database.run(SCHEMA);
  });
