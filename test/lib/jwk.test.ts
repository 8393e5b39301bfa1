import { expect, test } from 'bun:test';
import { generateKeyPairSync } from 'node:crypto';
import { isAsymmetricJwk } from '../../src/lib/jwk.ts';

const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });
const ec = generateKeyPairSync('ec', { namedCurve: 'P-521' });
const edwards = generateKeyPairSync('ed25519');

test.each(
  [rsa, ec, edwards]
    .flatMap(({ publicKey, privateKey }) => [publicKey, privateKey])
    .map(key => [key.asymmetricKeyType, key.type, key] as const),
)('a %s %s key is one', (_type, _half, key) => {
  expect(isAsymmetricJwk(JSON.parse(JSON.stringify({ ...key.export({ format: 'jwk' }), kid: '1' })))).toBe(true);
});

test.each([
  [{}],
  [{ kty: 'RSA' }],
  [{ kty: 'oct', k: 'c2VjcmV0' }],
  [{ kty: 'EC', crv: 'P-256', x: 'AA', y: 'AA' }],
  [{ ...ec.publicKey.export({ format: 'jwk' }), d: 'AA' }],
])('%j is none', jwk => {
  expect(isAsymmetricJwk(JSON.parse(JSON.stringify(jwk)))).toBe(false);
});
