import { expect, test } from 'bun:test';
import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { ALGORITHMS, type Algorithm, isSymmetric, keyVerifier, secretVerifier } from '../../../src/plugins/jwt/algorithms.ts';

const pemOf = ({ publicKey }: { readonly publicKey: KeyObject }) => publicKey.export({ type: 'spki', format: 'pem' }).toString();
const KEYS: readonly string[] = [
  ...[512, 2048].map(modulusLength => pemOf(generateKeyPairSync('rsa', { modulusLength }))),
  ...['P-256', 'P-384', 'P-521'].map(namedCurve => pemOf(generateKeyPairSync('ec', { namedCurve }))),
  pemOf(generateKeyPairSync('ed25519')),
];
const verifiersOf = (algorithm: Algorithm) =>
  isSymmetric(algorithm) ? [secretVerifier(algorithm, Buffer.from('s'))] : KEYS.flatMap(pem => keyVerifier(algorithm, pem) ?? []);

test.each(ALGORITHMS)('%s takes keys of one kind, and no signature of nothing but zeros or ones, however long', algorithm => {
  const verifiers = verifiersOf(algorithm);
  expect(verifiers.length).toBe(/^[RP]S/.test(algorithm) ? 2 : 1);
  for (const isSigned of verifiers) {
    for (const length of [0, 1, 32, 63, 64, 65, 96, 132, 256, 5000]) {
      for (const byte of [0, 1, 255]) expect([length, byte, isSigned('text', Buffer.alloc(length, byte))]).toEqual([length, byte, false]);
    }
  }
});
