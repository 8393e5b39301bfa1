/** One that serves for less has died young. */
const YOUNG_MS = 1000;
const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 5000;

/** When the next worker starts after one that has ended now, and how many have died young in a row. */
export interface Pause {
  readonly milliseconds: number;
  readonly diedYoung: number;
}

/** At once, unless those before died young as well: then the pause doubles each time. `servedSince` is null for one that never served. */
export function pauseAfter(servedSince: number | null, diedYoungBefore: number, now = performance.now()): Pause {
  if (servedSince !== null && now - servedSince >= YOUNG_MS) return { milliseconds: 0, diedYoung: 0 };
  const milliseconds = diedYoungBefore === 0 ? 0 : Math.min(FIRST_PAUSE_MS * 2 ** (diedYoungBefore - 1), LONGEST_PAUSE_MS);
  return { milliseconds, diedYoung: diedYoungBefore + 1 };
}
