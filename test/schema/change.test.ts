import { describe, expect, test } from 'bun:test';
import { array, integer, map, record, set, string } from '../../src/schema/field.ts';
import { type FieldErrors, validateChange } from '../../src/schema/validate.ts';

const redis = record(
  { host: string(), port: integer({ default: 6379 }), extra: record({ a: integer(), b: integer() }) },
  { required: true },
);

const config = record(
  {
    redis,
    limits: map(string(), integer()),
    hosts: array(record({ name: string(), weight: integer({ default: 1 }) })),
    size: integer({ default: 5 }),
  },
  {
    required: true,
    shorthand_fields: {
      redis_host: {
        field: string({ deprecation: { message: 'use redis.host', replaced_with: [{ path: ['redis', 'host'] }] } }),
        func: (host: string | null) => ({ redis: { host } }),
      },
      old_size: { field: integer({ deprecation: { message: 'use size' } }), func: (size: number | null) => ({ size }) },
    },
  },
);

const row = record({
  name: string({ required: true }),
  tags: set(string(), { default: [] }),
  kind: string({ immutable: true }),
  members: array(string(), { immutable: true }),
  config,
});

const old = {
  name: 'a',
  tags: ['x'],
  kind: 'k',
  members: ['m', 'n'],
  config: {
    redis: { host: 'one', port: 1, extra: { a: 1, b: 2 } },
    limits: { x: 1 },
    hosts: [{ name: 'h', weight: 9 }],
    size: 7,
  },
};

describe('a change', () => {
  test.each<[changes: Record<string, unknown>, Record<string, unknown>]>([
    [{}, old],
    [{ name: 'b' }, { ...old, name: 'b' }],
    [{ tags: ['y'] }, { ...old, tags: ['y'] }],
    [{ tags: null }, { ...old, tags: null }],
    [{ config: { size: 8 } }, { ...old, config: { ...old.config, size: 8 } }],
    [{ config: { size: null } }, { ...old, config: { ...old.config, size: null } }],
    [{ config: { limits: { y: 2 } } }, { ...old, config: { ...old.config, limits: { y: 2 } } }],
    [{ config: { hosts: [{ name: 'i' }] } }, { ...old, config: { ...old.config, hosts: [{ name: 'i', weight: 1 }] } }],
    [
      { config: { redis: { extra: { b: null } } } },
      { ...old, config: { ...old.config, redis: { ...old.config.redis, extra: { a: 1, b: null } } } },
    ],
    [{ config: { redis: { extra: null } } }, { ...old, config: { ...old.config, redis: { ...old.config.redis, extra: null } } }],
    [{ config: { redis_host: 'two' } }, { ...old, config: { ...old.config, redis: { ...old.config.redis, host: 'two' } } }],
    [{ config: { redis_host: null } }, { ...old, config: { ...old.config, redis: { ...old.config.redis, host: null } } }],
    [
      { config: { redis_host: 'two', redis: { port: 2 } } },
      { ...old, config: { ...old.config, redis: { ...old.config.redis, host: 'two', port: 2 } } },
    ],
    [{ config: { old_size: 1 } }, { ...old, config: { ...old.config, size: 1 } }],
    [
      { kind: 'k', members: ['n', 'm'] },
      { ...old, members: ['n', 'm'] },
    ],
  ])('%j is merged into the row: records member by member, all else as a whole', (changes, value) => {
    expect(validateChange<unknown>(row, old, changes)).toEqual({ value });
  });

  test('leaves the row as it was', () => {
    const before = structuredClone(old);
    validateChange(row, old, { name: 'b', config: { redis_host: 'two', hosts: [] } });
    expect(old).toEqual(before);
  });

  test.each<[changes: Record<string, unknown>, errors: FieldErrors]>([
    [{ name: null }, { name: 'required field missing' }],
    [{ config: null }, { config: 'required field missing' }],
    [{ config: { redis: null } }, { config: { redis: 'required field missing' } }],
    [{ config: { redis_host: 1 } }, { config: { redis_host: 'expected a string' } }],
    [
      { config: { redis_host: 'two', redis: { host: 'three' } } },
      {
        config: {
          redis_host: 'both deprecated and new field are used but their values mismatch: redis_host = two vs redis.host = three',
        },
      },
    ],
    [{ kind: 'l', name: null }, { kind: 'immutable field cannot be updated' }],
    [{ members: ['m'] }, { members: 'immutable field cannot be updated' }],
    [{ nonsense: 1 }, { nonsense: 'unknown field' }],
    [JSON.parse('{ "__proto__": 1 }'), JSON.parse('{ "__proto__": "unknown field" }')],
  ])('%j is refused', (changes, errors) => {
    expect(validateChange<unknown>(row, old, changes)).toEqual({ errors });
  });

  test('a field that has no value yet takes one, immutable or not', () => {
    expect(validateChange<unknown>(record({ kind: string({ immutable: true }) }), {}, { kind: 'k' })).toEqual({ value: { kind: 'k' } });
  });

  test('is told so, when what it leaves is too little', () => {
    const either = record(
      { a: string(), b: string(), c: record({ d: string(), e: string() }, { entity_checks: [{ at_least_one_of: ['d', 'e'] }] }) },
      {
        entity_checks: [{ at_least_one_of: ['a', 'b'] }],
      },
    );
    expect(validateChange<unknown>(either, { a: 'x', b: null, c: null }, { a: null, c: { d: null } })).toEqual({
      errors: {
        '@entity': ["when updating, at least one of these fields must be non-empty: 'a', 'b'"],
        c: { '@entity': ["when updating, at least one of these fields must be non-empty: 'd', 'e'"] },
      },
    });
    const needy = record(
      { list: array(record({ k: string({ required: true }), l: string() }, { entity_checks: [{ distinct: ['k', 'l'] }] })) },
      {},
    );
    expect(validateChange<unknown>(needy, { list: [] }, { list: [{ k: 'x' }, { l: 'x' }] })).toEqual({
      errors: { list: [null, { k: 'field required for entity check when updating' }] },
    });
  });
});

describe('a change of what chooses the schema', () => {
  const configOf = (name: string) =>
    record({ [name]: integer({ default: 1 }), both: record({ x: integer(), y: integer() }) }, { required: true });
  const plugin = record(
    { name: string({ required: true }), config: record({}, { abstract: true }) },
    {
      subschema: {
        key: 'name',
        of: name => (name === 'gone' ? null : { fields: { config: configOf(name) }, facts: {} }),
        error: name => `no ${name}`,
      },
    },
  );
  const current = { name: 'one', config: { one: 1, both: { x: 1, y: 1 } } };

  test.each<[Record<string, unknown>, object]>([
    [{ config: { both: { x: 2 } } }, { value: { name: 'one', config: { one: 1, both: { x: 2, y: 1 } } } }],
    [{ name: 'two' }, { errors: { config: { one: 'unknown field' } } }],
    [{ name: 'two', config: { two: 2 } }, { errors: { config: { one: 'unknown field' } } }],
    [{ name: 'gone' }, { errors: { name: 'no gone' } }],
    [{ name: null }, { errors: { name: 'required field missing' } }],
  ])('%j keeps what the row says, for the new schema to judge', (changes, result) => {
    expect(validateChange<unknown>(plugin, current, changes)).toEqual(result as never);
  });
});
