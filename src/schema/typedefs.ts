import { isIpOrCidr, parseHost } from '../lib/host.ts';
import { integer, set, string } from './field.ts';

// The fields that Kong's schemas share, under Kong's names and with Kong's messages. Source: kong/db/schema/typedefs.lua of Kong 3.9.

export const PROTOCOLS = ['grpc', 'grpcs', 'http', 'https', 'tcp', 'tls', 'tls_passthrough', 'udp'] as const;

/** What plugins take when they say nothing else: all that is HTTP below. */
export const HTTP_PROTOCOLS = ['grpc', 'grpcs', 'http', 'https'] as const;

export const uuid = string({ uuid: true, auto: true });
export const timestamp = integer({ timestamp: true, auto: true });
export const port = integer({ between: [0, 65535] });
export const protocol = string({ one_of: PROTOCOLS });
export const httpMethod = string({ match: '^%u+$' });

export const utf8Name = string({ unique: true, custom_validator: nameError });
export const tags = set(string({ required: true, custom_validator: tagError }));
export const headerName = string({ custom_validator: headerNameError });
export const ipOrCidr = string({
  custom_validator: (value: string) => (isIpOrCidr(value) ? undefined : `invalid ip or cidr range: '${value}'`),
});
export const sni = string({ custom_validator: sniError });

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
