export const LOG_LEVELS = ['debug', 'info', 'notice', 'warn', 'error', 'crit'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** Writes one line for people or one JSON object for machines. `facts` never hold secrets: redact before you log. */
export type Log = { readonly [L in LogLevel]: (message: string, facts?: Readonly<Record<string, unknown>>) => void };
