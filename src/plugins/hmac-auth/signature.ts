import { isHeaderName } from '../../lib/header-syntax.ts';
import { node } from '../../lib/node.ts';
import { isSameSecret } from '../../lib/same-secret.ts';
import type { Context } from '../context.ts';

export const ALGORITHMS = ['hmac-sha1', 'hmac-sha256', 'hmac-sha384', 'hmac-sha512'] as const;

/** What an Authorization header says of how the request is signed. */
export interface Signature {
  readonly username: string;
  readonly algorithm: string;
  /** What is signed, in this order. */
  readonly headers: readonly string[];
  /** In base64. */
  readonly value: string;
}

const PARAMETERS = /^\s*hmac\s*username="([^"]+)",\s*algorithm="([^"]+)",\s*headers="([^"]+)",\s*signature="([^"]+)"/i;

export function parseSignature(header: string): Signature | null {
  const [, username, algorithm, headers, value] = PARAMETERS.exec(header) ?? [];
  if (username === undefined || algorithm === undefined || headers === undefined || value === undefined) return null;
  return { username, algorithm, headers: headers.split(' '), value };
}

/** Bun does not tell which version of HTTP a request came in, and that is part of its first line. */
const VERSIONS = ['1.1', '2.0', '1.0'];

export function isSignedBy(secret: string, signature: Signature, context: Context): boolean {
  const given = Buffer.from(signature.value, 'base64');
  const versions = signature.headers.includes('request-line') ? VERSIONS : VERSIONS.slice(0, 1);
  return versions.some(version => isSameSecret(given, digestOf(secret, signature, context, version)));
}

function digestOf(secret: string, { algorithm, headers }: Signature, context: Context, version: string): Buffer {
  const lines = headers.map(name => signedLine(name, context, version));
  return node.crypto.createHmac(algorithm.slice('hmac-'.length), secret).update(lines.join('\n'), 'latin1').digest();
}

/** A header that is not there is signed as one without a value. */
function signedLine(name: string, { request, method, path, query }: Context, version: string): string {
  const value = isHeaderName(name) ? request.headers.get(name) : null;
  if (value !== null) return `${name}: ${value}`;
  if (name === '@request-target') return `${name}: ${method.toLowerCase()} ${path}${query}`;
  return name === 'request-line' ? `${method} ${path}${query} HTTP/${version}` : `${name}:`;
}
