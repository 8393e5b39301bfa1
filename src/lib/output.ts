import { fstatSync } from 'node:fs';

/**
 * Standard output or standard error, the only one that writes there. It never blocks, and whoever reads may be slow or stop reading.
 * `process.stdout` is the same, but loads all of Node's streams, which takes as long as it takes to make a database.
 */
export class Output {
  readonly #descriptor: number;
  #sink: Bun.FileSink | null = null;

  constructor(descriptor: number) {
    this.#descriptor = descriptor;
  }

  /** Resolves once the system has all of it. Rejects with the system's reason. */
  async write(text: string | Uint8Array): Promise<void> {
    this.#sink ??= Bun.file(this.#descriptor).writer();
    await Promise.all([this.#sink.write(text), this.#sink.flush()]);
  }

  /** The same, for those who do not care. */
  say(text: string): void {
    this.write(text).catch(() => {});
  }

  /** Resolves once all is out, or never will be. */
  async end(): Promise<void> {
    try {
      await this.#sink?.flush();
    } catch {
      // Nobody reads it any more.
    }
  }

  /** So is /dev/null, and there it does not matter. */
  get isTerminal(): boolean {
    return fstatSync(this.#descriptor).isCharacterDevice();
  }
}

export const stdout = new Output(1);
export const stderr = new Output(2);
