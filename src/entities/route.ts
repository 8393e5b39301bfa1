import { parseHost } from '../lib/host.ts';
import { normalizePath } from '../lib/path-normalization.ts';
import { compilePcre } from '../lib/regex.ts';
import type { Subschema } from '../schema/field.ts';
import { array, boolean, foreign, integer, map, narrow, record, set, string } from '../schema/field.ts';
import {
  escapeError,
  headerName,
  httpMethod,
  ipOrCidr,
  PROTOCOLS,
  port,
  protocol,
  sni,
  tags,
  timestamp,
  utf8Name,
  uuid,
} from '../schema/typedefs.ts';
import { defineEntity, type RowOf } from './entity.ts';

const addresses = set(record({ ip: ipOrCidr, port }, { entity_checks: [{ at_least_one_of: ['ip', 'port'] }] }));

const hosts = array(
  string({
    match_all: [{ pattern: '^[^*]*%*?[^*]*$', err: 'invalid wildcard: must have at most one wildcard' }],
    match_any: {
      patterns: ['^%*%.', '%.%*$', '^[^*]*$'],
      err: 'invalid wildcard: must be placed at leftmost or rightmost label',
    },
    custom_validator: hostPatternError,
  }),
);

const paths = array(
  string({
    match_any: { patterns: ['^/', '^~/'], err: 'should start with: / (fixed path) or ~/ (regex path)' },
    match_none: [{ pattern: '//', err: 'must not have empty segments' }],
    custom_validator: routePathError,
  }),
);

/** Which requests go where. */
export const route = defineEntity({
  name: 'routes',
  endpointKey: 'name',
  schema: record(
    {
      id: uuid,
      created_at: timestamp,
      updated_at: timestamp,
      name: utf8Name,
      protocols: set(protocol, {
        required: true,
        len_min: 1,
        mutually_exclusive_subsets: [['http', 'https'], ['tcp', 'tls', 'udp'], ['tls_passthrough'], ['grpc', 'grpcs']],
        default: ['http', 'https'],
      }),
      https_redirect_status_code: integer({ required: true, default: 426, one_of: [426, 301, 302, 307, 308] }),
      strip_path: boolean({ required: true, default: true }),
      preserve_host: boolean({ required: true, default: false }),
      // Bodies stream through both ways whatever these say, unless a plugin reads one: `true`, Kong's default, asks for no
      // more than that what a client sees is the same, and it is.
      request_buffering: boolean({ required: true, default: true }),
      response_buffering: boolean({ required: true, default: true }),
      tags,
      service: foreign('services'),
      snis: set(sni),
      sources: addresses,
      destinations: addresses,
      methods: set(httpMethod),
      hosts,
      paths,
      headers: map(
        narrow(headerName, {
          match_none: [
            { pattern: '^[Hh][Oo][Ss][Tt]$', err: "cannot contain 'host' header, which must be specified in the 'hosts' attribute" },
          ],
        }),
        array(string()),
      ),
      regex_priority: integer({ default: 0 }),
      path_handling: string({ default: 'v0', one_of: ['v0', 'v1'] }),
    },
    {
      required: true,
      subschema: byProtocol(),
      entity_checks: [
        {
          conditional: {
            if_field: 'protocols',
            if_match: { elements: { type: 'string', not_one_of: ['grpcs', 'https', 'tls', 'tls_passthrough'] } },
            then_field: 'snis',
            then_match: { len_eq: 0 },
            then_err: "'snis' can only be set when 'protocols' is 'grpcs', 'https', 'tls' or 'tls_passthrough'",
          },
        },
      ],
    },
  ),
});

export type Route = RowOf<typeof route>;

/** Kong's subschema of HTTP routes; it has others for gRPC and for streams, which are not proxied here. */
function byProtocol(): Subschema {
  const refused = (name: string) => narrow(addresses, { eq: null, err: `cannot set '${name}' when 'protocols' is 'http' or 'https'` });
  const http = record(
    { sources: refused('sources'), destinations: refused('destinations') },
    {
      entity_checks: [
        {
          conditional_at_least_one_of: {
            if_field: 'protocols',
            if_match: { contains: 'https' },
            then_at_least_one_of: ['methods', 'hosts', 'headers', 'paths', 'snis'],
            then_err: "must set one of %s when 'protocols' is 'https'",
            else_match: { contains: 'http' },
            else_then_at_least_one_of: ['methods', 'hosts', 'headers', 'paths'],
            else_then_err: "must set one of %s when 'protocols' is 'http'",
          },
        },
      ],
    },
  );
  const known: readonly string[] = PROTOCOLS;
  return {
    key: 'protocols',
    of: name => (name === 'http' || name === 'https' ? http : null),
    error: name => (known.includes(name) ? `protocol '${name}' is not supported: routes are http or https` : `unknown type: ${name}`),
  };
}

/** A host with a port or without; what a wildcard stands for is a label like any other. */
function hostPatternError(host: string): string | undefined {
  const parsed = parseHost(host.replaceAll('*', 'abc'));
  return typeof parsed === 'string' ? parsed : undefined;
}

function routePathError(path: string): string | undefined {
  if (path.startsWith('~')) return patternError(path.slice(1));
  const normal = normalizePath(path);
  return escapeError(path) ?? (normal === path ? undefined : `non-normalized path, consider use '${normal}' instead`);
}

function patternError(pattern: string): string | undefined {
  try {
    compilePcre(pattern);
    return undefined;
  } catch (error) {
    return `invalid regex: '${pattern}' (PCRE returned: ${(error as Error).message})`;
  }
}
