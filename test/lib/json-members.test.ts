import { describe, expect, test } from 'bun:test';
import type { Json, JsonObject } from '../../src/lib/json.ts';
import { repeatsMembers, setMembers, surroundElements } from '../../src/lib/json-members.ts';

test.each<[string, Record<string, Json | undefined>, string]>([
  ['{"a":1}', {}, '{"a":1}'],
  ['{"a":1}', { a: 2 }, '{"a":2}'],
  ['{"a":1}', { b: 'x' }, '{"a":1,"b":"x"}'],
  ['{}', { b: null }, '{"b":null}'],
  [' { } ', { b: 1 }, ' {"b":1 } '],
  ['{"a":1,"b":2,"c":3}', { b: undefined }, '{"a":1,"c":3}'],
  ['{"a":1,"b":2}', { a: undefined }, '{"b":2}'],
  ['{"a":1,"b":2}', { b: undefined }, '{"a":1}'],
  ['{"a":1}', { a: undefined }, '{}'],
  ['{"a":1}', { a: undefined, b: 2 }, '{"b":2}'],
  ['{ "a" : 1.50e+3 ,\n "b" : [ 1, {"a":2} ] }', { b: true }, '{ "a" : 1.50e+3 ,\n "b" : true }'],
  ['{"x":"}{\\"a\\":1,","a":1}', { a: 9 }, '{"x":"}{\\"a\\":1,","a":9}'],
  ['{"x":"\\\\","a":1}', { a: 9 }, '{"x":"\\\\","a":9}'],
  ['{"\\u0061":1}', { a: 9 }, '{"\\u0061":9}'],
  ['{"a":1,"b":0,"a":2}', { a: 9 }, '{"b":0,"a":9}'],
  ['{"a":1,"b":0,"a":2}', {}, '{"b":0,"a":2}'],
  ['{"__proto__":{"a":1},"a":2}', { a: 3 }, '{"__proto__":{"a":1},"a":3}'],
])('setMembers of %s with %j', (text, changes, expected) => {
  expect(setMembers(text, changes)).toBe(expected);
});

test.each([
  ['{"a":[1]}', '0', '2', '{"a":[0,1,2]}'],
  ['{"a":[1]}', '', '2,3', '{"a":[1,2,3]}'],
  ['{"a":[1]}', '-1,0', '', '{"a":[-1,0,1]}'],
  [' { "b":"a", "a" : [ 1.0 , "]" ] } ', '0', '2', ' { "b":"a", "a" : [0, 1.0 , "]" ,2] } '],
  ['{"a":[1],"b":{"a":[7]},"a":[2]}', '0', '', '{"b":{"a":[7]},"a":[0,2]}'],
  ['{"\\u0061":[[]]}', '[0]', '', '{"\\u0061":[[0],[]]}'],
])('surroundElements of %s with %s and %s', (text, before, after, expected) => {
  expect(surroundElements(text, 'a', before, after)).toBe(expected);
});

test.each([
  ['{}', false],
  ['[":",{":":":\\":"}]', false],
  ['{"a":{"a":[{"a":1},{"a":2}]},"__proto__":1}', false],
  ['{"a":1,"b":2,"a":1}', true],
  ['[{"b":{"a":1,"\\u0061":2}}]', true],
  [`${'{"a":'.repeat(5000)}{"b":1,"b":2}${'}'.repeat(5000)}`, true],
  [`${'['.repeat(5000)}{"b":1,"c":2}${']'.repeat(5000)}`, false],
])('repeatsMembers of %s', (text, expected) => {
  expect(repeatsMembers(text, JSON.parse(text))).toBe(expected);
});

describe('setMembers, on objects of every shape', () => {
  const random = seeded(20);
  const pick = <T>(values: readonly T[]): T => values[Math.floor(random() * values.length)] as T;
  const keys = ['model', 'stream', 'a"b', '\\', 'ключ', '', '{', 'messages'];
  const json = (depth: number): Json => {
    const leaves = [null, true, -0.5, 1e21, 'plain', '"quoted" \\ {[,:]} \n', '日本', ''];
    if (depth === 0 || random() < 0.5) return pick(leaves);
    if (random() < 0.5) return Array.from({ length: 3 }, () => json(depth - 1));
    return Object.fromEntries(Array.from({ length: 3 }, () => [pick(keys), json(depth - 1)]));
  };

  test('says what the edited object says, and keeps the other members as they were', () => {
    for (let round = 0; round < 2000; round += 1) {
      const object = Object.fromEntries(keys.filter(() => random() < 0.6).map(key => [key, json(3)])) as JsonObject;
      const changes: Record<string, Json | undefined> = {};
      for (const key of keys) if (random() < 0.3) changes[key] = random() < 0.3 ? undefined : json(2);
      const text = JSON.stringify(object, null, pick([0, 1, '\t']));
      expect(setMembers(text, {})).toBe(text);
      expect(repeatsMembers(text, object)).toBe(false);
      const result = setMembers(text, changes);
      const expected = Object.fromEntries(Object.entries({ ...object, ...changes }).filter(([, value]) => value !== undefined));
      expect(JSON.parse(result)).toEqual(expected);
    }
  });

  function seeded(seed: number) {
    let state = seed;
    return () => {
      state = (state * 1103515245 + 12345) % 2147483648;
      return state / 2147483648;
    };
  }
});

test('setMembers reads each byte of a long body a bounded number of times', () => {
  const text = `{"messages":["${'\\\\'.repeat(500_000)}${'\\"'.repeat(500_000)}"],"model":"a"}`;
  expect(setMembers(text, { model: 'b' })).toBe(`${text.slice(0, -'"a"}'.length)}"b"}`);
});
