import type { Upstream } from '../entities/upstream.ts';

/** What of a request may decide which peer it goes to. */
export interface Hashable {
  readonly consumer: { readonly id: string } | null;
  readonly credential: { readonly id: string } | null;
  readonly clientIp: string;
  readonly path: string;
  /** With its `?`, or empty. */
  readonly query: string;
  readonly captures: Readonly<Record<string, string>> | null;
  readonly headers: Headers;
}

/** What equals have in common, and the cookie that a client is to keep so that it is known again. */
export interface HashInput {
  readonly value: string;
  readonly cookie: string | null;
}

/** As Kong (kong/runloop/balancer/init.lua of 3.9): where the first input is missing, the other one stands in. */
export function hashInput(upstream: Upstream, request: Hashable): HashInput {
  const value =
    inputOf(upstream.hash_on, upstream.hash_on_header, upstream.hash_on_query_arg, upstream.hash_on_uri_capture, upstream, request) ??
    (upstream.hash_on === 'cookie' ? null : fallback(upstream, request));
  if (value !== null) return { value, cookie: null };
  const wantsCookie = upstream.hash_on === 'cookie' || (upstream.hash_on !== 'none' && upstream.hash_fallback === 'cookie');
  if (!wantsCookie || upstream.hash_on_cookie === null) return { value: '', cookie: null };
  const made = crypto.randomUUID();
  return {
    value: made,
    cookie: `${upstream.hash_on_cookie}=${made}; Path=${upstream.hash_on_cookie_path ?? '/'}; Same-Site=Lax; HttpOnly`,
  };
}

function fallback(upstream: Upstream, request: Hashable): string | null {
  if (upstream.hash_on === 'none') return null;
  const { hash_fallback, hash_fallback_header, hash_fallback_query_arg, hash_fallback_uri_capture } = upstream;
  return inputOf(hash_fallback, hash_fallback_header, hash_fallback_query_arg, hash_fallback_uri_capture, upstream, request);
}

function inputOf(
  kind: Upstream['hash_on'],
  header: string | null,
  argument: string | null,
  capture: string | null,
  { hash_on_cookie }: Upstream,
  { consumer, credential, clientIp, path, query, captures, headers }: Hashable,
): string | null {
  switch (kind) {
    case 'consumer':
      return consumer?.id ?? credential?.id ?? null;
    case 'ip':
      return clientIp;
    case 'header':
      return headers.get(header ?? '');
    case 'cookie':
      return cookieIn(headers.get('cookie'), hash_on_cookie ?? '');
    case 'path':
      return path;
    case 'query_arg':
      return argumentIn(query, argument ?? '');
    case 'uri_capture':
      return captures?.[capture ?? ''] ?? null;
    default:
      return null;
  }
}

function cookieIn(header: string | null, name: string): string | null {
  for (const part of header?.split(';') ?? []) {
    const pair = part.trim();
    if (pair.startsWith(`${name}=`)) return pair.slice(name.length + 1);
  }
  return null;
}

/** Of an argument that comes several times, all values in order; one without a value is `true`. */
function argumentIn(query: string, name: string): string | null {
  if (query === '') return null;
  const values = query
    .slice(1)
    .split('&')
    .map(part => /^([^=]*)(?:=(.*))?$/s.exec(part) ?? [])
    .filter(([, key = '']) => decoded(key) === name)
    .map(([, , value]) => (value === undefined ? 'true' : decoded(value)));
  return values.length > 0 ? values.sort().join(',') : null;
}

function decoded(text: string): string {
  const spaced = text.replaceAll('+', ' ');
  try {
    return decodeURIComponent(spaced);
  } catch {
    return spaced;
  }
}
