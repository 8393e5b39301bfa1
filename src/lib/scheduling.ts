import { dlopen, ptr } from 'bun:ffi';

/** Of Linux, sched(7). */
const SCHED_OTHER = 0;
const SCHED_BATCH = 3;

/**
 * Asks Linux that a thread of this process which wakes does not interrupt another which works: at each request, Bun's thread for
 * connections would take the core from the one that runs JavaScript. Holds for threads, programs and processes to come. Who started
 * this process with a policy of their own keep it, and where there is no such thing nothing changes.
 */
export function workInBatches(): void {
  if (process.platform !== 'linux') return;
  try {
    const { symbols } = dlopen('libc.so.6', {
      sched_getscheduler: { args: ['i32'], returns: 'i32' },
      sched_setscheduler: { args: ['i32', 'i32', 'ptr'], returns: 'i32' },
    });
    const itself = 0;
    const noPriority = new Int32Array(1);
    if (symbols.sched_getscheduler(itself) === SCHED_OTHER) symbols.sched_setscheduler(itself, SCHED_BATCH, ptr(noPriority));
  } catch {
    // Another libc: it works as before, and costs more.
  }
}
