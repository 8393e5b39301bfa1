import type { Clock } from '../../src/lib/clock.ts';

/** A clock that stands still until it is told otherwise. */
export function handClock() {
  let now = 0;
  const alarms = new Set<{ readonly at: number; readonly call: () => void }>();
  const clock: Clock = {
    now: () => now,
    after(milliseconds, call) {
      const alarm = { at: now + milliseconds, call };
      alarms.add(alarm);
      return () => void alarms.delete(alarm);
    },
  };
  /** Lets time pass, and what was set off by it come to rest. */
  async function pass(seconds: number): Promise<void> {
    const end = now + seconds * 1000;
    for (;;) {
      await new Promise(setImmediate);
      const next = [...alarms].sort((a, b) => a.at - b.at)[0];
      if (next === undefined || next.at > end) break;
      alarms.delete(next);
      now = next.at;
      next.call();
    }
    now = end;
  }
  return { clock, pass };
}
