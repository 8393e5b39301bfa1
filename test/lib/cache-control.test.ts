import { afterEach, describe, expect, setSystemTime, test } from 'bun:test';
import { freshSeconds, parseCacheControl } from '../../src/lib/cache-control.ts';

test.each([
  [null, {}],
  ['', {}],
  ['no-store', { 'no-store': true }],
  ['Public , Max-Age=60', { public: true, 'max-age': 60 }],
  ['max-age="60"', { 'max-age': 60 }],
  ['max-age=-1', { 'max-age': '-1' }],
  ['private="set-cookie"', { private: 'set-cookie' }],
  [',, max-stale,', { 'max-stale': true }],
])('%s', (header, directives) => {
  expect(Object.fromEntries(parseCacheControl(header))).toEqual(directives as never);
});

describe('an answer is fresh', () => {
  afterEach(() => void setSystemTime());
  test.each([
    ['as long as it says', 'max-age=60', null, 60],
    ['as long as it says for caches that many share', 's-maxage=10, max-age=60', null, 10],
    ['until it expires', '', 'Thu, 01 Jan 1970 00:01:40 GMT', 90],
    ['as long as it says, whenever it expires', 'max-age=60', 'Thu, 01 Jan 1970 00:01:40 GMT', 60],
    ['not when it has expired', '', 'Thu, 01 Jan 1970 00:00:01 GMT', 0],
    ['not when its time is none', 'max-age=long', '0', 0],
    ['not when it says nothing', '', null, 0],
  ])('%s', (_, header, expires, seconds) => {
    setSystemTime(new Date(10_000));
    expect(freshSeconds(parseCacheControl(header), expires)).toBe(seconds);
  });
});
