/** From the shortest to the longest. */
export const PERIODS = ['second', 'minute', 'hour', 'day', 'month', 'year'] as const;
export type Period = (typeof PERIODS)[number];

/** A second, a minute, … of the calendar, in UTC, from and to in milliseconds since 1970. */
export interface Span {
  readonly startsAt: number;
  readonly endsAt: number;
}

const LENGTHS = { second: 1000, minute: 60_000, hour: 3_600_000, day: 86_400_000 } as const;

function spanOf(period: Period, now: number): Span {
  const date = new Date(now);
  const year = date.getUTCFullYear();
  if (period === 'year') return { startsAt: Date.UTC(year, 0), endsAt: Date.UTC(year + 1, 0) };
  const month = date.getUTCMonth();
  if (period === 'month') return { startsAt: Date.UTC(year, month), endsAt: Date.UTC(year, month + 1) };
  const startsAt = now - (now % LENGTHS[period]);
  return { startsAt, endsAt: startsAt + LENGTHS[period] };
}

/** The span of a period that it is now, kept as long as it lasts. */
export function spanClock(period: Period): (now: number) => Span {
  let span: Span = { startsAt: 0, endsAt: 0 };
  return now => {
    if (now < span.startsAt || now >= span.endsAt) span = spanOf(period, now);
    return span;
  };
}
