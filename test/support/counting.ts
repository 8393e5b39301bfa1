import { inheritedMemory, keptMemory, sharedMemory } from '../../src/lib/counter-memory.ts';
import { SharedCounters } from '../../src/lib/counters.ts';

/** What each of several processes does, as often as it is told. */
export const WORK = {
  /** Adds to a few counters that all share, and once it has done so to one of its own. */
  add(counters: SharedCounters, own: string, endsAt: number, times: number) {
    for (let turn = 0; turn < times; turn++) {
      counters.add(`shared ${turn % 50}`, endsAt, 1);
      counters.add(own, endsAt, 1);
    }
  },
  /** Goes through many counters, so that additions make them. */
  make(counters: SharedCounters, own: string, endsAt: number, times: number) {
    for (let turn = 0; turn < times; turn++) {
      counters.add(`shared ${turn % MANY}`, endsAt, 1);
      counters.add(own, endsAt, 1);
    }
  },
  /** Reserves, says when there is more than the limit, and settles for what it came to. */
  reserve(counters: SharedCounters, own: string, endsAt: number, times: number) {
    for (let turn = 0; turn < times; turn++) {
      const reservation = counters.reserve('reserved', endsAt, 1 + (turn % 7), LIMIT);
      if (reservation === null) continue;
      if (reservation.sum > LIMIT) throw new Error(`${reservation.sum} is more than the limit`);
      const amount = turn % 3 === 0 ? 1 : 0;
      reservation.settle(amount);
      counters.add(own, endsAt, amount);
    }
  },
  /** Reserves one at a time and keeps it. */
  take(counters: SharedCounters, own: string, endsAt: number, times: number) {
    for (let turn = 0; turn < times; turn++) if (counters.reserve('taken', endsAt, 1, LIMIT) !== null) counters.add(own, endsAt, 1);
  },
} as const;

export const LIMIT = 1000;
export const MANY = 20_000;

export interface Counting extends Disposable {
  readonly counters: SharedCounters;
  /** Starts one more process; it ends when it is done. */
  start(work: keyof typeof WORK, own: string, times: number): Bun.Subprocess;
}

/** Counters for processes of their own: in memory, as the workers of a gateway have them, or in a file that each opens. */
export function openCounting(endsAt: number, file?: string): Counting {
  const shared = file === undefined ? sharedMemory() : null;
  const children: Bun.Subprocess[] = [];
  return {
    get counters() {
      return new SharedCounters(shared?.memory ?? keptMemory(file ?? '', console), console);
    },
    start(work, own, times) {
      const command = [process.execPath, import.meta.path, work, own, String(endsAt), String(times), ...(file ? [file] : [])];
      const child = Bun.spawn(command, { stdio: ['ignore', 'pipe', 'inherit', ...(shared ? [shared.descriptor] : [])] });
      children.push(child);
      return child;
    },
    [Symbol.dispose]() {
      for (const child of children) child.kill('SIGKILL');
    },
  };
}

if (import.meta.main) {
  const [, , work = '', own = '', endsAt, times, file] = process.argv;
  const counters = new SharedCounters(file ? keptMemory(file, console) : inheritedMemory(3), console);
  process.stdout.write('counting\n');
  WORK[work as keyof typeof WORK](counters, own, Number(endsAt), Number(times));
}
