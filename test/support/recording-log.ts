import { LOG_LEVELS, type Log, type LogLevel } from '../../src/lib/log.ts';

/** A log whose lines a test can read. */
export function recordingLog() {
  const lines: { level: LogLevel; message: string; facts?: Readonly<Record<string, unknown>> }[] = [];
  const write = (level: LogLevel) => (message: string, facts?: Readonly<Record<string, unknown>>) => {
    lines.push({ level, message, ...(facts && { facts }) });
  };
  const log = Object.fromEntries(LOG_LEVELS.map(level => [level, write(level)])) as Log;
  return { log, lines, said: (level: LogLevel) => lines.filter(line => line.level === level).map(line => line.message) };
}
