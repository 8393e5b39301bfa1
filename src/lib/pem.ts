import type { KeyObject } from 'node:crypto';
import { node } from './node.ts';

/** The public key that a PEM text holds; null when it holds none. A private key or a certificate is not taken for one. */
export const publicKeyOf = (pem: string): KeyObject | null =>
  /^\s*-----BEGIN (?:RSA )?PUBLIC KEY-----/.test(pem) ? loaded(() => node.crypto.createPublicKey(pem)) : null;

/** The private key that a PEM text holds; null when it holds none, or one that only a passphrase opens. */
export const privateKeyOf = (pem: string): KeyObject | null => loaded(() => node.crypto.createPrivateKey(pem));

/** Whether they are the two halves of one pair. */
export const isPair = (privateKey: KeyObject, publicKey: KeyObject): boolean => node.crypto.createPublicKey(privateKey).equals(publicKey);

function loaded(load: () => KeyObject): KeyObject | null {
  try {
    return load();
  } catch {
    return null;
  }
}
