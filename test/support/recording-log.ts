import { LOG_LEVELS, type Log, type LogLevel, type LogLine } from '../../src/lib/log.ts';

/** A log whose lines a test can read. */
export function recordingLog() {
  const watchers = new Set<(line: LogLine) => void>();
  const lines: { level: LogLevel; message: string; facts?: Readonly<Record<string, unknown>> }[] = [];
  const write = (level: LogLevel) => (message: string, facts?: Readonly<Record<string, unknown>>) => {
    lines.push({ level, message, ...(facts && { facts }) });
    for (const watcher of watchers) watcher({ level, message, facts: facts ?? {} });
  };
  const watch = (watcher: (line: LogLine) => void) => {
    watchers.add(watcher);
    return () => void watchers.delete(watcher);
  };
  const log = { ...Object.fromEntries(LOG_LEVELS.map(level => [level, write(level)])), watch } as unknown as Log;
  return { log, lines, said: (level: LogLevel) => lines.filter(line => line.level === level).map(line => line.message) };
}
