import { type Certificate, certificate } from '../entities/certificate.ts';
import { ConfigurationError } from '../lib/configuration-error.ts';
import { node } from '../lib/node.ts';
import type { Field } from '../schema/field.ts';
import { validate } from '../schema/validate.ts';
import { violation } from '../schema/violation.ts';
import type { Secrets } from './secrets.ts';

/** A certificate and its key, PEM; of two of different types, a TLS server takes what the client can do. */
export interface Pairs {
  readonly cert: string | string[];
  readonly key: string | string[];
}

type Texts = Pick<Certificate, 'cert' | 'key' | 'cert_alt' | 'key_alt'>;

/**
 * The texts of a certificate, references resolved. Throws an UnresolvedReference, and a ConfigurationError where secrets are
 * no certificate with its key.
 */
export function textsOf({ id, cert, key, cert_alt, key_alt }: Certificate, secrets: Pick<Secrets, 'resolve'>): Texts {
  const resolved = secrets.resolve(certificate.schema as Field as Field<Texts>, { cert, key, cert_alt, key_alt });
  const result = resolved.secrets.length > 0 ? validate(certificate.schema, resolved.value) : null;
  if (result && 'errors' in result) throw new ConfigurationError(`certificate ${id}: ${violation(result.errors)}`);
  return resolved.value;
}

/** What a client shows. Throws as `textsOf`. */
export function pairIn(row: Certificate, secrets: Pick<Secrets, 'resolve'>): { readonly cert: string; readonly key: string } {
  const { cert, key } = textsOf(row, secrets);
  return { cert, key };
}

/** For a TLS server. Throws as `textsOf`, and where TLS can do nothing with them. */
export function pairsOf(row: Certificate, secrets: Pick<Secrets, 'resolve'>): Pairs {
  const { cert, key, cert_alt, key_alt } = textsOf(row, secrets);
  const pairs = cert_alt !== null && key_alt !== null ? { cert: [cert, cert_alt], key: [key, key_alt] } : { cert, key };
  try {
    node.tls.createSecureContext(pairs);
  } catch {
    throw new ConfigurationError(`certificate ${row.id}: TLS cannot use it`);
  }
  return pairs;
}
