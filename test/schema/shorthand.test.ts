import { describe, expect, test } from 'bun:test';
import { integer, record, string } from '../../src/schema/field.ts';
import { validate } from '../../src/schema/validate.ts';

const address = record(
  { host: string({ required: true }), port: integer({ default: 80 }) },
  {
    shorthand_fields: {
      address: {
        field: string(),
        func: (text: string | null) => {
          if (text === null) return {};
          const [host, port] = text.split(':');
          return { host, ...(port && { port: Number(port) }) };
        },
      },
    },
  },
);

const limiter = record(
  { redis: record({ host: string(), port: integer({ default: 6379 }) }, { required: true }), size: integer() },
  {
    shorthand_fields: {
      redis_host: {
        field: string({ deprecation: { message: 'use redis.host', replaced_with: [{ path: ['redis', 'host'] }] } }),
        func: (host: string | null) => ({ redis: { host } }),
      },
      old_size: {
        field: integer({ deprecation: { message: 'use size' } }),
        func: (size: number | null) => ({ size }),
      },
    },
  },
);

describe('a shorthand', () => {
  test.each([
    [{ address: 'a:81' }, { host: 'a', port: 81 }],
    [{ address: 'a' }, { host: 'a', port: 80 }],
    [
      { address: 'a:81', host: 'b', port: 1 },
      { host: 'a', port: 81 },
    ],
    [
      { address: null, host: 'b' },
      { host: 'b', port: 80 },
    ],
  ])('%j stands for its fields, and wins over them', (input, value) => {
    expect(validate(address, input)).toEqual({ value });
  });

  test('that is wrong is the only thing said', () => {
    expect(validate(address, { address: 1, other: 2 })).toEqual({ errors: { address: 'expected a string' } });
    expect(validate(address, { address: '' })).toEqual({ errors: { address: 'length must be at least 1' } });
  });

  test('stands for fields that are checked as ever', () => {
    expect(validate(address, { address: 'a:x' })).toEqual({ errors: { port: 'expected an integer' } });
  });
});

describe('a deprecated name', () => {
  test.each([
    [{ redis_host: 'a' }, { redis: { host: 'a', port: 6379 }, size: null }],
    [
      { redis_host: 'a', redis: { port: 1 } },
      { redis: { host: 'a', port: 1 }, size: null },
    ],
    [
      { redis_host: 'a', redis: { host: null } },
      { redis: { host: 'a', port: 6379 }, size: null },
    ],
    [
      { redis_host: 'a', redis: { host: 'a' } },
      { redis: { host: 'a', port: 6379 }, size: null },
    ],
    [
      { redis_host: 'a', redis: null },
      { redis: { host: 'a', port: 6379 }, size: null },
    ],
    [
      { old_size: 1, size: 2 },
      { redis: { host: null, port: 6379 }, size: 2 },
    ],
    [{ old_size: 1 }, { redis: { host: null, port: 6379 }, size: 1 }],
    [
      { redis_host: 'a', redis: { port: null } },
      { redis: { host: 'a', port: null }, size: null },
    ],
    [{ redis_host: null }, { redis: { host: null, port: 6379 }, size: null }],
    [
      { redis_host: null, redis: { host: 'a' } },
      { redis: { host: 'a', port: 6379 }, size: null },
    ],
  ])('%j gives way to the new one', (input, value) => {
    expect(validate(limiter, input)).toEqual({ value });
  });

  test('may not say something else than the new one', () => {
    expect(validate(limiter, { redis_host: 'a', redis: { host: 'b' } })).toEqual({
      errors: { redis_host: 'both deprecated and new field are used but their values mismatch: redis_host = a vs redis.host = b' },
    });
  });
});
