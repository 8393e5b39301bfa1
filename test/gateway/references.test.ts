import { describe, expect, test } from 'bun:test';
import { parseReference, referencesIn, replaceReferences } from '../../src/gateway/references.ts';
import { array, map, record, string } from '../../src/schema/field.ts';

describe('a reference names', () => {
  test.each<[string, object]>([
    ['{vault://env/name}', { vault: 'env', resource: 'name', key: null, version: null, options: {} }],
    ['{vault://env/name/}', { resource: 'name', key: null }],
    ['{vault://env/name/key}', { resource: 'name', key: 'key' }],
    ['{vault://my-vault/path/to/name/key}', { vault: 'my-vault', resource: 'path/to/name', key: 'key' }],
    ['{vault://aws/%2Fname/a%20key}', { resource: '/name', key: 'a key' }],
    ['{vault://env/cert/key?prefix=SSL_#1}', { resource: 'cert', key: 'key', options: { prefix: 'SSL_' }, version: 1 }],
    ['{vault://env/name?ttl=600&neg_ttl=30}', { resource: 'name', options: { ttl: '600', neg_ttl: '30' }, version: null }],
    ['{vault://env/name#2}', { resource: 'name', version: 2 }],
  ])('%s', (text, parts) => expect(parseReference(text)).toMatchObject(parts));

  test('and is shown without its options', () => {
    expect(parseReference('{vault://hcv/path/name/key?token=s3cret#2}').shown).toBe('{vault://hcv/path/name/key#2}');
  });

  const EXPECTED = 'expected {vault://VAULT/NAME} or {vault://VAULT/NAME/KEY}';
  test.each([
    ['{vault://env}', EXPECTED],
    ['{vault://env/}', EXPECTED],
    ['{vault://env//}', EXPECTED],
    ['{vault://env?prefix=x}', EXPECTED],
    ['{vault:///name}', EXPECTED],
    ['{vault://env/name#last}', 'the version of a reference is a number'],
    ['{vault://env/name#}', 'the version of a reference is a number'],
    ['{vault://env/%zz}', 'the reference is not percent-encoded as it should be'],
  ])('but not %s', (text, message) => expect(() => parseReference(text)).toThrow(message));
});

const secret = string({ referenceable: true });
const inner = record({ key: secret, plain: string() });
const config = record({ key: secret, plain: string(), list: array(secret), headers: map(string(), secret), inner });
const row = record(
  { kind: string({ required: true }), config: record({}, { abstract: true }) },
  { subschema: { key: 'kind', of: name => (name === 'known' ? { fields: { config }, facts: {} } : null), error: () => 'unknown' } },
);
const [a, b] = ['{vault://env/a}', '{vault://env/b}'];

test('references stand wherever a field may refer', () => {
  const value = { key: a, plain: a, list: ['x', b], headers: { one: b }, inner: { key: a, plain: b }, unknown: a };
  expect([...referencesIn(config, value)]).toEqual([a, b]);
  expect(replaceReferences(config, value, (text, path) => `${path.join('.')}=${text.at(-2)}`)).toEqual({
    key: 'key=a',
    plain: a,
    list: ['x', 'list.2=b'],
    headers: { one: 'headers.one=b' },
    inner: { key: 'inner.key=a', plain: b },
    unknown: a,
  });
});

test('the kind of a row says where its configuration may refer', () => {
  expect([...referencesIn(row, { kind: 'known', config: { key: a } })]).toEqual([a]);
  expect([...referencesIn(row, { kind: 'unknown', config: { key: a, constructor: a } })]).toEqual([]);
});

test('what is absent, and what only contains a reference, refers to nothing', () => {
  expect([...referencesIn(config, { key: null, list: null, headers: null, inner: null })]).toEqual([]);
  expect([...referencesIn(config, { key: `Bearer ${a}` })]).toEqual([]);
});
