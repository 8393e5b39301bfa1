import { expect, test } from 'bun:test';
import { generateKeyPairSync } from 'node:crypto';
import { isPair, privateKeyOf, publicKeyOf } from '../../src/lib/pem.ts';

const spki = { type: 'spki', format: 'pem' } as const;
const pkcs8 = { type: 'pkcs8', format: 'pem' } as const;
const pkcs1 = { type: 'pkcs1', format: 'pem' } as const;

test.each([
  ['rsa', generateKeyPairSync('rsa', { modulusLength: 2048, publicKeyEncoding: spki, privateKeyEncoding: pkcs8 })],
  ['rsa of old', generateKeyPairSync('rsa', { modulusLength: 2048, publicKeyEncoding: pkcs1, privateKeyEncoding: pkcs1 })],
  ['ec', generateKeyPairSync('ec', { namedCurve: 'P-384', publicKeyEncoding: spki, privateKeyEncoding: pkcs8 })],
  ['ed25519', generateKeyPairSync('ed25519', { publicKeyEncoding: spki, privateKeyEncoding: pkcs8 })],
])('keys of %s are read, and told from each other', (_, pair) => {
  const [publicKey, privateKey] = [publicKeyOf(pair.publicKey), privateKeyOf(pair.privateKey)];
  if (!publicKey || !privateKey) throw new Error('not read');
  expect([publicKey.type, privateKey.type, isPair(privateKey, publicKey)]).toEqual(['public', 'private', true]);
  expect([publicKeyOf(pair.privateKey), privateKeyOf(pair.publicKey)]).toEqual([null, null]);
  const stranger = publicKeyOf(generateKeyPairSync('ed25519', { publicKeyEncoding: spki, privateKeyEncoding: pkcs8 }).publicKey);
  expect(stranger && isPair(privateKey, stranger)).toBe(false);
});

test('a private key that only a passphrase opens is none', () => {
  const locked = generateKeyPairSync('ed25519', {
    publicKeyEncoding: spki,
    privateKeyEncoding: { ...pkcs8, cipher: 'aes-256-cbc', passphrase: 'x' },
  });
  expect(privateKeyOf(locked.privateKey)).toBeNull();
});

test.each(['', 'x', '-----BEGIN PUBLIC KEY-----\nx\n-----END PUBLIC KEY-----'])('%j is no key', text => {
  expect([publicKeyOf(text), privateKeyOf(text)]).toEqual([null, null]);
});
