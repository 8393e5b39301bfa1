import { expect, test } from 'bun:test';
import { fromHeader, headerText, isHeaderName, isHeaderValue, toHeader } from '../../src/lib/header-syntax.ts';

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

test.each([
  ['plain', 'plain'],
  ['a\tb', 'a\tb'],
  ['a\r\nX-Admin: 1', 'a%0D%0AX-Admin: 1'],
  ['a\0b\x7f', 'a%00b%7F'],
  ['日\n', `${toHeader('日')}%0A`],
])('%j ends no line of a header', (text, value) => {
  expect(headerText(text)).toBe(value);
  expect(() => new Headers([['x', headerText(text)]])).not.toThrow();
});
