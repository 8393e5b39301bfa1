import { expect } from 'bun:test';
import { createPublicKey } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { METHOD_NOT_ALLOWED, NOT_FOUND, names, noSuchReference, row, rows, uniqueViolation, unresolved, violation } from './answers.ts';
import { get, ID, jsonOnly, NOBODY, OTHER_ID, patch, post, put, refused, remove, type Step, type Table, THIRD_ID } from './scenario.ts';

const read = (name: string): string => readFileSync(join(import.meta.dir, '../../fixtures/tls', `${name}.pem`), 'utf8');
const publicOf = (name: string): string => createPublicKey(read(name)).export({ type: 'spki', format: 'pem' }).toString();
const RSA = publicOf('rsa.key');

const ANN: readonly Step[] = [
  post('/consumers', { id: ID, username: 'ann' }, 201),
  post('/consumers', { id: OTHER_ID, username: 'bob' }, 201),
];
const OWN = { id: expect.any(String), created_at: expect.any(Number), consumer: { id: ID }, tags: null };
const MADE = expect.stringMatching(/^[A-Za-z0-9]{32}$/);
const sha1 = (text: string): string => new Bun.CryptoHasher('sha1').update(text).digest('hex');
const invalidTtl = {
  message: 'invalid option (ttl: must be an integer between 0 and 100000000)',
  name: 'invalid options',
  code: 11,
  options: { ttl: 'must be an integer between 0 and 100000000' },
};
const ALL_OR_NONE = "all or none of these fields must be set: 'password', 'consumer.id'";

export const credentials: Table = {
  'keys, made up or given': [
    ...ANN,
    post('/consumers/ann/key-auth', undefined, 201, { ...OWN, key: MADE, ttl: null }),
    post('/consumers/ann/key-auth', { key: 'k1', tags: ['t'] }, 201, { ...OWN, key: 'k1', tags: ['t'], ttl: null }),
    post('/key-auths', { key: 'k2', consumer: { username: 'bob' } }, 201, { ...OWN, consumer: { id: OTHER_ID }, key: 'k2', ttl: null }),
    put('/consumers/ann/key-auth/k3', undefined, 200, { ...OWN, key: 'k3', ttl: null }),
    put(`/key-auths/${THIRD_ID}`, { key: 'k4', consumer: { id: ID } }, 200, { ...OWN, id: THIRD_ID, key: 'k4', ttl: null }),
    get('/key-auths', 200, ({ data }: { data: { key: string }[] }) =>
      expect(data.map(({ key }) => key).sort()).toEqual(expect.arrayContaining(['k1', 'k2', 'k3', 'k4'])),
    ),
    get('/consumers/bob/key-auth', 200, names('key', 'k2')),
    get('/key-auths?tags=t', 200, names('key', 'k1')),
    get('/tags/t', 200, rows({ entity_name: 'keyauth_credentials', tag: 't' })),
    get('/key-auths/k1', 200, row({ key: 'k1' })),
    get(`/key-auths/${THIRD_ID}`, 200, row({ key: 'k4' })),
    get('/consumers/ann/key-auth/k1', 200, row({ key: 'k1' })),
    get('/consumers/bob/key-auth/k1', 404, NOT_FOUND),
    get('/key-auths/k1/consumer', 200, row({ username: 'ann' })),
    patch('/consumers/ann/key-auth/k1', { key: 'k5' }, 200, row({ key: 'k5', tags: ['t'] })),
    patch('/key-auths/k5', { consumer: { id: OTHER_ID } }, 200, row({ consumer: { id: OTHER_ID } })),
    remove('/consumers/ann/key-auth/k5', 404, NOT_FOUND),
    remove('/consumers/bob/key-auth/k5'),
    get('/key-auths/k5', 404, NOT_FOUND),
  ],
  'keys that are wrong': [
    ...ANN,
    post('/consumers/ann/key-auth', { key: 'k' }, 201),
    post('/consumers/bob/key-auth', { key: 'k' }, 409, uniqueViolation('key', 'k')),
    put('/consumers/bob/key-auth/other', { key: 'k' }, 200, row({ key: 'other' })),
    patch('/key-auths/other', { key: 'k' }, 409, uniqueViolation('key', 'k')),
    post('/key-auths', { key: 'x' }, 400, violation({ consumer: 'required field missing' })),
    post('/key-auths', { key: 'x', consumer: { id: NOBODY } }, 400, noSuchReference('consumer', 'consumers', NOBODY)),
    post('/key-auths', { key: 'x', consumer: { username: 'eve' } }, 400, unresolved('consumer', 'username', 'eve', 'consumers')),
    post('/consumers/eve/key-auth', undefined, 404, NOT_FOUND),
    get('/consumers/eve/key-auth', 404, NOT_FOUND),
    ...refused('POST', '/consumers/ann/key-auth', [[{ colour: 'red' }, { colour: 'unknown field' }]]),
    get('/key-auths/nothing', 404, NOT_FOUND),
    post('/key-auths/k', undefined, 405, METHOD_NOT_ALLOWED),
    get('/schemas/keyauth_credentials', 200, row({ ttl: true, fields: expect.arrayContaining([{ tags: expect.any(Object) }]) })),
    post('/schemas/keyauth_credentials/validate', { key: 'k', consumer: { id: ID } }, 200, { message: 'schema validation successful' }),
  ],
  'keys for a time': [
    ...ANN,
    post('/consumers/ann/key-auth', { key: 'k', ttl: 3600 }, 201, { ...OWN, key: 'k', ttl: 3600 }),
    patch('/key-auths/k', { tags: ['t'] }, 200, row({ ttl: expect.any(Number) })),
    patch('/key-auths/k', { ttl: 7200 }, 200, row({ ttl: 7200, tags: ['t'] })),
    patch('/key-auths/k', { ttl: 0 }, 200, row({ ttl: null })),
    put('/consumers/ann/key-auth/k', { ttl: 60 }, 200, row({ ttl: 60, tags: null })),
    put('/consumers/ann/key-auth/k', undefined, 200, row({ ttl: null })),
    post('/consumers/ann/key-auth', { ttl: 100_000_001 }, 400, invalidTtl),
    post('/consumers/ann/key-auth', { ttl: -1 }, 400, invalidTtl),
    post('/consumers/ann/key-auth', { ttl: 1.5 }, 400, invalidTtl),
    patch('/key-auths/k', { ttl: 'soon' }, 400, invalidTtl),
    get('/key-auths', 200, names('key', 'k')),
  ],
  'passwords are kept as digests': [
    ...ANN,
    post('/consumers/ann/basic-auth', { username: 'u', password: 'pw' }, 201, { ...OWN, username: 'u', password: sha1(`pw${ID}`) }),
    get('/basic-auths/u', 200, row({ password: sha1(`pw${ID}`) })),
    get('/consumers/ann/basic-auth', 200, names('password', sha1(`pw${ID}`))),
    patch('/consumers/ann/basic-auth/u', { tags: ['t'] }, 200, row({ password: sha1(`pw${ID}`), tags: ['t'] })),
    patch('/consumers/ann/basic-auth/u', { password: 'other' }, 200, row({ password: sha1(`other${ID}`) })),
    patch('/basic-auths/u', { password: 'next' }, 400, violation({ '@entity': [ALL_OR_NONE] })),
    patch('/basic-auths/u', { password: 'next', consumer: { id: ID } }, 200, row({ password: sha1(`next${ID}`) })),
    put('/consumers/ann/basic-auth/u', { password: 'third' }, 200, row({ password: sha1(`third${ID}`), tags: null })),
    patch('/basic-auths/u', { consumer: { id: OTHER_ID } }, 400, violation({ '@entity': [ALL_OR_NONE] })),
    patch(
      '/basic-auths/u',
      { consumer: { id: OTHER_ID }, password: 'third' },
      200,
      row({ consumer: { id: OTHER_ID }, password: sha1(`third${OTHER_ID}`) }),
    ),
    get('/basic-auths/u/consumer', 200, row({ username: 'bob' })),
    post('/consumers/ann/basic-auth', { username: 'u', password: 'pw' }, 409, uniqueViolation('username', 'u')),
    post('/consumers/ann/basic-auth', { username: 'v' }, 400, row({ fields: { password: 'required field missing' } })),
    ...refused('POST', '/consumers/ann/basic-auth', [[{ password: 'pw' }, { username: 'required field missing' }]]),
  ],
  'keys of tokens': [
    ...ANN,
    post('/consumers/ann/jwt', undefined, 201, { ...OWN, key: MADE, secret: MADE, algorithm: 'HS256', rsa_public_key: null }),
    post('/consumers/ann/jwt', { key: 'r', algorithm: 'RS256', rsa_public_key: RSA }, 201, row({ rsa_public_key: RSA, secret: MADE })),
    get('/jwts/r', 200, row({ algorithm: 'RS256' })),
    get('/jwts/r/consumer', 200, row({ username: 'ann' })),
    patch('/consumers/ann/jwt/r', { algorithm: 'PS384' }, 200, row({ algorithm: 'PS384', rsa_public_key: RSA })),
    patch('/jwts/r', { rsa_public_key: null }, 400),
    post('/consumers/ann/jwt', { key: 'r' }, 409, uniqueViolation('key', 'r')),
    ...refused('POST', '/consumers/ann/jwt', [
      [
        { algorithm: 'RS512' },
        { '@entity': ["failed conditional validation given value of field 'algorithm'"], rsa_public_key: 'required field missing' },
      ],
      [
        { algorithm: 'EdDSA', rsa_public_key: 'nonsense' },
        { '@entity': ["failed conditional validation given value of field 'algorithm'"], rsa_public_key: 'invalid key' },
      ],
      [
        { algorithm: 'none' },
        { algorithm: 'expected one of: HS256, HS384, HS512, RS256, RS384, RS512, ES256, ES384, ES512, PS256, PS384, PS512, EdDSA' },
      ],
    ]),
    remove('/consumers/ann/jwt/r'),
    get('/jwts/r', 404, NOT_FOUND),
  ],
  'secrets to sign with': [
    ...ANN,
    post('/consumers/ann/hmac-auth', { username: 'u' }, 201, { ...OWN, username: 'u', secret: MADE }),
    patch('/hmac-auths/u', { secret: 's' }, 200, row({ secret: 's' })),
    put('/consumers/ann/hmac-auth/v', { secret: 's2' }, 200, row({ username: 'v', secret: 's2' })),
    get('/consumers/ann/hmac-auth', 200, names('username', 'u', 'v')),
    get('/hmac-auths/v/consumer', 200, row({ username: 'ann' })),
    post('/consumers/bob/hmac-auth', { username: 'u' }, 409, uniqueViolation('username', 'u')),
    ...refused('POST', '/consumers/ann/hmac-auth', [[{ secret: 's' }, { username: 'required field missing' }]]),
    remove('/hmac-auths/v'),
    get('/hmac-auths', 200, names('username', 'u')),
  ],
  'groups of access control': [
    ...ANN,
    post('/consumers/ann/acls', { group: 'dev', tags: ['t'] }, 201, { ...OWN, group: 'dev', tags: ['t'] }),
    post('/consumers/bob/acls', { group: 'dev' }, 201, row({ consumer: { id: OTHER_ID } })),
    post('/acls', { id: THIRD_ID, group: 'ops', consumer: { username: 'ann' } }, 201, { ...OWN, id: THIRD_ID, group: 'ops' }),
    post('/consumers/ann/acls', { group: 'dev' }, 409, row({ name: 'unique constraint violation', code: 5 })),
    get('/consumers/ann/acls', 200, names('group', 'dev', 'ops')),
    get('/consumers/ann/acls/dev', 200, row({ consumer: { id: ID }, tags: ['t'] })),
    get('/consumers/bob/acls/dev', 200, row({ consumer: { id: OTHER_ID } })),
    get('/consumers/bob/acls/ops', 404, NOT_FOUND),
    get(`/consumers/ann/acls/${THIRD_ID}`, 200, row({ group: 'ops' })),
    get(`/consumers/bob/acls/${THIRD_ID}`, 404, NOT_FOUND),
    get(`/acls/${THIRD_ID}`, 200, row({ group: 'ops' })),
    get(`/acls/${THIRD_ID}/consumer`, 200, row({ username: 'ann' })),
    get('/acls/ops', 400, row({ name: 'invalid primary key' })),
    put('/consumers/ann/acls/new', undefined, 200, { ...OWN, group: 'new' }),
    put('/consumers/ann/acls/dev', { tags: ['u'] }, 200, row({ group: 'dev', tags: ['u'] })),
    patch('/consumers/ann/acls/dev', { group: 'devs' }, 200, row({ group: 'devs', tags: ['u'] })),
    patch('/consumers/ann/acls/dev', { tags: [] }, 404, NOT_FOUND),
    remove('/consumers/ann/acls/new'),
    remove(`/acls/${THIRD_ID}`),
    get('/acls', 200, names('group', 'dev', 'devs')),
    post('/acls', { group: 'x' }, 400, violation({ consumer: 'required field missing' })),
    ...refused('POST', '/consumers/ann/acls', [[{ tags: ['t'] }, { group: 'required field missing' }]]),
  ],
  'a consumer takes its credentials with it': [
    ...ANN,
    post('/consumers/ann/key-auth', undefined, 201),
    post('/consumers/ann/basic-auth', { username: 'u', password: 'p' }, 201),
    post('/consumers/ann/jwt', undefined, 201),
    post('/consumers/ann/hmac-auth', { username: 'u' }, 201),
    post('/consumers/ann/acls', { group: 'g' }, 201),
    remove('/consumers/ann'),
    ...['key-auths', 'basic-auths', 'jwts', 'hmac-auths', 'acls'].map(path => get(`/${path}`, 200, { data: [], next: null })),
  ],
  'decK puts every credential at an id that it chose, and deletes it there': [
    ...ANN,
    ...(
      [
        ['key-auth', { key: 'k' }],
        ['basic-auth', { username: 'u', password: 'p' }],
        ['jwt', { key: 'j', secret: 's', algorithm: 'HS384' }],
        ['hmac-auth', { username: 'u', secret: 's' }],
        ['acls', { group: 'g' }],
      ] as const
    ).flatMap(([path, body]) => [
      put(
        `/consumers/${ID}/${path}/${THIRD_ID}`,
        { id: THIRD_ID, ...body, tags: ['managed'] },
        200,
        row({ id: THIRD_ID, tags: ['managed'] }),
      ),
      put(`/consumers/${ID}/${path}/${THIRD_ID}`, { id: THIRD_ID, ...body, tags: ['again'] }, 200, row({ id: THIRD_ID, tags: ['again'] })),
      get(`/consumers/${ID}/${path}?tags=again`, 200, rows({ id: THIRD_ID })),
      remove(`/consumers/${ID}/${path}/${THIRD_ID}`),
      get(`/consumers/${ID}/${path}`, 200, { data: [], next: null }),
    ]),
  ],
  'plugins that find out who calls are not for one who calls': [
    ...ANN,
    post('/consumer_groups', { name: 'gold' }, 201),
    ...['key-auth', 'basic-auth', 'jwt', 'hmac-auth'].flatMap(name => [
      post('/consumers/ann/plugins', { name }, 400, violation({ consumer: 'value must be null' })),
      post('/consumer_groups/gold/plugins', { name }, 400, violation({ consumer_group: 'value must be null' })),
    ]),
  ],
  'a null is made up as if nothing were said': jsonOnly([
    ...ANN,
    post('/consumers/ann/key-auth', { key: null }, 201, row({ key: MADE })),
    post('/consumers/ann/jwt', { key: null, secret: null }, 201, row({ key: MADE, secret: MADE, algorithm: 'HS256' })),
    post('/consumers/ann/key-auth', { key: 7 }, 400, violation({ key: 'expected a string' })),
    post('/consumers/ann/key-auth', { ttl: '60' }, 400, invalidTtl),
  ]),
};
