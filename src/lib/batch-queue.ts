import type { Log } from './log.ts';

/** The members of Kong's `queue` record; times in seconds. */
export interface QueueLimits {
  readonly max_batch_size: number;
  /** How long the first entry of a batch waits for others. */
  readonly max_coalescing_delay: number;
  /** How many entries may wait, and how many bytes they may take together; past that the oldest go. */
  readonly max_entries: number;
  readonly max_bytes: number | null;
  /** After a failure the pause doubles from `initial_retry_delay` to at most `max_retry_delay`, until `max_retry_time` has passed. */
  readonly initial_retry_delay: number;
  readonly max_retry_delay: number;
  readonly max_retry_time: number;
  /** 1: one batch after the other, in order. -1: every entry at once and by itself. */
  readonly concurrency_limit: 1 | -1;
}

/** Takes a batch away; a rejection means that all of it is to be tried again. */
export type Send<Entry = string> = (entries: readonly Entry[]) => Promise<void>;

const DRAIN_SECONDS = 5;
const NEARLY_FULL = 0.8;

/** Entries on their way to somewhere slow: whoever adds one never waits, and what is kept is bounded. */
export class BatchQueue<Entry = string> {
  readonly #name: string;
  readonly #limits: QueueLimits;
  readonly #send: Send<Entry>;
  readonly #log: Log;
  readonly #bytesOf: (entry: Entry) => number;
  /** Those before `#first` are gone already: taking from the front of an array would cost its length each time. */
  #entries: Entry[] = [];
  #first = 0;
  #bytes = 0;
  #dropped = 0;
  #warned = false;
  #emptying = false;
  #retryUntil = Number.POSITIVE_INFINITY;
  readonly #running = new Set<Promise<void>>();
  readonly #gathering = new Set<() => void>();
  readonly #retrying = new Set<() => void>();

  /** `bytesOf` is asked where `max_bytes` counts. */
  constructor(name: string, limits: QueueLimits, send: Send<Entry>, log: Log, bytesOf: (entry: Entry) => number = bytesOfText) {
    this.#name = name;
    this.#limits = limits;
    this.#send = send;
    this.#log = log;
    this.#bytesOf = bytesOf;
  }

  add(entry: Entry): void {
    const { concurrency_limit, max_batch_size, max_entries } = this.#limits;
    if (concurrency_limit === -1) {
      if (this.#running.size < max_entries) this.#run(this.#deliver([entry]));
      else this.#countDropped(`${max_entries} entries are being sent already, dropping new ones`);
      return;
    }
    if (!this.#makeRoom(entry)) return;
    this.#entries.push(entry);
    if (this.#size >= Math.min(max_batch_size, max_entries)) wake(this.#gathering);
    if (!this.#emptying) this.#run(this.#empty());
  }

  /** Sends what is left without waiting for more. Resolves when that is done, or after five seconds: the log says what was lost. */
  async close(): Promise<void> {
    this.#retryUntil = performance.now() + DRAIN_SECONDS * 1000;
    wake(this.#gathering);
    wake(this.#retrying);
    if (this.#running.size === 0) return;
    const timeout = new Set<() => void>();
    const inTime = await Promise.race([Promise.all(this.#running).then(() => true), sleep(DRAIN_SECONDS, timeout).then(() => false)]);
    wake(timeout);
    if (!inTime) this.#log.error(`${this.#name}: closed before everything was sent`, { waiting: this.#size });
  }

  get #size(): number {
    return this.#entries.length - this.#first;
  }

  get #closed(): boolean {
    return this.#retryUntil !== Number.POSITIVE_INFINITY;
  }

  #run(work: Promise<void>): void {
    const done = work.finally(() => {
      this.#running.delete(done);
      if (this.#running.size === 0 && this.#size === 0) this.#caughtUp();
    });
    this.#running.add(done);
  }

  async #empty(): Promise<void> {
    this.#emptying = true;
    const { max_batch_size, max_coalescing_delay } = this.#limits;
    while (this.#size > 0) {
      if (this.#size < max_batch_size && max_coalescing_delay > 0 && !this.#closed) await sleep(max_coalescing_delay, this.#gathering);
      await this.#deliver(this.#take(max_batch_size));
    }
    this.#emptying = false;
  }

  async #deliver(batch: readonly Entry[]): Promise<void> {
    const { initial_retry_delay, max_retry_delay, max_retry_time } = this.#limits;
    const giveUpAt = performance.now() + max_retry_time * 1000;
    for (let failures = 0; ; failures++) {
      try {
        await this.#send(batch);
        return;
      } catch (error) {
        const reason = error instanceof Error ? error.message : String(error);
        if (performance.now() >= Math.min(giveUpAt, this.#retryUntil)) {
          // Past the end of its time, what waits would fare no better: not a try and a line for each.
          const waiting = performance.now() >= this.#retryUntil ? this.#take(this.#size).length : 0;
          this.#log.error(`${this.#name}: giving up, ${batch.length + waiting} entries are lost`, { reason });
          return;
        }
        this.#log.warn(`${this.#name}: could not send, will try again`, { reason, entries: batch.length });
        const longest = this.#closed ? DRAIN_SECONDS / 10 : max_retry_delay;
        await sleep(Math.min(longest, initial_retry_delay * 2 ** failures), this.#retrying);
      }
    }
  }

  /** Drops the oldest until there is room; false when there never will be. */
  #makeRoom(entry: Entry): boolean {
    const { max_bytes, max_entries } = this.#limits;
    if (!this.#warned && this.#size >= max_entries * NEARLY_FULL) {
      this.#warned = true;
      this.#log.warn(`${this.#name}: the queue is at ${NEARLY_FULL * 100}% of its max_entries (${max_entries})`);
    }
    const bytes = max_bytes === null ? 0 : this.#bytesOf(entry);
    if (max_bytes !== null && bytes > max_bytes) {
      this.#log.error(`${this.#name}: an entry of ${bytes} bytes is larger than max_bytes (${max_bytes}), it is lost`);
      return false;
    }
    while (this.#size > 0 && (this.#size >= max_entries || (max_bytes !== null && this.#bytes + bytes > max_bytes))) {
      this.#take(1);
      this.#countDropped('the queue is full, dropping the oldest entries');
    }
    this.#bytes += bytes;
    return true;
  }

  /** One line when dropping begins and one, with the count, when everything has been sent: never a line an entry. */
  #countDropped(why: string): void {
    if (this.#dropped === 0) this.#log.error(`${this.#name}: ${why}`);
    this.#dropped += 1;
  }

  #caughtUp(): void {
    if (this.#dropped > 0) this.#log.error(`${this.#name}: caught up, ${this.#dropped} entries were dropped`);
    this.#dropped = 0;
    this.#warned = false;
  }

  #take(count: number): Entry[] {
    const taken = this.#entries.slice(this.#first, this.#first + count);
    this.#first += taken.length;
    if (this.#limits.max_bytes !== null) for (const entry of taken) this.#bytes -= this.#bytesOf(entry);
    if (this.#size === 0 || this.#first > this.#limits.max_entries) {
      this.#entries.splice(0, this.#first);
      this.#first = 0;
    }
    return taken;
  }
}

const bytesOfText = (entry: unknown) => Buffer.byteLength(entry as string);

/** Sleeps until the time has passed or `wake` is called with the same set. */
function sleep(seconds: number, sleepers: Set<() => void>): Promise<void> {
  return new Promise(resolve => {
    const stop = () => {
      clearTimeout(timer);
      sleepers.delete(stop);
      resolve();
    };
    const timer = setTimeout(stop, seconds * 1000);
    sleepers.add(stop);
  });
}

function wake(sleepers: Set<() => void>): void {
  for (const stop of [...sleepers]) stop();
}
