import { expect, test } from 'bun:test';
import { changeParameters } from '../../src/lib/query.ts';

test.each([
  ['?a=1&k=2&b=%41', '?a=1&b=%41'],
  ['?k=1&k=2', ''],
  ['?k', ''],
  ['?%6B=1&a=+', '?a=+'],
  ['?a=1&&k=2&', '?a=1&&'],
  ['?kk=1', '?kk=1'],
  ['?%zz=1&k', '?%zz=1'],
  ['?', '?'],
  ['', ''],
])('%s without k', (query, without) => {
  expect(changeParameters(query, (name, pair) => (name === 'k' ? null : pair))).toBe(without);
});
