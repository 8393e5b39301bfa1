import type { Counters, Reservation } from '../../lib/counters.ts';
import type { Taken, Window, WindowCounters } from '../../lib/window-counters.ts';

/** Windows that the workers of this gateway count together. */
export class LocalCounters implements WindowCounters {
  readonly #counters: Counters;

  constructor(counters: Counters) {
    this.#counters = counters;
  }

  read(windows: readonly Window[]): readonly number[] {
    return windows.map(({ key, endsAt }) => this.#counters.get(key, endsAt));
  }

  take(windows: readonly Window[]): Taken {
    const reservations: Reservation[] = [];
    const counts: number[] = [];
    for (const { key, endsAt, limit, amount } of windows) {
      // There is room for the last one in what holds less than the limit.
      const most = amount > 0 ? Math.ceil(limit) - 1 + amount : Number.POSITIVE_INFINITY;
      const reservation = this.#counters.reserve(key, endsAt, amount, most);
      if (reservation === null) {
        for (const earlier of reservations) earlier.settle(0);
        return { counts: this.read(windows), full: reservations.length };
      }
      reservations.push(reservation);
      counts.push(reservation.sum - amount);
    }
    return { counts, full: -1 };
  }
}
