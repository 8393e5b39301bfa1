import { expect, test } from 'bun:test';
import { changeParameters, encodeArguments, parseArguments } from '../../src/lib/query.ts';

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

test.each([
  ['', {}, ''],
  ['a=1', { a: '1' }, 'a=1'],
  ['a=1&b=2&a=3&a', { a: ['1', '3', true], b: '2' }, 'a=1&a=3&a&b=2'],
  ['a', { a: true }, 'a'],
  ['a=', { a: '' }, 'a='],
  ['&&a=1&', { a: '1' }, 'a=1'],
  ['a+b=c%20d', { 'a b': 'c d' }, 'a%20b=c%20d'],
  ['a=%zz', { a: '%zz' }, 'a=%25zz'],
  ['a=b=c', { a: 'b=c' }, 'a=b%3Dc'],
  ["a=!'()*~", { a: "!'()*~" }, 'a=%21%27%28%29%2A~'],
  ['%C3%A9=%F0%9F%98%80', { é: '😀' }, '%C3%A9=%F0%9F%98%80'],
  ['__proto__=1', JSON.parse('{"__proto__":"1"}'), '__proto__=1'],
])('%s', (text, wanted, again) => {
  const args = parseArguments(text);
  expect(Object.entries(args)).toEqual(Object.entries(wanted));
  expect(encodeArguments(args)).toBe(again);
});

test('half a character is written as one that is unknown', () => {
  expect(encodeArguments({ a: '\ud800' })).toBe('a=%EF%BF%BD');
});
