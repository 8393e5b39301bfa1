const TICK_MS = 50;

/** One timer for all requests: setting a deadline is an assignment, so a stream may move its own with every chunk. */
export class Deadlines {
  #now = 0;
  #timer: ReturnType<typeof setInterval> | null = null;
  readonly #open = new Set<Deadline>();

  /** Runs `expired.expire()` when `milliseconds` pass, late by two ticks at most, unless moved or closed before. */
  open(expired: Expirable, milliseconds: number): Deadline {
    const deadline = new Deadline(this, expired);
    deadline.move(milliseconds);
    this.#open.add(deadline);
    this.#timer ??= setInterval(() => this.#tick(), TICK_MS);
    return deadline;
  }

  /** Counted by ticks: a change of the system's clock, or a machine that slept, expires nothing. */
  after(milliseconds: number): number {
    return this.#now + Math.ceil(milliseconds / TICK_MS) + 1;
  }

  close(deadline: Deadline): void {
    this.#open.delete(deadline);
  }

  #tick() {
    this.#now++;
    for (const deadline of this.#open) {
      if (deadline.expiresAt > this.#now) continue;
      this.#open.delete(deadline);
      deadline.expired.expire();
    }
    if (this.#open.size > 0 || this.#timer === null) return;
    clearInterval(this.#timer);
    this.#timer = null;
  }
}

export interface Expirable {
  expire(): void;
}

export class Deadline {
  expiresAt = Number.POSITIVE_INFINITY;
  readonly expired: Expirable;
  readonly #deadlines: Deadlines;

  constructor(deadlines: Deadlines, expired: Expirable) {
    this.#deadlines = deadlines;
    this.expired = expired;
  }

  move(milliseconds: number): void {
    this.expiresAt = this.#deadlines.after(milliseconds);
  }

  /** Nothing expires until it is moved again. */
  rest(): void {
    this.expiresAt = Number.POSITIVE_INFINITY;
  }

  close(): void {
    this.#deadlines.close(this);
  }
}
