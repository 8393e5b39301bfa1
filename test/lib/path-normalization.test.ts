import { expect, test } from 'bun:test';
import { decodePattern, encodePath, isUnusual, normalizePath } from '../../src/lib/path-normalization.ts';

test.each([
  ['/', '/'],
  ['/a/b', '/a/b'],
  ['/%61%2Db%7e', '/a-b~'],
  ['/a%2fb%3f%25', '/a%2Fb%3F%25'],
  ['/caf%c3%a9/x%20y', '/café/x y'],
  ['/%ff%c3', '/%FF%C3'],
  ['/%zz%', '/%zz%'],
  ['/a/./b/../c', '/a/c'],
  ['/a/%2e%2E/b', '/b'],
  ['/../../a', '/a'],
  ['/a/b/..', '/a/'],
  ['/a/.', '/a/'],
  ['/..', '/'],
  ['//a///b//', '/a/b/'],
  ['/a/.hidden/..b', '/a/.hidden/..b'],
  ['*', '*'],
])('normalizePath(%s) is %s', (path, normal) => {
  expect(normalizePath(path)).toBe(normal);
  expect(normalizePath(normal)).toBe(normal);
});

test.each([
  ['/a-b~/%2F%25', '/a-b~/%2F%25'],
  ['/café/x y', '/caf%C3%A9/x%20y'],
  ['/a"<>\\^`{|}\n', '/a%22%3C%3E%5C%5E%60%7B%7C%7D%0A'],
  ["/!#$&'()*+,:;=?@[]", "/!#$&'()*+,:;=?@[]"],
  ['/\ud800', '/%EF%BF%BD'],
])('encodePath(%s) is %s', (path, encoded) => {
  expect(encodePath(path)).toBe(encoded);
});

test('a usual path needs no work', () => {
  expect(['/', '/a/b-c_d.e~f', '/v1/chat/completions'].map(isUnusual)).toEqual([false, false, false]);
  expect(['/%61', '//a', '/a/../b', '/.a', '/é', '/a b'].map(isUnusual)).toEqual([true, true, true, true, true, true]);
});

test.each([
  ['/a%2fb%5B', '/a%2Fb%5B'],
  ['/%61(%2e|%7C)\\d%2B', '/a(\\.|\\|)\\d%2B'],
  ['/%C3%BC%ff', '/%C3%BC%FF'],
  ['/%c3%bc%2d', '/ü\\-'],
])('decodePattern(%j) is %j', (pattern, decoded) => {
  expect(decodePattern(pattern)).toBe(decoded);
});
