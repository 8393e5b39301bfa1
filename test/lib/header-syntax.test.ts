import { expect, test } from 'bun:test';
import { fromHeader, isHeaderName, isHeaderValue, toHeader } from '../../src/lib/header-syntax.ts';

test.each([
  ['X-Id_1', true],
  ['x.y!', true],
  ['', false],
  ['a b', false],
  ['a:b', false],
  ['é', false],
])('%s as a name', (name, isOne) => {
  expect(isHeaderName(name)).toBe(isOne);
});

test.each([
  ['a b\té', true],
  ['', true],
  ['a\r\nb', false],
  ['a\0', false],
  ['\x7f', false],
])('%j as a value', (value, isOne) => {
  expect(isHeaderValue(value)).toBe(isOne);
});

test.each(['plain', 'é', '日本', '😀'])('%s goes through a header as its bytes', text => {
  const value = toHeader(text);
  expect(Buffer.from(value, 'latin1').toString()).toBe(text);
  expect(fromHeader(value)).toBe(text);
});
