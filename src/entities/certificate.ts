import { isPair, privateKeyOf } from '../lib/pem.ts';
import { readCertificates } from '../lib/x509.ts';
import { array, record, string } from '../schema/field.ts';
import { tags, timestamp, uuid, wildcardHost } from '../schema/typedefs.ts';
import { defineEntity, type RowOf } from './entity.ts';

const certificates = { referenceable: true, custom_validator: certificateError } as const;
const privateKey = { referenceable: true, encrypted: true, custom_validator: keyError } as const;

/** A certificate with its chain and its key: for clients to see, or for upstreams. A second pair is of another type, such as RSA beside EC. */
export const certificate = defineEntity({
  name: 'certificates',
  schema: record(
    {
      id: uuid,
      created_at: timestamp,
      updated_at: timestamp,
      cert: string({ required: true, ...certificates }),
      key: string({ required: true, ...privateKey }),
      cert_alt: string({ required: false, ...certificates }),
      key_alt: string({ required: false, ...privateKey }),
      tags,
      snis: array(wildcardHost, { required: false, transient: true }),
    },
    {
      required: true,
      entity_checks: [
        { mutually_required: ['cert_alt', 'key_alt'] },
        { custom_entity_check: { field_sources: ['cert', 'key'], fn: pairError } },
        { custom_entity_check: { field_sources: ['cert_alt', 'key_alt'], fn: alternativePairError } },
        { custom_entity_check: { field_sources: ['cert', 'cert_alt'], fn: sameTypeError } },
      ],
    },
  ),
});

export type Certificate = RowOf<typeof certificate>;

export function certificateError(pem: string): string | undefined {
  try {
    readCertificates(pem);
    return undefined;
  } catch (error) {
    return `invalid certificate: ${(error as Error).message}`;
  }
}

function keyError(pem: string): string | undefined {
  return privateKeyOf(pem) === null ? 'invalid key: no private key in PEM, or one that only a passphrase opens' : undefined;
}

interface Pairs {
  readonly cert: string;
  readonly key: string;
  readonly cert_alt: string | null;
  readonly key_alt: string | null;
}

function pairError({ cert, key }: Pairs): string | undefined {
  return belongTogether(cert, key) ? undefined : 'certificate does not match key';
}

function alternativePairError({ cert_alt, key_alt }: Pairs): string | undefined {
  if (cert_alt === null || key_alt === null || belongTogether(cert_alt, key_alt)) return undefined;
  return 'alternative certificate does not match key';
}

function sameTypeError({ cert, cert_alt }: Pairs): string | undefined {
  if (cert_alt === null || publicKeyIn(cert).asymmetricKeyType !== publicKeyIn(cert_alt).asymmetricKeyType) return undefined;
  return 'certificate and alternative certificate need to have different type (e.g. RSA and ECDSA), the provided certificates were both of the same type';
}

function belongTogether(cert: string, key: string): boolean {
  const privateKey = privateKeyOf(key);
  return privateKey !== null && isPair(privateKey, publicKeyIn(cert));
}

const publicKeyIn = (cert: string) => readCertificates(cert)[0].publicKey;
