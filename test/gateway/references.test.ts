import { afterEach, beforeEach, expect, test } from 'bun:test';
import { resolveReferences } from '../../src/gateway/references.ts';
import { array, map, record, string } from '../../src/schema/field.ts';

const secret = string({ referenceable: true });
const config = record({
  key: secret,
  plain: string(),
  list: array(secret),
  headers: map(string(), secret),
  inner: record({ key: secret }),
});
const resolved = (value: object) => resolveReferences(config, value);

beforeEach(() => {
  process.env['SLUICE_TEST_KEY'] = 'sk-1';
  process.env['SLUICE_TEST_JSON'] = '{"user":"u","number":5}';
});
afterEach(() => {
  delete process.env['SLUICE_TEST_KEY'];
  delete process.env['SLUICE_TEST_JSON'];
});

test('a reference is what the environment says, wherever it stands', () => {
  const reference = '{vault://env/sluice-test-key}';
  expect(resolved({ key: reference, list: ['a', reference], headers: { a: reference }, inner: { key: reference } })).toEqual({
    key: 'sk-1',
    list: ['a', 'sk-1'],
    headers: { a: 'sk-1' },
    inner: { key: 'sk-1' },
  });
});

test.each([
  ['{vault://env/sluice-test-json/user}', 'u'],
  ['{vault://env/test-key?prefix=SLUICE_}', 'sk-1'],
  ['{vault://env/SLUICE_TEST_KEY}', 'sk-1'],
  ['Bearer {vault://env/sluice-test-key}', 'Bearer {vault://env/sluice-test-key}'],
])('%s is %s', (reference, value) => expect(resolved({ key: reference })).toEqual({ key: value }));

test('what may not refer, and what is absent, stays as it is', () => {
  const value = { key: null, plain: '{vault://env/sluice-test-key}' };
  expect(resolved(value)).toEqual(value);
});

test.each([
  ['{vault://env/sluice-test-none}', 'the environment variable SLUICE_TEST_NONE is not set'],
  ['{vault://aws/key}', "there is no vault 'aws', only env"],
  ['{vault://env}', 'expected {vault://env/NAME}'],
  ['{vault://env/sluice-test-json/number}', "SLUICE_TEST_JSON holds no JSON object with a text 'number'"],
  ['{vault://env/sluice-test-key/user}', "SLUICE_TEST_KEY holds no JSON object with a text 'user'"],
])('%s cannot be resolved: %s', (reference, reason) => {
  expect(() => resolved({ inner: { key: reference } })).toThrow(
    expect.objectContaining({ message: `the reference ${reference} cannot be resolved: ${reason}`, field: 'inner.key' }),
  );
});
