import type { Window } from '../../lib/window-counters.ts';
import { type Period, type Span, spanClock } from './periods.ts';

/** How many identifiers' windows are kept at a time. */
const MOST_KEPT = 1000;

export interface Rule {
  readonly period: Period;
  readonly limit: number;
}

/** The windows in which one more request counts, made once for all requests of an identifier in the same spans of time. */
export class CurrentWindows {
  readonly #prefix: string;
  readonly #rules: readonly (Rule & { readonly spanAt: (now: number) => Span })[];
  readonly #kept = new Map<string, readonly Window[]>();
  /** The spans that the kept ones are for have this time in common. */
  #from = 0;
  #until = 0;

  constructor(prefix: string, rules: readonly Rule[]) {
    this.#prefix = prefix;
    this.#rules = rules.map(({ period, limit }) => ({ period, limit, spanAt: spanClock(period) }));
  }

  at(now: number, identifier: string): readonly Window[] {
    if (now < this.#from || now >= this.#until) this.#turnTo(now);
    const kept = this.#kept.get(identifier);
    if (kept !== undefined) return kept;
    const windows = this.#rules.map(({ period, limit, spanAt }) => {
      const { startsAt, endsAt } = spanAt(now);
      return { key: `${this.#prefix}:${identifier}:${startsAt}:${period}`, endsAt, limit, amount: 1 };
    });
    if (this.#kept.size >= MOST_KEPT) this.#kept.clear();
    this.#kept.set(identifier, windows);
    return windows;
  }

  #turnTo(now: number): void {
    const spans = this.#rules.map(({ spanAt }) => spanAt(now));
    this.#from = Math.max(...spans.map(({ startsAt }) => startsAt));
    this.#until = Math.min(...spans.map(({ endsAt }) => endsAt));
    this.#kept.clear();
  }
}
