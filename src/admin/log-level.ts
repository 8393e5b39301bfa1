import { LOG_LEVELS, type LogLevel } from '../lib/log.ts';
import { type Endpoint, segment } from './admin-context.ts';
import { readBody } from './body.ts';

export interface LogLevelControl {
  get(): LogLevel;
  set(level: LogLevel): void;
}

/** Kong goes back to the old level after this many seconds unless told otherwise. */
const DEFAULT_TIMEOUT = 60;
const LONGEST_TIMEOUT = 2_000_000;

/** `/debug/node/log-level`: what is logged, changed for a while. */
export function logLevelEndpoints(control: LogLevelControl): Endpoint[] {
  let pending: { readonly before: LogLevel; readonly timer: Timer } | null = null;

  function change(level: LogLevel, seconds: number): void {
    const before = pending?.before ?? control.get();
    if (pending) clearTimeout(pending.timer);
    const timer = setTimeout(() => {
      pending = null;
      control.set(before);
    }, seconds * 1000);
    timer.unref();
    pending = { before, timer };
    control.set(level);
  }

  return [
    { path: '/debug/node/log-level', methods: { GET: context => context.json({ message: `log level: ${control.get()}` }) } },
    {
      path: '/debug/node/log-level/:level',
      methods: {
        PUT: async context => {
          const name = segment(context, 'level');
          const level = LOG_LEVELS.find(one => one === name);
          if (!level) return context.json({ message: `unknown log level: ${name}` }, 400);
          const given = (await readBody(context.req.raw)).text('timeout') ?? context.req.query('timeout');
          const seconds = given === undefined ? DEFAULT_TIMEOUT : Math.ceil(Number(given));
          if (!(seconds >= 0)) return context.json({ message: 'timeout must be greater than or equal to 0' }, 400);
          if (seconds > LONGEST_TIMEOUT) return context.json({ message: `timeout must be at most ${LONGEST_TIMEOUT}` }, 400);
          if (level === control.get()) return context.json({ message: `log level is already ${level}` });
          change(level, seconds);
          return context.json({ message: 'log level changed' });
        },
      },
    },
  ];
}
