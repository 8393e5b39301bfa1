import { expect, test } from 'bun:test';
import { usableCores } from '../../src/lib/cores.ts';

test.each([
  ['no limit', 'max 100000\n', 8],
  ['no such file', '', 8],
  ['half a core', '50000 100000\n', 1],
  ['one core and a half', '150000 100000\n', 2],
  ['more than the machine has', '1600000 100000\n', 8],
])('of eight cores, a container with %s can use as many as it may', (_, limit, cores) => {
  expect(usableCores(8, limit)).toBe(cores);
});

test('this machine has some', () => expect(usableCores()).toBeGreaterThanOrEqual(1));
