import { expect, test } from 'bun:test';
import { sni } from '../../src/entities/sni.ts';
import { validate } from '../../src/schema/validate.ts';

const certificate = { id: 'aaaaaaaa-0000-4000-8000-000000000000' };

test.each<[string, string | null]>([
  ['example.com', null],
  ['*.example.com', null],
  ['example.*', null],
  ['*', null],
  ['a.*.example.com', 'wildcard must be leftmost or rightmost character'],
  ['*.example.*', 'only one wildcard must be specified'],
  ['127.0.0.1', 'must not be an IP'],
  ['::1', 'must not be an IP'],
  ['example.com:80', 'must not have a port'],
  ['example.com:99999', 'must not have a port'],
  ['example-.com', 'invalid value: example-.com'],
  ['*.example-.com', 'invalid value: wildcard.example-.com'],
])('the name %s', (name, error) => {
  const result = validate(sni.schema, { name, certificate });
  expect('errors' in result ? result.errors : null).toEqual(error === null ? null : { name: error });
});

test('a name is for a certificate', () => {
  const result = validate(sni.schema, { name: 'example.com' });
  expect('errors' in result && result.errors).toEqual({ certificate: 'required field missing' });
});
