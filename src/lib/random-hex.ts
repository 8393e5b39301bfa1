const pool = Buffer.alloc(4096);
let hex = '';
let position = 0;

/** So many hex digits, cut from random bytes that are drawn many at a time. */
export function randomHex(digits: number): string {
  if (position + digits > hex.length) {
    hex = crypto.getRandomValues(pool).toString('hex');
    position = 0;
  }
  const cut = hex.slice(position, position + digits);
  position += digits;
  return cut;
}
