import { integer, number, type Transformation } from '../schema/field.ts';
import type { Row } from './entity.ts';

const LONGEST_SECONDS = 100_000_000;

/** The fields of rows that may end by themselves: people write and read how many seconds are left, rows keep when they end. */
export const expiring = {
  ttl: integer({
    between: [0, LONGEST_SECONDS],
    err: `must be an integer between 0 and ${LONGEST_SECONDS}`,
    transient: true,
    hidden: true,
  }),
  expires_at: number({ timestamp: true, hidden: true }),
};

/** Zero seconds are for ever, as in Kong. */
export const endOfRow: Transformation = {
  input: ['ttl'],
  always: true,
  on_write: (ttl: number) => ({ expires_at: ttl === 0 ? null : Date.now() / 1000 + ttl }),
};

export const hasEnded = ({ expires_at }: Row): boolean => expires_at != null && expires_at * 1000 <= Date.now();

/** The row as people read it. */
export function withTimeLeft({ expires_at, ...row }: Row): object {
  return { ...row, ttl: expires_at == null ? null : Math.max(0, Math.ceil(expires_at - Date.now() / 1000)) };
}
