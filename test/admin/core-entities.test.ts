import { expect, test } from 'bun:test';
import { generateKeyPairSync } from 'node:crypto';
import { encodings, openAdmin, play, type Step } from './harness.ts';

const ID = 'fedcbafe-2222-4333-8444-555555555555';
const row = (fields: object) => expect.objectContaining(fields);
const NOT_FOUND = { message: 'Not found' };
const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const JWK = JSON.stringify({ ...publicKey.export({ format: 'jwk' }), kid: 'k1' });

const scenarios: Record<string, readonly Step[]> = {
  'targets live below their upstream, by address or id': [
    ['POST', '/upstreams', { name: 'up' }, 201, row({ name: 'up', algorithm: 'round-robin' })],
    ['POST', '/upstreams/up/targets', { id: ID, target: '10.0.0.1' }, 201, row({ id: ID, target: '10.0.0.1:8000', weight: 100 })],
    ['POST', '/upstreams/up/targets', { target: '10.0.0.1:8000' }, 409, row({ name: 'unique constraint violation', code: 5 })],
    ['GET', '/upstreams/up/targets', undefined, 200, { data: [row({ id: ID })], next: null }],
    ['GET', '/upstreams/up/targets/all', undefined, 200, { data: [row({ id: ID })], next: null }],
    ['GET', '/upstreams/up/targets/10.0.0.1:8000', undefined, 200, row({ id: ID })],
    ['GET', `/upstreams/up/targets/${ID}`, undefined, 200, row({ id: ID })],
    ['PATCH', '/upstreams/up/targets/10.0.0.1:8000', { weight: 0 }, 200, row({ id: ID, weight: 0 })],
    ['GET', '/upstreams/up/targets/10.0.0.1:8000', undefined, 200, row({ weight: 0 })],
    ['PUT', `/upstreams/up/targets/${ID}`, { weight: 5 }, 200, row({ id: ID, target: '10.0.0.1:8000', weight: 5 })],
    ['PUT', '/upstreams/up/targets/10.0.0.2:8000', { weight: 5 }, 404, NOT_FOUND],
    ['DELETE', '/upstreams/up/targets/10.0.0.1:8000', undefined, 204],
    ['DELETE', '/upstreams/up/targets/10.0.0.1:8000', undefined, 404, NOT_FOUND],
    ['GET', '/targets', undefined, 404, NOT_FOUND],
    ['GET', `/targets/${ID}`, undefined, 404, NOT_FOUND],
    ['GET', '/upstreams/up/health', undefined, 200, { data: [], next: null, node_id: expect.any(String) }],
  ],
  'keys live in key sets, and beside them': [
    ['POST', '/key-sets', { id: ID, name: 'set' }, 201, row({ name: 'set' })],
    ['POST', '/key-sets/set/keys', { name: 'k', kid: 'k1', jwk: JWK }, 201, row({ name: 'k', set: { id: ID } })],
    ['GET', '/key-sets/set/keys/k', undefined, 200, row({ kid: 'k1' })],
    ['GET', '/keys/k/set', undefined, 200, row({ name: 'set' })],
    ['GET', '/keys', undefined, 200, { data: [row({ name: 'k' })], next: null }],
    ['GET', '/key_sets', undefined, 404, NOT_FOUND],
  ],
  'vaults are named by their prefix': [
    ['PUT', '/vaults/mine', { name: 'env', config: { prefix: 'KEY_' } }, 200, row({ prefix: 'mine', name: 'env' })],
    ['GET', '/vaults/mine', undefined, 200, row({ config: row({ prefix: 'KEY_' }) })],
    ['POST', '/vaults', { name: 'nope', prefix: 'other' }, 400, row({ message: "schema violation (name: vault 'nope' is not installed)" })],
    ['GET', '/schemas/vaults/env', undefined, 200, row({ fields: expect.any(Array) })],
    ['GET', '/schemas/vaults/nope', undefined, 404, { message: "No vault named 'nope'" }],
    ['POST', '/schemas/vaults/validate', { name: 'env', prefix: 'x' }, 400],
    ['POST', '/schemas/vaults/validate', { name: 'env', prefix: 'other' }, 200],
  ],
  'plugins have the schema of their configuration at two paths': [
    ['GET', '/plugins/schema/sample', undefined, 200, row({ fields: expect.arrayContaining([{ route_type: expect.anything() }]) })],
    ['GET', '/plugins/schema/nope', undefined, 404, { message: "No plugin named 'nope'" }],
    ['POST', '/schemas/plugins/validate', { name: 'nope' }, 400],
  ],
  'consumers have a custom_id besides their username': [
    ['PUT', '/consumers/ann', { custom_id: 'c1' }, 200, row({ username: 'ann', custom_id: 'c1' })],
    ['PUT', '/consumers/ann', { custom_id: 'c2' }, 200, row({ username: 'ann', custom_id: 'c2' })],
    ['GET', '/consumers?custom_id=c2', undefined, 200, { data: [row({ username: 'ann' })], next: null }],
    ['GET', '/consumers?custom_id=', undefined, 400, { message: 'custom_id must be an unempty string' }],
    ['PUT', '/consumers/bob', { custom_id: 'c2' }, 409, row({ fields: { custom_id: 'c2' } })],
  ],
};

test.each(Object.keys(scenarios))('%s', async name => {
  await play(scenarios[name] ?? []);
});

test('an upstream takes its healthchecks as a form', async () => {
  const form = {
    name: 'up',
    'healthchecks.active.healthy.http_statuses[1]': '200',
    'healthchecks.active.https_verify_certificate': 'false',
  };
  const response = await (await openAdmin()).send('POST', '/upstreams', ...encodings.form(form));
  expect([response.status, await response.json()]).toMatchObject([
    201,
    { healthchecks: { active: { healthy: { http_statuses: [200] }, https_verify_certificate: false } } },
  ]);
});
