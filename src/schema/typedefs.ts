import { isIpOrCidr, parseHost } from '../lib/host.ts';
import { foreign, integer, number, set, string } from './field.ts';

// The fields that Kong's schemas share, under Kong's names and with Kong's messages. Source: kong/db/schema/typedefs.lua of Kong 3.9.

export const PROTOCOLS = ['grpc', 'grpcs', 'http', 'https', 'tcp', 'tls', 'tls_passthrough', 'udp'] as const;

/** What plugins take when they say nothing else: all that is HTTP below. */
export const HTTP_PROTOCOLS = ['grpc', 'grpcs', 'http', 'https'] as const;

export const uuid = string({ uuid: true, auto: true });
export const timestamp = integer({ timestamp: true, auto: true });
/** Seconds with their fractions. */
export const preciseTimestamp = number({ timestamp: true, auto: true });
export const port = integer({ between: [0, 65535] });
export const protocol = string({ one_of: PROTOCOLS });
export const protocols = set(protocol, { required: true, default: HTTP_PROTOCOLS });
/** Of plugins that serve HTTP alone. */
export const protocolsHttp = set(string({ one_of: HTTP_PROTOCOLS }), { required: true, default: HTTP_PROTOCOLS });
export const httpMethod = string({ match: '^%u+$' });

export const utf8Name = string({ unique: true, custom_validator: nameError });
export const tag = string({ required: true, custom_validator: tagError });
export const tags = set(tag);
export const headerName = string({ custom_validator: headerNameError });
export const ipOrCidr = string({
  custom_validator: (value: string) => (isIpOrCidr(value) ? undefined : `invalid ip or cidr range: '${value}'`),
});
export const sni = string({ custom_validator: sniError });
export const wildcardHost = string({ custom_validator: wildcardHostError });
export const hostWithPort = string({ custom_validator: hostWithPortError });
/** A path that is the root when nobody says otherwise. */
export const rootPath = string({
  default: '/',
  starts_with: '/',
  match_none: [{ pattern: '//', err: 'must not have empty segments' }],
  custom_validator: pathError,
});
export const cookieName = string({ custom_validator: tokenError });

/** What plugins say that are never for one consumer or group of consumers alone. */
export const noConsumer = foreign('consumers', { eq: null });
export const noConsumerGroup = foreign('consumer_groups', { eq: null });

function nameError(name: string): string | undefined {
  if (/^[A-Za-z0-9._~\u0080-\u{10FFFF}-]+$/u.test(name)) return undefined;
  return `invalid value '${name}': the only accepted ascii characters are alphanumerics or ., -, _, and ~`;
}

/** Tags are separated by commas and slashes where they are asked for. */
function tagError(tag: string): string | undefined {
  if (/^[ !-+\-.0-~\u0080-\u{10FFFF}]+$/u.test(tag)) return undefined;
  return `invalid tag '${tag}': expected printable ascii (except \`,\` and \`/\`) or valid utf-8 sequences`;
}

function headerNameError(name: string): string | undefined {
  return /^[\w-]+$/.test(name) ? undefined : `bad header name '${name}', allowed characters are A-Z, a-z, 0-9, '_', and '-'`;
}

function hostWithPortError(host: string): string | undefined {
  const parsed = parseHost(host);
  return typeof parsed === 'string' ? parsed : undefined;
}

/** A token of HTTP, as RFC 2616 has it. */
function tokenError(token: string): string | undefined {
  if (!/[^!-~]|[()<>@,;:\\"/?={}[\]]/.test(token)) return undefined;
  return 'contains one or more invalid characters. ASCII control characters (0-31;127), space, tab and the characters ()<>@,;:\\"/?={}[] are not allowed.';
}

/** A name or an address, and no port. */
export function hostError(host: string): string | undefined {
  const parsed = parseHost(host);
  if (parsed === 'invalid port number') return 'must not have a port';
  if (typeof parsed === 'string') return `invalid value: ${host}`;
  return parsed.port === null ? undefined : 'must not have a port';
}

function sniError(host: string): string | undefined {
  const parsed = parseHost(host);
  return typeof parsed !== 'string' && parsed.kind !== 'name' ? 'must not be an IP' : hostError(host);
}

/** A name that may begin or end with one `*`. */
export function wildcardHostError(host: string): string | undefined {
  const position = host.indexOf('*');
  if (position > 0 && position < host.length - 1) return 'wildcard must be leftmost or rightmost character';
  if (position !== host.lastIndexOf('*')) return 'only one wildcard must be specified';
  return sniError(host.replace('*', 'wildcard'));
}

/** A path as RFC 3986 spells it, and its escapes whole. */
export function pathError(path: string): string | undefined {
  if (!/^\/[\w.~/%:@!$&'()*+,;=-]*$/.test(path)) {
    return `invalid path: '${path}' (characters outside of the reserved list of RFC 3986 found)`;
  }
  return escapeError(path);
}

/** A `%` that two hexadecimal digits do not follow. */
export function escapeError(path: string): string | undefined {
  const [broken] = /%(?![0-9A-Fa-f]{2}).{0,2}/.exec(path) ?? [];
  return broken === undefined ? undefined : `invalid url-encoded value: '${broken}'`;
}
