import type { Log } from '../../lib/log.ts';

/** How often the log says that nobody can count. */
const SILENCE_MS = 10_000;

/** Says in the log that nothing could be counted, once in a while, and once that it can be again. */
export class CountingTrouble {
  readonly #name: string;
  readonly #log: Log;
  #saidAt: number | null = null;

  constructor(name: string, log: Log) {
    this.#name = name;
    this.#log = log;
  }

  tell(error: Error): void {
    const now = performance.now();
    if (this.#saidAt !== null && now - this.#saidAt < SILENCE_MS) return;
    this.#saidAt = now;
    this.#log.error(`${this.#name}: failed to get usage`, { error: error.message });
  }

  /** It has gone well. */
  over(): void {
    if (this.#saidAt === null) return;
    this.#saidAt = null;
    this.#log.notice(`${this.#name}: counting again`);
  }
}
