import type { Log } from './log.ts';

/** A fault of ours must not take everybody's requests along: it is logged, and the rest goes on. */
export function reportUncaught(log: Log): void {
  const report = (error: unknown) => log.crit('uncaught error', { error: error instanceof Error ? error : String(error) });
  process.on('uncaughtException', report);
  process.on('unhandledRejection', report);
}
