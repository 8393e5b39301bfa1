import { stdout } from './output.ts';
import { redact, redactText } from './redact.ts';

export const LOG_LEVELS = ['debug', 'info', 'notice', 'warn', 'error', 'crit'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** Writes one line for people or one JSON object for machines. Secrets are taken out of whatever it is given. */
export type Log = { readonly [L in LogLevel]: (message: string, facts?: Readonly<Record<string, unknown>>) => void } & {
  /** Tells of each line that is written from now on, secrets taken out. Returns how to stop. */
  watch?(watcher: (line: LogLine) => void): () => void;
};

export interface LogLine {
  readonly level: LogLevel;
  readonly message: string;
  readonly facts: Readonly<Record<string, unknown>>;
}

export const LOG_FORMATS = ['text', 'json'] as const;
export type LogFormat = (typeof LOG_FORMATS)[number];

/** A log whose level may be changed while it runs. */
export type LeveledLog = Log & { level: LogLevel; readonly format: LogFormat };

export interface LogOptions {
  readonly level: LogLevel;
  readonly format: LogFormat;
  /** Gets each line, its newline included. Standard output unless given. */
  readonly write?: (line: string) => void;
}

export function createLog({ level, format, write = line => stdout.say(line) }: LogOptions): LeveledLog {
  const line = format === 'json' ? jsonLine : textLine;
  const watchers = new Set<(line: LogLine) => void>();
  const at = (entry: LogLevel) => (message: string, facts?: Readonly<Record<string, unknown>>) => {
    if (LOG_LEVELS.indexOf(entry) < LOG_LEVELS.indexOf(log.level)) return;
    const said = { level: entry, message: redactText(message), facts: (redact(facts) ?? {}) as Record<string, unknown> };
    write(line(said.level, said.message, said.facts));
    for (const watcher of watchers) watcher(said);
  };
  const log: LeveledLog = {
    level,
    format,
    debug: at('debug'),
    info: at('info'),
    notice: at('notice'),
    warn: at('warn'),
    error: at('error'),
    crit: at('crit'),
    watch(watcher) {
      watchers.add(watcher);
      return () => void watchers.delete(watcher);
    },
  };
  return log;
}

function jsonLine(level: LogLevel, message: string, facts: Readonly<Record<string, unknown>>): string {
  return `${JSON.stringify({ time: new Date().toISOString(), level, message, ...facts })}\n`;
}

function textLine(level: LogLevel, message: string, facts: Readonly<Record<string, unknown>>): string {
  const time = new Date().toISOString().slice(0, 19).replace('T', ' ');
  const pairs = Object.entries(facts).map(([name, value]) => ` ${name}=${typeof value === 'string' ? value : JSON.stringify(value)}`);
  const line = `${time} [${level}] ${message}${pairs.join('')}`.replaceAll(/[\r\n]+\s*/g, ' | ');
  // What others have said may hold what a terminal takes for a command.
  return `${line.replaceAll(/[^\P{Cc}\t]/gu, encodeURIComponent)}\n`;
}
