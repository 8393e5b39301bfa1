import type { X509Certificate } from 'node:crypto';
import { node } from './node.ts';

const BEGIN = '-----BEGIN CERTIFICATE-----';

/** The certificates of a PEM text in their order, a leaf before those that vouch for it. Throws an Error that says why there are none. */
export function readCertificates(pem: string): readonly [X509Certificate, ...X509Certificate[]] {
  const [, first, ...others] = pem.split(BEGIN);
  if (first === undefined) throw new Error('no PEM certificate');
  return [readCertificate(first), ...others.map(readCertificate)];
}

function readCertificate(afterBegin: string): X509Certificate {
  try {
    return new node.crypto.X509Certificate(BEGIN + afterBegin);
  } catch {
    throw new Error('a certificate that cannot be read');
  }
}
