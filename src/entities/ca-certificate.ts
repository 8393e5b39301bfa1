import { readCertificates } from '../lib/x509.ts';
import { record, string } from '../schema/field.ts';
import { tags, timestamp, uuid } from '../schema/typedefs.ts';
import { certificateError } from './certificate.ts';
import { defineEntity } from './entity.ts';

/** Somebody whose word on certificates of upstreams counts. */
export const caCertificate = defineEntity({
  name: 'ca_certificates',
  schema: record(
    {
      id: uuid,
      created_at: timestamp,
      updated_at: timestamp,
      cert: string({ required: true, custom_validator: certificateError }),
      cert_digest: string({ unique: true }),
      tags,
    },
    {
      required: true,
      transformations: [{ input: ['cert'], on_write: (cert: string) => ({ cert_digest: digestOf(cert) }) }],
      entity_checks: [{ custom_entity_check: { field_sources: ['cert'], fn: authorityError } }],
    },
  ),
});

/** Kong's form: lower case, no colons. */
const digestOf = (cert: string) => readCertificates(cert)[0].fingerprint256.replaceAll(':', '').toLowerCase();

function authorityError({ cert }: { readonly cert: string }): string | undefined {
  const [certificate, ...others] = readCertificates(cert);
  if (others.length > 0) return 'please submit only one certificate at a time';
  if (certificate.validToDate.getTime() < Date.now()) return 'certificate expired, "Not After" time is in the past';
  if (!certificate.ca) return 'certificate does not appear to be a CA because it is missing the "CA" basic constraint';
  return undefined;
}
