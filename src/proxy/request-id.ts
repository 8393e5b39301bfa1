import { randomFillSync } from 'node:crypto';

const DIGITS = 32;
const pool = Buffer.alloc(4096);
let hex = '';
let position = 0;

/** 32 hex digits, cut from random bytes that are drawn many at a time. */
export function randomId(): string {
  if (position === hex.length) {
    hex = randomFillSync(pool).toString('hex');
    position = 0;
  }
  const id = hex.slice(position, position + DIGITS);
  position += DIGITS;
  return id;
}
