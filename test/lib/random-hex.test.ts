import { expect, test } from 'bun:test';
import { randomHex } from '../../src/lib/random-hex.ts';

test.each([1, 16, 32, 1000])('%d digits, none of them said before', digits => {
  const drawn = Array.from({ length: 2000 }, () => randomHex(digits));
  for (const text of drawn) expect(text).toMatch(new RegExp(`^[0-9a-f]{${digits}}$`));
  if (digits > 1) expect(new Set(drawn).size).toBe(drawn.length);
});
