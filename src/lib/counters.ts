import { type CounterMemory, keptMemory, privateMemory } from './counter-memory.ts';
import { type CounterId, CountersFull, CounterTable } from './counter-table.ts';
import type { Log } from './log.ts';

/**
 * Counters that all workers of a gateway share: what one adds, the next call of any other sees, and nothing is lost.
 *
 * A counter is a key and the time at which it ends, in milliseconds since 1970, the next full second counting: the key with
 * another end is another counter. So a limit of 100 a minute is `reserve(key, endOfTheMinute, 1, 100)`. It begins at 0 when
 * it is first named, holds whole numbers from 0 to 2^48 - 1, and is gone some seconds after its end: what is still added
 * then comes to nothing. No counter ends later than 400 days from now: a RangeError.
 *
 * Every call is done when it returns, and takes about half a microsecond. One that needs a new counter throws CountersFull
 * when there is no room: the counters there are go on, and the log says so.
 */
export interface Counters {
  /** What it holds. */
  get(key: string, endsAt: number): number;
  /** Adds, or with a negative amount takes away, and returns what it holds then. */
  add(key: string, endsAt: number, amount: number): number;
  /** Adds when it holds no more than `limit` then, and else is null. Of several that try at once, as many succeed as there is room for. */
  reserve(key: string, endsAt: number, amount: number, limit: number): Reservation | null;
}

/** An amount that was added before it was known. One that is never settled, as its process has died, goes with its counter. */
export interface Reservation {
  /** What the counter held with it. */
  readonly sum: number;
  /** Puts what it came to, more or less or nothing at all, in place of what was reserved. Only the first call counts. */
  settle(amount: number): void;
}

/** `passing` counters end with the gateway, `kept` ones outlive it. */
export type Lifetime = 'passing' | 'kept';

export interface CounterPlaces {
  /** Of the passing ones; this process has its own unless it is given. */
  readonly memory?: CounterMemory | undefined;
  /** Of the kept ones: not made before they are asked for. */
  readonly file: string;
  readonly log: Log;
}

/** Opens each kind when it is asked for first. Throws a ConfigurationError when kept ones cannot be had. */
export function countersIn({ memory, file, log }: CounterPlaces): (lifetime: Lifetime) => Counters {
  const opened = new Map<Lifetime, Counters>();
  return lifetime => {
    const known = opened.get(lifetime);
    if (known !== undefined) return known;
    const counters = new SharedCounters(lifetime === 'kept' ? keptMemory(file, log) : (memory ?? privateMemory()), log);
    opened.set(lifetime, counters);
    return counters;
  };
}

/** How often the log says that there is no room. */
const SILENCE_MS = 60_000;

/** How many hashes are kept, and of which keys. */
const MOST_HASHES = 4096;
const LONGEST_KEPT = 1024;

/** Counters in memory that other processes may have too. */
export class SharedCounters implements Counters {
  readonly #table: CounterTable;
  readonly #seed: string;
  readonly #log: Pick<Log, 'error'>;
  readonly #now: () => number;
  /** Of keys that came lately: most come again. */
  readonly #hashes = new Map<string, Int32Array>();
  readonly #id: { hash: Int32Array; endsAt: number } = { hash: new Int32Array(4), endsAt: 0 };
  #saidAt = Number.NEGATIVE_INFINITY;

  /** `now` is in milliseconds since 1970. */
  constructor({ table, seed }: CounterMemory, log: Pick<Log, 'error'>, now: () => number = Date.now) {
    this.#table = new CounterTable(table, () => now() / 1000);
    this.#seed = seed;
    this.#log = log;
    this.#now = now;
  }

  get(key: string, endsAt: number): number {
    return this.#table.get(this.#idOf(key, endsAt));
  }

  add(key: string, endsAt: number, amount: number): number {
    return this.#add(key, endsAt, amount, Number.POSITIVE_INFINITY) ?? 0;
  }

  reserve(key: string, endsAt: number, amount: number, limit: number): Reservation | null {
    const sum = this.#add(key, endsAt, amount, limit);
    return sum === null ? null : new TableReservation(this.#table, this.#table.place, amount, sum);
  }

  #add(key: string, endsAt: number, amount: number, limit: number): number | null {
    try {
      return this.#table.add(this.#idOf(key, endsAt), amount, limit);
    } catch (error) {
      if (error instanceof CountersFull) this.#tell();
      throw error;
    }
  }

  /** The same object each time: it is read at once. */
  #idOf(key: string, endsAt: number): CounterId {
    this.#id.hash = this.#hashOf(key);
    this.#id.endsAt = Math.ceil(endsAt / 1000);
    return this.#id;
  }

  #hashOf(key: string): Int32Array {
    const known = this.#hashes.get(key);
    if (known !== undefined) return known;
    const digest = new Uint8Array(32);
    Bun.SHA256.hash(this.#seed + key, digest);
    const hash = new Int32Array(digest.buffer, 0, 4);
    if (this.#hashes.size >= MOST_HASHES) this.#hashes.clear();
    if (key.length <= LONGEST_KEPT) this.#hashes.set(key, hash);
    return hash;
  }

  #tell(): void {
    const now = this.#now();
    if (now - this.#saidAt < SILENCE_MS) return;
    this.#saidAt = now;
    this.#log.error('there is no room for more counters: what is not counted yet cannot be until others have ended');
  }
}

class TableReservation implements Reservation {
  readonly sum: number;
  readonly #table: CounterTable;
  readonly #place: number;
  readonly #reserved: number;
  #isSettled = false;

  constructor(table: CounterTable, place: number, reserved: number, sum: number) {
    this.#table = table;
    this.#place = place;
    this.#reserved = reserved;
    this.sum = sum;
  }

  settle(amount: number): void {
    if (this.#isSettled) return;
    this.#isSettled = true;
    this.#table.addAt(this.#place, amount - this.#reserved);
  }
}
