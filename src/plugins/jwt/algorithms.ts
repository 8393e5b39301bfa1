import type { KeyObject } from 'node:crypto';
import { node } from '../../lib/node.ts';
import { publicKeyOf } from '../../lib/pem.ts';
import { isSameSecret } from '../../lib/same-secret.ts';

export const ALGORITHMS = [
  'HS256',
  'HS384',
  'HS512',
  'RS256',
  'RS384',
  'RS512',
  'ES256',
  'ES384',
  'ES512',
  'PS256',
  'PS384',
  'PS512',
  'EdDSA',
] as const;
export type Algorithm = (typeof ALGORITHMS)[number];

/** Tells whether a signature is that of a text. */
export type Verifier = (text: string, signature: Uint8Array) => boolean;

/** The curve that goes with each algorithm on curves: RFC 7518, section 3.4. */
const CURVES: Readonly<Record<string, string>> = { ES256: 'prime256v1', ES384: 'secp384r1', ES512: 'secp521r1' };

export const isSymmetric = (algorithm: Algorithm): boolean => algorithm.startsWith('HS');

export function secretVerifier(algorithm: Algorithm, secret: Uint8Array): Verifier {
  const hash = hashOf(algorithm);
  return (text, signature) => isSameSecret(node.crypto.createHmac(hash, secret).update(text).digest(), signature);
}

/** Null: the key is none, or one for other algorithms, so that none of them is taken for another. */
export function keyVerifier(algorithm: Algorithm, pem: string): Verifier | null {
  const key = publicKeyOf(pem);
  if (key === null || !fits(key, algorithm)) return null;
  const { verify } = node.crypto;
  if (algorithm === 'EdDSA') return (text, signature) => verify(null, Buffer.from(text), key, signature);
  const hash = hashOf(algorithm);
  const options = { key, ...optionsOf(algorithm) };
  return (text, signature) => verify(hash, Buffer.from(text), options, signature);
}

const hashOf = (algorithm: Algorithm) => `sha${algorithm.slice(2)}`;

function optionsOf(algorithm: Algorithm) {
  const { constants } = node.crypto;
  if (algorithm.startsWith('ES')) return { dsaEncoding: 'ieee-p1363' } as const;
  if (algorithm.startsWith('RS')) return { padding: constants.RSA_PKCS1_PADDING };
  return { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST };
}

function fits({ asymmetricKeyType: type, asymmetricKeyDetails: details }: KeyObject, algorithm: Algorithm): boolean {
  if (algorithm === 'EdDSA') return type === 'ed25519';
  const curve = CURVES[algorithm];
  return curve === undefined ? type === 'rsa' : type === 'ec' && details?.namedCurve === curve;
}
