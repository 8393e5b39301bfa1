import type { JsonObject } from '../lib/json.ts';
import type { Options, Unchanged } from './provider.ts';

/**
 * Where an operation is called: `upstream_url` replaces the whole URL, so that one without a path means `/`;
 * else the vendor's own, such as `https://api.openai.com` and `/v1/chat/completions`. A path may have a query.
 */
export function operationUrl({ upstream_url, upstream_path }: Options, origin: string, path: string): string {
  if (upstream_url != null) return new URL(upstream_url).href;
  return atOrigin(origin, upstream_path ?? path);
}

/** Any call of a vendor's API, at the path that the client asked for unless the configuration names another. */
export const preservedCalls = (options: Options, origin: string): Unchanged<JsonObject> => ({
  dialect: 'openai',
  endpoint: ({ path }) => ({ url: operationUrl(options, origin, path) }),
  streamsUsage: false,
});

/** Clients may choose the path: resolved as a reference, `//elsewhere.test` would choose the host as well. */
function atOrigin(origin: string, path: string): string {
  const url = new URL(origin);
  const mark = path.indexOf('?');
  url.pathname = mark === -1 ? path : path.slice(0, mark);
  url.search = mark === -1 ? '' : path.slice(mark);
  return url.href;
}
