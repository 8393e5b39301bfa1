import { expect, test } from 'bun:test';
import { quoteAfter, quoteBefore } from '../../src/lib/json-quotes.ts';

test.each<[string, string, number, number, number]>([
  ['the next and the last', '"a","b"', 3, 4, 2],
  ['one that lies there is the next', '"a"', 2, 2, 0],
  ['one that is escaped is none', String.raw`"a\"b"`, 3, 5, 0],
  ['nor is one after three backslashes', String.raw`"a\\\"b"`, 3, 7, 0],
  ['a backslash that is escaped escapes nothing', String.raw`"a\\"b`, 1, 4, 0],
  ['so on the way back', String.raw`"a\\" b`, 6, 7, 4],
  ['none', 'abc', 1, 3, -1],
  ['none but escaped ones', String.raw`\"a\"`, 2, 5, -1],
])('quotes in JSON: %s', (_, json, from, next, last) => {
  expect([quoteAfter(json, from), quoteBefore(json, from)]).toEqual([next, last]);
});
