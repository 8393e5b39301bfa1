import { isLocalOrigin } from './access.ts';

/**
 * What a browser is told of pages that are not from here. With `admin_gui_url`, pages of those origins may read answers and send
 * credentials. Without, whoever gets past the guard may read, but credentials that a browser adds of itself, such as those of a
 * proxy in front, are for pages of this machine only.
 * Source: `cors_filter` of kong/api/api_helpers.lua of Kong 3.9.
 */
export function corsHeaders(guiOrigins: readonly string[], request: Request, refused: boolean): Readonly<Record<string, string>> {
  const origin = request.headers.get('origin');
  const [first] = guiOrigins;
  if (first === undefined) {
    if (origin === null || refused) return { 'Access-Control-Allow-Origin': '*' };
    return { 'Access-Control-Allow-Origin': origin, Vary: 'Origin', ...(isLocalOrigin(origin) && CREDENTIALS) };
  }
  const known = origin !== null && guiOrigins.includes(origin);
  return { 'Access-Control-Allow-Origin': known ? origin : first, Vary: 'Origin', ...CREDENTIALS };
}

const CREDENTIALS = { 'Access-Control-Allow-Credentials': 'true' };

/** The answer to a browser that asks before it sends. */
export const preflightHeaders = (methods: string, request: Request): Readonly<Record<string, string>> => ({
  Allow: methods,
  'Access-Control-Allow-Methods': methods,
  'Access-Control-Allow-Headers': request.headers.get('access-control-request-headers') ?? 'Content-Type, Authorization, Kong-Admin-Token',
});
