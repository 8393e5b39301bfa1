import { isHeaderName } from '../../lib/header-syntax.ts';
import { parseArguments } from '../../lib/query.ts';
import type { Context } from '../context.ts';

/** Of a body that is part of the key, in bytes. */
const LARGEST_REQUEST = 1024 * 1024;
/** Of those that vary, the keys whose headers are remembered. */
const MOST_VARYING = 10_000;

export interface CacheKeys {
  /** Null: the request is like no other. */
  of(context: Context): string | null | Promise<string | null>;
  /** The key under which an answer is kept that says by what it varies. Requests to come are then told apart by that. */
  variant(key: string, context: Context, vary: string | null): string;
  varyBy(header: string): boolean;
}

interface Config {
  readonly vary_query_params: readonly string[] | null;
  readonly vary_headers: readonly string[] | null;
  readonly ignore_uri_case: boolean | null;
}

/**
 * Two requests have one key when their answers may be exchanged: same consumer, route, method, path, arguments and headers of the
 * configuration, as in Kong, and here also the same body, the same place to come back to, and the same headers of those that the
 * upstream says its answer varies by.
 */
export function compileCacheKeys({ vary_query_params, vary_headers, ignore_uri_case }: Config): CacheKeys {
  const params = vary_query_params?.length ? vary_query_params : null;
  const named = (vary_headers ?? []).filter(isHeaderName).map(name => name.toLowerCase());
  const varying = new Map<string, readonly string[]>();

  return {
    of(context) {
      const { request, body } = context;
      const length = request.headers.get('content-length');
      // Over HTTP/2 a body need not say anything of its length.
      if (length === null) return request.headers.has('transfer-encoding') || request.body !== null ? null : keyOf(context, null);
      if (length === '0') return keyOf(context, null);
      return Number(length) > LARGEST_REQUEST ? null : body.bytes(LARGEST_REQUEST).then(bytes => keyOf(context, sha256(bytes)));
    },

    variant(key, context, vary) {
      const names = namesIn(vary).filter(name => !named.includes(name));
      const plain = plainKeys.get(context) ?? key;
      if (names.length === 0) {
        varying.delete(plain);
        return plain;
      }
      if (varying.size >= MOST_VARYING) for (const oldest of varying.keys()) if (varying.delete(oldest)) break;
      varying.set(plain, names);
      return variantOf(plain, names, context);
    },

    varyBy: header => named.includes(header),
  };

  function keyOf(context: Context, bodyDigest: string | null): string {
    const { consumer, route, method, path, query, request, upstream } = context;
    const args = parseArguments(query.slice(1));
    const names = params ?? Object.keys(args).sort();
    const plain = sha256(
      JSON.stringify([
        consumer?.id,
        route?.id ?? 'default',
        method,
        PLACE.map(name => upstream.headers[name]),
        ignore_uri_case ? path.toLowerCase() : path,
        names.map(name => [name, [args[name] ?? null].flat().sort()]),
        named.map(name => request.headers.get(name)),
        bodyDigest,
      ]),
    );
    const varied = varying.get(plain);
    if (varied === undefined) return plain;
    plainKeys.set(context, plain);
    return variantOf(plain, varied, context);
  }
}

/** By what the upstream is told of where its client is, it makes links and redirects. */
const PLACE = ['host', 'x-forwarded-host', 'x-forwarded-proto', 'x-forwarded-port'];

/** Of requests under way whose key is that of a variant. */
const plainKeys = new WeakMap<Context, string>();

const variantOf = (plain: string, names: readonly string[], { request }: Context) =>
  sha256(JSON.stringify([plain, names.map(name => [name, request.headers.get(name)])]));

function namesIn(vary: string | null): string[] {
  const names = (vary ?? '').split(',').map(name => name.trim().toLowerCase());
  return [...new Set(names)].filter(isHeaderName).sort();
}

const sha256 = (content: string | Uint8Array) => new Bun.CryptoHasher('sha256').update(content).digest('hex');
