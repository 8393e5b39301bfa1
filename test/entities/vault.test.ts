import { describe, expect, test } from 'bun:test';
import { vaultEntity } from '../../src/entities/vault.ts';
import { validate } from '../../src/schema/validate.ts';
import { vaults } from '../../src/vaults/registry.ts';

const { schema } = vaultEntity(name => vaults.find(vault => vault.name === name)?.config ?? null);
const errorsOf = (row: object) => {
  const result = validate(schema, row);
  return 'errors' in result ? result.errors : null;
};

test('a vault has the configuration of its kind, filled in', () => {
  expect(validate(schema, { prefix: 'my-env', name: 'env' })).toMatchObject({ value: { config: { prefix: null }, description: null } });
  expect(validate(schema, { prefix: 'my-files', name: 'file' })).toMatchObject({
    value: { config: { directory: null, base64_decode: false, ttl: null, neg_ttl: null, resurrect_ttl: null } },
  });
});

describe('a prefix', () => {
  test.each(['ab', 'my-vault', 'a1', 'a--1', 'hashicorp-vault-2'])('may be %s', prefix =>
    expect(errorsOf({ prefix, name: 'env' })).toBeNull(),
  );

  test.each([
    ...['a', '1a', 'My-vault', 'my_vault', 'my-', '-my', 'a.b', ''].map(prefix => [prefix, `invalid value: ${prefix}`]),
    ...['env', 'file', 'hcv'].map(prefix => [prefix, `must not be one of: ${prefix}`]),
  ])('may not be %p: %s', (prefix, message) =>
    expect(errorsOf({ prefix, name: 'env' })).toEqual({ prefix: prefix === '' ? 'length must be at least 1' : message }),
  );
});

test.each<[string, object, object]>([
  ['no prefix', { name: 'env' }, { prefix: 'required field missing' }],
  ['no kind', { prefix: 'my-vault' }, { name: 'required field missing' }],
  ['an unknown kind', { prefix: 'my-vault', name: 'aws' }, { name: "vault 'aws' is not installed" }],
  ['a field of another kind', { prefix: 'my-vault', name: 'env', config: { token: 'x' } }, { config: { token: 'unknown field' } }],
  [
    'a prefix that is no name',
    { prefix: 'my-vault', name: 'env', config: { prefix: '1 x' } },
    { config: { prefix: 'invalid value: 1 x' } },
  ],
  [
    'times that are none',
    { prefix: 'my-vault', name: 'file', config: { ttl: -1, neg_ttl: 100_000_001, resurrect_ttl: 'x' } },
    {
      config: {
        ttl: 'value should be between 0 and 100000000',
        neg_ttl: 'value should be between 0 and 100000000',
        resurrect_ttl: 'expected a number',
      },
    },
  ],
])('%s is refused', (_, row, errors) => expect(errorsOf(row)).toEqual(errors as never));
