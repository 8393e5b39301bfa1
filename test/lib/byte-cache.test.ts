import { afterEach, expect, setSystemTime, test } from 'bun:test';
import { ByteCache } from '../../src/lib/byte-cache.ts';

afterEach(() => void setSystemTime());
const NEVER = Number.POSITIVE_INFINITY;

test('a value is there until it expires', () => {
  setSystemTime(new Date(1000));
  const cache = new ByteCache<string>(10);
  cache.set('a', 'A', 1, 2000);
  setSystemTime(new Date(1999));
  expect(cache.get('a')).toBe('A');
  setSystemTime(new Date(2000));
  expect([cache.get('a'), cache.bytes]).toEqual([undefined, 0]);
});

test('what nobody asked for longest makes room', () => {
  const cache = new ByteCache<string>(10);
  for (const key of ['a', 'b', 'c']) cache.set(key, key, 3, NEVER);
  cache.get('a');
  cache.set('d', 'd', 4, NEVER);
  expect(['a', 'b', 'c', 'd'].map(key => cache.get(key))).toEqual(['a', undefined, 'c', 'd']);
  expect(cache.bytes).toBe(10);
});

test('a value takes the place of the one before', () => {
  const cache = new ByteCache<string>(10);
  cache.set('a', 'A', 9, NEVER);
  cache.set('a', 'B', 2, NEVER);
  expect([cache.get('a'), cache.bytes]).toEqual(['B', 2]);
});

test('a value larger than all there may be is not kept, nor is the one before', () => {
  const cache = new ByteCache<string>(10);
  cache.set('a', 'A', 1, NEVER);
  cache.set('a', 'B', 11, NEVER);
  expect([cache.get('a'), cache.bytes]).toEqual([undefined, 0]);
});

test('a value can be taken away, once', () => {
  setSystemTime(new Date(1000));
  const cache = new ByteCache<string>(10);
  cache.set('a', 'A', 1, NEVER);
  cache.set('old', 'B', 1, 1000);
  expect([cache.delete('a'), cache.delete('a'), cache.delete('old'), cache.bytes]).toEqual([true, false, false, 0]);
});

test('values can be taken away by their keys', () => {
  const cache = new ByteCache<string>(10);
  for (const key of ['1:a', '1:b', '2:a']) cache.set(key, key, 1, NEVER);
  cache.deleteThose(key => key.startsWith('1:'));
  expect([cache.get('1:a'), cache.get('2:a'), cache.bytes]).toEqual([undefined, '2:a', 1]);
});
