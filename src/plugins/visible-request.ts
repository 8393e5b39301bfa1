import { changeParameters } from '../lib/query.ts';
import type { Context, CredentialPlaces } from './context.ts';
import type { HeaderValues } from './request-measures.ts';

// What may be shown of a request: nothing by which a client, or the gateway itself, proves who it is.

/** What stands in the place of a secret, in Kong's word. */
export const REDACTED = 'REDACTED';

/** Kong hides the first two. The others are where clients of AI vendors put their keys. */
const SECRET_HEADERS = ['authorization', 'proxy-authorization', 'x-api-key', 'api-key', 'apikey', 'x-goog-api-key'];

/** Path and query as the client sent them, without what it proves its identity by. */
export const visibleUri = ({ path, query, credentialPlaces }: Context): string => path + visibleQuery(query, credentialPlaces);

/** Without what clients prove their identity by. */
export function visibleQuery(query: string, places: readonly CredentialPlaces[]): string {
  if (query === '' || places.length === 0) return query;
  const isSecret = (name: string) => places.some(({ parameters }) => parameters.includes(name));
  return changeParameters(query, (name, pair) => (isSecret(name) ? `${pair.split('=', 1)[0]}=${REDACTED}` : pair));
}

export function visibleHeaders(headers: HeaderValues, places: readonly CredentialPlaces[]): HeaderValues {
  const visible = { ...headers };
  for (const place of places) redact(visible, place.headers);
  redact(visible, SECRET_HEADERS);
  return visible;
}

function redact(headers: Record<string, string | readonly string[]>, names: readonly string[]): void {
  for (const name of names) if (name in headers) headers[name] = REDACTED;
}
