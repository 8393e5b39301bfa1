import { expect, test } from 'bun:test';
import { includes, parseMediaType } from '../../src/lib/media-type.ts';

test.each([
  ['application/json', 'application/json', true],
  ['application/json', 'Application/JSON', true],
  ['application/json', 'application/json; charset=utf-8', false],
  ['application/json; charset=UTF-8', 'application/json;charset="utf-8"', true],
  ['a/b; x=1; y=2', 'a/b;y=2;x=1', true],
  ['text/*', 'text/html', true],
  ['text/*', 'text/html; charset=utf-8', false],
  ['*/*', 'image/png', true],
  ['text/plain', 'text/html', false],
  ['text/html', 'text/*', false],
])('%s has %s in it: %p', (range, type, isIn) => {
  const [a, b] = [parseMediaType(range), parseMediaType(type)];
  expect(a !== null && b !== null && includes(a, b)).toBe(isIn);
});

test.each(['', 'json', 'a/b/c', '/', 'a /b'])('%p is no type', text => {
  expect(parseMediaType(text)).toBeNull();
});
