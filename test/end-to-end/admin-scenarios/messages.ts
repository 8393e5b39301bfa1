// Messages of Kong about fields. Source: kong/db/schema/init.lua and kong/db/schema/typedefs.lua of Kong 3.9.

export const PROTOCOLS = 'expected one of: grpc, grpcs, http, https, tcp, tls, tls_passthrough, udp';

export const between = (from: number, to: number): string => `value should be between ${from} and ${to}`;

export const invalidName = (name: string): string =>
  `invalid value '${name}': the only accepted ascii characters are alphanumerics or ., -, _, and ~`;

export const invalidTag = (tag: string): string =>
  `invalid tag '${tag}': expected printable ascii (except \`,\` and \`/\`) or valid utf-8 sequences`;
