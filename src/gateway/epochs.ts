import type { Passage } from './snapshot.ts';

type Close = () => Promise<void>;

/** The time between two changes that put configurations out of use. */
class Epoch implements Passage {
  requests = 0;
  readonly retired: Close[] = [];
  private readonly epochs: Epochs;

  constructor(epochs: Epochs) {
    this.epochs = epochs;
  }

  leave(): void {
    this.requests--;
    if (this.requests === 0) this.epochs.settle();
  }
}

/**
 * Closes what is out of use when the last request that could still use it has left: all that entered before it was
 * retired, in its own epoch or an earlier one. Requests that begin later do not keep it open.
 */
export class Epochs {
  private current = new Epoch(this);
  private readonly earlier: Epoch[] = [];
  private readonly closing = new Set<Promise<void>>();

  enter(): Passage {
    this.current.requests++;
    return this.current;
  }

  retire(closes: readonly Close[]): void {
    if (closes.length === 0) return;
    this.current.retired.push(...closes);
    this.earlier.push(this.current);
    this.current = new Epoch(this);
    this.settle();
  }

  settle(): void {
    while (this.earlier[0]?.requests === 0) this.close(this.earlier.shift()?.retired ?? []);
  }

  /** Closes everything retired, whoever still uses it. */
  async end(): Promise<void> {
    for (const epoch of this.earlier.splice(0)) this.close(epoch.retired);
    await Promise.all(this.closing);
  }

  private close(closes: readonly Close[]): void {
    for (const close of closes) {
      const closing = close().finally(() => this.closing.delete(closing));
      this.closing.add(closing);
    }
  }
}
