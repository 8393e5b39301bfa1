import { expect } from 'bun:test';
import { createPrivateKey, createPublicKey } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { METHOD_NOT_ALLOWED, NOT_FOUND, names, noSuchReference, row, rows, uniqueViolation, unresolved, violation } from './answers.ts';
import { get, ID, NOBODY, OTHER_ID, patch, post, put, refused, remove, type Table } from './scenario.ts';

const read = (name: string): string => readFileSync(join(import.meta.dir, '../../fixtures/tls', `${name}.pem`), 'utf8');
const publicOf = (pem: string): string => createPublicKey(pem).export({ type: 'spki', format: 'pem' }).toString();
const jwk = (kid: string, members: object = {}): string =>
  JSON.stringify({ ...createPrivateKey(read('rsa.key')).export({ format: 'jwk' }), kid, ...members });

const PRIVATE = read('key');
const PUBLIC = publicOf(PRIVATE);
const OTHER_PUBLIC = publicOf(read('client.key'));
const DEFAULTS = {
  id: expect.any(String),
  created_at: expect.any(Number),
  updated_at: expect.any(Number),
  name: null,
  set: null,
  jwk: null,
  pem: null,
  tags: null,
};
const SET_DEFAULTS = { id: expect.any(String), created_at: expect.any(Number), updated_at: expect.any(Number), name: null, tags: null };
const SET = post('/key-sets', { id: ID, name: 's' }, 201);
const taken = row({ name: 'unique constraint violation', code: 5 });

export const keys: Table = {
  'a key as JWK or as PEM': [
    post('/keys', { kid: 'k1', jwk: jwk('k1') }, 201, { ...DEFAULTS, kid: 'k1', jwk: jwk('k1') }),
    post('/keys', { kid: 'k2', name: 'pem', pem: { private_key: PRIVATE, public_key: PUBLIC } }, 201, {
      ...DEFAULTS,
      kid: 'k2',
      name: 'pem',
      pem: { private_key: PRIVATE, public_key: PUBLIC },
    }),
    post(
      '/keys',
      { kid: 'k3', pem: { public_key: PUBLIC }, tags: ['t'] },
      201,
      row({ pem: { private_key: null, public_key: PUBLIC }, tags: ['t'] }),
    ),
    post('/keys', { kid: 'k4', pem: { private_key: PRIVATE } }, 201, row({ pem: { private_key: PRIVATE, public_key: null } })),
    post('/keys', { kid: 'k5', jwk: '{vault://env/some-jwk}' }, 201, row({ jwk: '{vault://env/some-jwk}' })),
    get('/keys', 200, names('kid', 'k1', 'k2', 'k3', 'k4', 'k5')),
    get('/keys/pem', 200, row({ kid: 'k2' })),
    get('/keys?tags=t', 200, names('kid', 'k3')),
  ],
  'what is no key': [
    ...refused('POST', '/keys', [
      [{ jwk: jwk('k') }, { kid: 'required field missing' }],
      [{ kid: 'k' }, { '@entity': ["at least one of these fields must be non-empty: 'pem', 'jwk'"] }],
      [{ kid: 'k', jwk: jwk('other') }, { '@entity': ['kid in jwk.kid must be equal to keys.kid'] }],
      [{ kid: 'k', jwk: 'nonsense' }, { '@entity': ['could not json decode jwk string'] }],
      [{ kid: 'k', jwk: '{"kid":"k","kty":"RSA"}' }, { '@entity': ['could not load JWK, likely not a valid key'] }],
      [{ kid: 'k', pem: { public_key: 'nonsense' } }, { pem: 'could not load public key' }],
      [{ kid: 'k', pem: { private_key: PRIVATE, public_key: OTHER_PUBLIC } }, { pem: 'public key does not match private key' }],
      [{ kid: 'k', pem: { public_key: PUBLIC, colour: 'red' } }, { pem: { colour: 'unknown field' } }],
      [{ kid: 'k', jwk: jwk('k'), colour: 'red' }, { colour: 'unknown field' }],
      [{ kid: 'k', jwk: jwk('k'), id: 'x' }, { id: 'expected a valid UUID' }],
    ]),
    post(
      '/keys',
      { kid: 'k', pem: { private_key: 'nonsense' } },
      400,
      row({ code: 2, fields: { pem: expect.stringMatching(/^could not load private key/) } }),
    ),
    post(
      '/keys',
      { kid: 'k', jwk: jwk('k'), pem: { public_key: PUBLIC } },
      400,
      violation({ '@entity': ["only one or none of these fields must be set: 'pem', 'jwk'"] }),
    ),
    get('/keys', 200, { data: [], next: null }),
  ],
  'a key and its set, by id and by name': [
    SET,
    post('/keys', { kid: 'k1', name: 'one', jwk: jwk('k1'), set: { id: ID } }, 201, row({ set: { id: ID } })),
    post('/keys', { kid: 'k2', jwk: jwk('k2'), set: { name: 's' } }, 201, row({ set: { id: ID } })),
    post('/key-sets/s/keys', { kid: 'k3', jwk: jwk('k3') }, 201, row({ set: { id: ID } })),
    get('/key-sets/s/keys', 200, names('kid', 'k1', 'k2', 'k3')),
    get(`/key-sets/${ID}/keys`, 200, names('kid', 'k1', 'k2', 'k3')),
    get('/key-sets/s/keys/one', 200, row({ kid: 'k1' })),
    get('/keys/one/set', 200, row({ name: 's' })),
    post('/keys', { kid: 'k1', jwk: jwk('k1'), set: { id: ID } }, 409, taken),
    post('/keys', { kid: 'k1', jwk: jwk('k1') }, 201, row({ set: null })),
    post('/keys', { kid: 'k9', jwk: jwk('k9'), set: { id: NOBODY } }, 400, noSuchReference('set', 'key_sets', NOBODY)),
    post('/keys', { kid: 'k9', jwk: jwk('k9'), set: { name: 'nobody' } }, 400, unresolved('set', 'name', 'nobody', 'key_sets')),
    post('/key-sets/nobody/keys', { kid: 'k9', jwk: jwk('k9') }, 404, NOT_FOUND),
    remove('/key-sets/s', 204, null),
    get('/keys', 200, rows({ kid: 'k1', set: null })),
  ],
  'every verb, by id and by name': [
    put('/keys/one', { kid: 'k', jwk: jwk('k') }, 200, row({ name: 'one', kid: 'k' })),
    put(
      '/keys/one',
      { kid: 'l', pem: { public_key: PUBLIC } },
      200,
      row({ name: 'one', kid: 'l', jwk: null, pem: { private_key: null, public_key: PUBLIC } }),
    ),
    patch('/keys/one', { pem: { private_key: PRIVATE } }, 200, row({ pem: { private_key: PRIVATE, public_key: PUBLIC } })),
    patch('/keys/one', { pem: null, jwk: jwk('l') }, 200, row({ pem: null, jwk: jwk('l') })),
    patch('/keys/one', { kid: 'm' }, 400, violation({ '@entity': ['kid in jwk.kid must be equal to keys.kid'] })),
    patch('/keys/one', { tags: ['t'] }, 200, row({ tags: ['t'] })),
    put(`/keys/${OTHER_ID}`, { kid: 'o', name: 'two', jwk: jwk('o') }, 200, row({ id: OTHER_ID })),
    patch('/keys/two', { name: 'one' }, 409, uniqueViolation('name', 'one')),
    post('/keys', { kid: 'p', name: 'one', jwk: jwk('p') }, 409, uniqueViolation('name', 'one')),
    patch('/keys/nobody', { kid: 'x' }, 404, NOT_FOUND),
    get('/keys/nobody', 404, NOT_FOUND),
    remove('/keys/one', 204, null),
    remove('/keys/one', 204, null),
    get('/keys', 200, rows({ name: 'two' })),
    put('/keys', { kid: 'x' }, 405, METHOD_NOT_ALLOWED),
  ],
};

export const keySets: Table = {
  'every verb, by id and by name': [
    post('/key-sets', { name: 's' }, 201, { ...SET_DEFAULTS, name: 's' }),
    post('/key-sets', { tags: ['t'] }, 201, { ...SET_DEFAULTS, tags: ['t'] }),
    post('/key-sets', { name: 's' }, 409, uniqueViolation('name', 's')),
    get('/key-sets/s', 200, row({ name: 's' })),
    get('/key-sets?tags=t', 200, rows({ name: null })),
    patch('/key-sets/s', { tags: ['u'] }, 200, row({ name: 's', tags: ['u'] })),
    patch('/key-sets/s', { name: 'renamed' }, 200, row({ name: 'renamed' })),
    put('/key-sets/renamed', { tags: ['v'] }, 200, { ...SET_DEFAULTS, name: 'renamed', tags: ['v'] }),
    put(`/key-sets/${ID}`, { name: 'by-id' }, 200, { ...SET_DEFAULTS, id: ID, name: 'by-id' }),
    put(`/key-sets/${ID}`, { name: 'renamed' }, 409, uniqueViolation('name', 'renamed')),
    get(`/key-sets/${ID}`, 200, row({ name: 'by-id' })),
    post('/key-sets', { name: 'x', colour: 'red' }, 400, violation({ colour: 'unknown field' })),
    post('/key-sets', { name: 'x', id: 'x' }, 400, violation({ id: 'expected a valid UUID' })),
    get('/key-sets/nobody', 404, NOT_FOUND),
    patch('/key-sets/nobody', { name: 'x' }, 404, NOT_FOUND),
    get('/key-sets/nobody/keys', 404, NOT_FOUND),
    remove('/key-sets/renamed', 204, null),
    remove('/key-sets/renamed', 204, null),
    remove(`/key-sets/${ID}`, 204, null),
    put('/key-sets', { name: 'x' }, 405, METHOD_NOT_ALLOWED),
    { method: 'OPTIONS', path: '/key-sets', status: 204, headers: { allow: 'GET, HEAD, OPTIONS, POST' } },
    // The path has a dash, the entity an underscore.
    get('/key_sets', 404, NOT_FOUND),
  ],
};
