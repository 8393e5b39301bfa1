import { describe, expect, test } from 'bun:test';
import { generateKeyPairSync } from 'node:crypto';
import { key } from '../../src/entities/key.ts';
import { keySet } from '../../src/entities/key-set.ts';
import type { Field } from '../../src/schema/field.ts';
import { validate } from '../../src/schema/validate.ts';

const pair = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const stranger = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const publicJwk = pair.publicKey.export({ format: 'jwk' });
const privateJwk = pair.privateKey.export({ format: 'jwk' });
const public_key = pair.publicKey.export({ format: 'pem', type: 'spki' }).toString();
const private_key = pair.privateKey.export({ format: 'pem', type: 'pkcs8' }).toString();
const other_key = stranger.publicKey.export({ format: 'pem', type: 'spki' }).toString();
const REFERENCE = '{vault://env/KEY}';

const errorsOf = (input: object) => {
  const result = validate(key.schema, { kid: '1', ...input });
  return 'errors' in result ? result.errors : undefined;
};
const jwk = (members: object) => ({ jwk: JSON.stringify({ ...publicJwk, kid: '1', ...members }) });
const asWhole = (message: string) => ({ '@entity': [message] });

test('a key is kept as it was written', () => {
  const given = jwk({ use: 'sig' });
  expect(validate(key.schema, { kid: '1', ...given })).toEqual({
    value: {
      id: null as never,
      set: null,
      name: null,
      kid: '1',
      ...given,
      pem: null,
      tags: null,
      created_at: null as never,
      updated_at: null as never,
    },
  });
});

describe('a JWK', () => {
  test.each([
    [jwk({}), undefined],
    [jwk(privateJwk), undefined],
    [jwk({ x5t: 'thumb', 'x5t#S256': 'thumb', key_ops: ['verify'], x5c: ['a'] }), undefined],
    [{ jwk: REFERENCE }, undefined],
    [{ jwk: 'no json' }, asWhole('could not json decode jwk string')],
    [{ jwk: '[]' }, asWhole('could not json decode jwk string')],
    [jwk({ kid: '2' }), asWhole('kid in jwk.kid must be equal to keys.kid')],
    [jwk({ kid: undefined }), asWhole('kid in jwk.kid must be equal to keys.kid')],
    [jwk({ x: 'short' }), asWhole('could not load JWK, likely not a valid key')],
    [{ jwk: '{"kid":"1","kty":"oct","k":"c2VjcmV0"}' }, asWhole('could not load JWK, likely not a valid key')],
    [jwk({ unheard: 'of' }), asWhole('schema violation (unheard: unknown field)')],
    [jwk({ use: 5 }), asWhole('schema violation (use: expected a string)')],
    [{ jwk: 5 }, { jwk: 'expected a string' }],
  ])('%#', (input, errors) => {
    expect(errorsOf(input)).toEqual(errors as never);
  });
});

describe('a PEM', () => {
  test.each([
    [{ public_key }, undefined],
    [{ private_key }, undefined],
    [{ public_key, private_key }, undefined],
    [{ public_key: REFERENCE, private_key }, undefined],
    [{ public_key: 'x' }, 'could not load public key'],
    [{ public_key: private_key }, 'could not load public key'],
    [{ private_key: 'x' }, 'could not load private key'],
    [{ private_key: public_key }, 'could not load private key'],
    [{ private_key, public_key: other_key }, 'public key does not match private key'],
    [{}, { '@entity': ["at least one of these fields must be non-empty: 'private_key', 'public_key'"] }],
    [{ certificate: 'x', public_key }, { certificate: 'unknown field' }],
  ])('%#', (pem, error) => {
    expect(errorsOf({ pem })).toEqual(error === undefined ? undefined : ({ pem: error } as never));
  });
});

test.each([
  [{}, asWhole("at least one of these fields must be non-empty: 'pem', 'jwk'")],
  [{ ...jwk({}), pem: { public_key } }, asWhole("only one or none of these fields must be set: 'pem', 'jwk'")],
  [{ ...jwk({}), kid: null }, { kid: 'required field missing' }],
  [{ ...jwk({}), set: { id: 'x' } }, { set: { id: 'expected a valid UUID' } }],
  [{ ...jwk({}), x5t: 'x' }, { x5t: 'unknown field' }],
])('a key of %#', (input, errors) => {
  expect(errorsOf(input)).toEqual(errors as never);
});

test('what opens a key is a secret', () => {
  const { jwk, pem } = key.schema.fields as Record<string, Field>;
  expect([jwk?.facts.encrypted, pem?.fields?.['private_key']?.facts.encrypted]).toEqual([true, true]);
});

test('a set of keys has a name or none', () => {
  const nothing = { id: null, tags: null, created_at: null, updated_at: null };
  expect(validate(keySet.schema, {})).toEqual({ value: { ...nothing, name: null } as never });
  expect(validate(keySet.schema, { name: 'my set' })).toEqual({ value: { ...nothing, name: 'my set' } as never });
});
