import { expect, test } from 'bun:test';
import { isSameSecret } from '../../src/lib/same-secret.ts';

test.each<[string | Uint8Array, string | Uint8Array, boolean]>([
  ['secret', 'secret', true],
  ['secret', 'secreT', false],
  ['secret', 'secrets', false],
  ['', '', true],
  ['', 'a', false],
  ['ü', new Uint8Array([0xc3, 0xbc]), true],
  ['ü', new Uint8Array([0xfc]), false],
  [new Uint8Array([0, 1]), new Uint8Array([0, 1]), true],
])('%p and %p: %p', (a, b, same) => {
  expect(isSameSecret(a, b)).toBe(same);
});
