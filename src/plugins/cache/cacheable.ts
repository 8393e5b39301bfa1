import { type Directives, freshSeconds, parseCacheControl } from '../../lib/cache-control.ts';
import { ConfigurationError } from '../../lib/configuration-error.ts';
import { includes, parseMediaType } from '../../lib/media-type.ts';
import type { Context } from '../context.ts';
import { isBodyless } from '../response-body.ts';
import type { CacheKeys } from './cache-key.ts';

// What the rules of HTTP, and of the configuration, let a cache keep and give again.

interface Config {
  readonly response_code: readonly number[];
  readonly content_type: readonly string[];
  readonly cache_control: boolean;
}

interface Kept {
  /** Seconds since 1970, and from then. */
  readonly timestamp: number;
  readonly ttl: number;
}

/**
 * A request that must reach the upstream. One with credentials that no plugin knows is its client's alone: Kong would give
 * what it is answered to everybody.
 */
export function isUncacheable(context: Context, keys: CacheKeys, directives: Directives | null): boolean {
  const { headers } = context.request;
  if (headers.has('upgrade')) return true;
  if (!headers.has('authorization')) return directives !== null && (directives.has('no-store') || directives.has('no-cache'));
  return directives !== null || !(isAuthorizedHere(context) || keys.varyBy('authorization'));
}

/** `Authorization` says who the consumer is, and not who one of its users is. */
const isAuthorizedHere = ({ request, credential, credentialPlaces }: Context) =>
  credential !== null &&
  !request.headers.has('proxy-authorization') &&
  credentialPlaces.every(({ headers }) => headers.includes('authorization'));

/** Whether an answer that was kept may be given once more. `now` is in seconds since 1970. */
export function isFresh({ timestamp, ttl }: Kept, now: number, cacheTtl: number, directives: Directives | null): boolean {
  const age = now - timestamp;
  if (directives === null) return age <= cacheTtl;
  const maxAge = directives.get('max-age');
  const maxStale = directives.get('max-stale') ?? 0;
  const minFresh = directives.get('min-fresh');
  if (typeof maxAge === 'number' && age > maxAge) return false;
  if (typeof maxStale === 'number' && age - ttl > maxStale) return false;
  return typeof minFresh !== 'number' || ttl - age >= minFresh;
}

/** Whether an answer may be kept. Throws a ConfigurationError for what no answer to keep can have. */
export function compileCacheable({
  response_code,
  content_type,
  cache_control,
}: Config): (context: Context, response: Response) => boolean {
  if (response_code.includes(206) || response_code.includes(304))
    throw new ConfigurationError('206 and 304 answer one request alone, and are not kept', 'response_code');
  const statuses = new Set(response_code);
  const ranges = content_type.map(text => {
    const range = parseMediaType(text);
    if (range === null) throw new ConfigurationError(`'${text}' is no content type`, 'content_type');
    return range;
  });

  return ({ outcome, method }, { status, headers }) => {
    if (outcome.source !== 'upstream' || !statuses.has(status)) return false;
    // The end of a body without a length or chunks cannot be told from a reset.
    if (outcome.unframed && method !== 'HEAD' && !isBodyless(status)) return false;
    const type = parseMediaType(headers.get('content-type') ?? '');
    if (type === null || !ranges.some(range => includes(range, type))) return false;
    // A cookie is its client's alone.
    if (headers.has('set-cookie') || headers.get('vary')?.includes('*')) return false;
    if (!cache_control) return true;
    const directives = parseCacheControl(headers.get('cache-control'));
    if (directives.has('private') || directives.has('no-store') || directives.has('no-cache')) return false;
    return freshSeconds(directives, headers.get('expires')) > 0;
  };
}
