import type { JsonObject } from './json.ts';
import { node } from './node.ts';

/** Whether a JSON Web Key is one half of a pair, or both: a shared secret (`oct`) is none. */
export function isAsymmetricJwk(jwk: JsonObject): boolean {
  try {
    const { createPrivateKey, createPublicKey } = node.crypto;
    const load = typeof jwk['d'] === 'string' ? createPrivateKey : createPublicKey;
    load({ key: jwk, format: 'jwk' });
    return true;
  } catch {
    return false;
  }
}
