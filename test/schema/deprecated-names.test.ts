import { expect, test } from 'bun:test';
import { withDeprecatedNames } from '../../src/schema/deprecated-names.ts';
import { integer, record, string } from '../../src/schema/field.ts';
import { validate, validateChange } from '../../src/schema/validate.ts';

const limiter = record(
  { redis: record({ host: string(), port: integer({ default: 6379 }) }), size: integer() },
  {
    required: true,
    shorthand_fields: {
      redis_host: {
        field: string({ deprecation: { message: 'use redis.host', replaced_with: [{ path: ['redis', 'host'] }] } }),
        func: (host: string | null) => ({ redis: { host } }),
      },
      sizes: { field: integer(), func: (size: number) => ({ size }) },
    },
  },
);

const plugin = record(
  { name: string(), config: record({}, { abstract: true }) },
  { subschema: { key: 'name', of: name => (name === 'limiter' ? { fields: { config: limiter }, facts: {} } : null), error: String } },
);

const row = { name: 'limiter', config: { redis: { host: 'a', port: 1 }, size: 2 } };

test('a deprecated name is shown beside the one that took its place', () => {
  expect(withDeprecatedNames(plugin, row)).toEqual({
    name: 'limiter',
    config: { redis: { host: 'a', port: 1 }, size: 2, redis_host: 'a' },
  });
  expect(withDeprecatedNames(plugin, { name: 'limiter', config: { redis: null, size: 2 } })).toEqual({
    name: 'limiter',
    config: { redis: null, size: 2, redis_host: null },
  });
});

test('what is shown may be written again, and comes to the same row', () => {
  const shown = withDeprecatedNames(plugin, row);
  expect(validate<unknown>(plugin, shown)).toEqual({ value: row });
  expect(validateChange<unknown>(plugin, row, shown)).toEqual({ value: row });
});

test('a row without such names is shown as it is', () => {
  const plain = { a: 'x' };
  expect(withDeprecatedNames(record({ a: string() }), plain)).toBe(plain);
});
