const CLOSED = -1;

/** One timer for all requests: setting a deadline is an assignment, so a stream may move its own with every chunk. */
export class Deadlines {
  #now = 0;
  #timer: ReturnType<typeof setInterval> | null = null;
  /** An array, where closing puts the last in the place of the closed: a Set keeps what was deleted alive for longer. */
  readonly #open: Deadline[] = [];
  readonly #tickMs: number;

  constructor(tickMs = 50) {
    this.#tickMs = tickMs;
  }

  /** Runs `expired.expire()` when `milliseconds` pass, late by two ticks at most, unless moved or closed before. */
  open(expired: Expirable, milliseconds: number): Deadline {
    const deadline = new Deadline(this, expired, this.#open.length);
    deadline.move(milliseconds);
    this.#open.push(deadline);
    this.#timer ??= setInterval(() => this.#tick(), this.#tickMs);
    return deadline;
  }

  /** Counted by ticks: a change of the system's clock, or a machine that slept, expires nothing. */
  after(milliseconds: number): number {
    return this.#now + Math.ceil(milliseconds / this.#tickMs) + 1;
  }

  close(deadline: Deadline): void {
    const { place } = deadline;
    const last = place === CLOSED ? undefined : this.#open.pop();
    if (last === undefined) return;
    if (last !== deadline) {
      this.#open[place] = last;
      last.place = place;
    }
    deadline.place = CLOSED;
  }

  #tick() {
    this.#now++;
    for (const deadline of this.#open.filter(({ expiresAt }) => expiresAt <= this.#now)) {
      // One that expired may have closed this one.
      if (deadline.place === CLOSED) continue;
      this.close(deadline);
      deadline.expired.expire();
    }
    if (this.#open.length > 0 || this.#timer === null) return;
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
  /** Where among the open ones it is. */
  place: number;
  readonly #deadlines: Deadlines;

  constructor(deadlines: Deadlines, expired: Expirable, place: number) {
    this.#deadlines = deadlines;
    this.expired = expired;
    this.place = place;
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
