import type { Options } from './provider.ts';

/**
 * Where an operation is called: `upstream_url` replaces the whole URL, so that one without a path means `/`;
 * else the vendor's own, such as `https://api.openai.com` and `/v1/chat/completions`.
 */
export function operationUrl({ upstream_url, upstream_path }: Options, origin: string, path: string): string {
  return new URL(upstream_url ?? upstream_path ?? path, upstream_url == null ? origin : undefined).href;
}
