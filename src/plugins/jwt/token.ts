import { isObject, type JsonObject, parseJson } from '../../lib/json.ts';
import { parseArguments } from '../../lib/query.ts';
import type { Context } from '../context.ts';
import { ALGORITHMS, type Algorithm } from './algorithms.ts';

/** A JSON Web Token, nothing of it proved yet. */
export interface Token {
  readonly algorithm: Algorithm;
  readonly header: JsonObject;
  readonly claims: JsonObject;
  /** What is signed. */
  readonly text: string;
  readonly signature: Buffer;
}

/** In Kong's words, what is wrong with one that cannot be read. Source: kong/plugins/jwt/jwt_parser.lua of Kong 3.9. */
export function parseToken(text: string): Token | string {
  const [head = '', claimed = '', ...rest] = text.split('.');
  const header = jsonIn(head);
  const claims = jsonIn(claimed);
  if (rest.length === 0 || header === undefined || claims === undefined) return 'invalid JSON';
  const { alg } = isObject(header) ? header : {};
  const algorithm = ALGORITHMS.find(known => known === alg);
  if (algorithm === undefined || !isObject(header)) return 'invalid alg';
  if (!isObject(claims)) return 'invalid claims';
  const signature = bytesIn(rest.join('.'));
  if (signature === undefined) return 'invalid signature';
  return { algorithm, header, claims, text: `${head}.${claimed}`, signature };
}

function jsonIn(encoded: string) {
  const bytes = bytesIn(encoded);
  return bytes && parseJson(bytes.toString());
}

/** Strictly: Buffer passes over what is no base64, and one token could be written in many ways. */
function bytesIn(encoded: string): Buffer | undefined {
  return /^[\w-]*$/.test(encoded) ? Buffer.from(encoded, 'base64url') : undefined;
}

/** Where a client may put its token. */
export interface TokenPlaces {
  readonly parameters: readonly string[];
  readonly cookies: readonly string[];
  /** Lower-case names. */
  readonly headers: readonly string[];
}

/** All different tokens that the request brings. */
export function tokensIn({ request, query }: Context, { parameters, cookies, headers }: TokenPlaces): ReadonlySet<string> {
  const found = new Set<string>();
  if (query !== '' && parameters.length > 0) {
    const given = parseArguments(query.slice(1));
    for (const name of parameters) for (const value of [given[name] ?? []].flat()) if (value !== true && value !== '') found.add(value);
  }
  const cookie = cookies.length > 0 ? request.headers.get('cookie') : null;
  if (cookie !== null) for (const value of cookieValues(cookie, cookies)) found.add(value);
  for (const name of headers) {
    const token = /^\s*bearer\s+(.+)$/i.exec(request.headers.get(name) ?? '')?.[1];
    if (token !== undefined) found.add(token);
  }
  return found;
}

function cookieValues(header: string, names: readonly string[]): string[] {
  return header.split(';').flatMap(pair => {
    const at = pair.indexOf('=');
    const value = pair.slice(at + 1).trim();
    return at !== -1 && value !== '' && names.includes(pair.slice(0, at).trim()) ? [value] : [];
  });
}
