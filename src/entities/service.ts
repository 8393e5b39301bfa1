import { withoutBrackets } from '../lib/host.ts';
import { array, boolean, foreign, integer, record, string } from '../schema/field.ts';
import { hostError, PROTOCOLS, pathError, tags, timestamp, utf8Name, uuid } from '../schema/typedefs.ts';
import { defineEntity, type RowOf } from './entity.ts';

const milliseconds = integer({ between: [1, 2147483646], default: 60000 });

const onlyWithTls = (field: string) =>
  ({
    conditional: { if_field: 'protocol', if_match: { not_one_of: ['https', 'tls'] }, then_field: field, then_match: { eq: null } },
  }) as const;

/** An upstream API. */
export const service = defineEntity({
  name: 'services',
  endpointKey: 'name',
  listReferences: { ca_certificates: 'ca_certificates' },
  schema: record(
    {
      id: uuid,
      created_at: timestamp,
      updated_at: timestamp,
      name: utf8Name,
      retries: integer({ between: [0, 32767], default: 5 }),
      protocol: string({ required: true, default: 'http', one_of: PROTOCOLS, custom_validator: protocolError }),
      host: string({ required: true, custom_validator: hostError }),
      port: integer({ required: true, between: [0, 65535], default: 80 }),
      path: string({
        starts_with: '/',
        match_none: [{ pattern: '//', err: 'must not have empty segments' }],
        custom_validator: pathError,
      }),
      connect_timeout: milliseconds,
      write_timeout: milliseconds,
      read_timeout: milliseconds,
      tags,
      client_certificate: foreign('certificates'),
      tls_verify: boolean(),
      tls_verify_depth: integer({ default: null, between: [0, 64], custom_validator: verifyDepthError }),
      ca_certificates: array(string({ uuid: true })),
      enabled: boolean({ required: true, default: true }),
    },
    {
      required: true,
      shorthand_fields: { url: { field: string(), func: fromUrl } },
      entity_checks: [
        {
          conditional: {
            if_field: 'protocol',
            if_match: { one_of: ['tcp', 'tls', 'udp', 'grpc', 'grpcs'] },
            then_field: 'path',
            then_match: { eq: null },
          },
        },
        onlyWithTls('client_certificate'),
        onlyWithTls('tls_verify'),
        onlyWithTls('tls_verify_depth'),
        onlyWithTls('ca_certificates'),
      ],
    },
  ),
});

export type Service = RowOf<typeof service>;

function protocolError(protocol: string): string | undefined {
  return ['http', 'https'].includes(protocol) ? undefined : `protocol '${protocol}' is not supported: upstreams are http or https`;
}

// Bun's TLS has no bound on the length of a chain: a depth that is taken must be one that is kept.
function verifyDepthError(): string {
  return 'a depth of verification is not supported: leave it null';
}

/** What is left of a URL without query, fragment and user: Kong takes those off in silence, so do we. */
const URL_PARTS = /^(?:([A-Za-z0-9][A-Za-z0-9+.-]*):)?(?:\/\/([^/?#]*))?([^?#;]*)/;

/** `https://host:8443/path` as the four fields it stands for. Each is checked as if it had been written by itself. */
function fromUrl(url: string | null): Readonly<Record<string, unknown>> {
  if (url === null) return {};
  const [, scheme, authority = '', path = ''] = URL_PARTS.exec(url) ?? [];
  const [, host = '', digits] = /^(.*?)(?::([^:\]]*))?$/.exec(authority.replace(/^[^@]*@/, '')) ?? [];
  const port = digits !== undefined && /^\d+$/.test(digits) ? Number(digits) : digits;
  const protocol = scheme ?? (port === 443 ? 'https' : 'http');
  return {
    protocol,
    host: withoutBrackets(host) || null,
    port: port ?? (protocol === 'https' ? 443 : 80),
    path: path || null,
  };
}
