import { ConfigurationError } from '../../lib/configuration-error.ts';
import type { Json, JsonObject } from '../../lib/json.ts';
import type { CredentialPlaces } from '../context.ts';
import type { Auth } from './config.ts';

/** Where clients put a key for a vendor. Unless they may, theirs stops here. */
const VENDOR_KEYS = ['authorization', 'api-key', 'x-api-key', 'x-goog-api-key'];

/** Kong's own key header, and what browsers send to every page of a site: no vendor's business. */
const OWN_KEY = 'apikey';
const NEVER_SENT = [OWN_KEY, 'cookie'];

const NOTHING = {};

/** Puts the vendor's key where the vendor looks for it, and takes the keys away that the vendor must not see: `places` are where the gateway's are. */
export interface LlmAuth {
  /** Lower-case names; changed in place. */
  headers(headers: Record<string, string>, places: readonly CredentialPlaces[]): void;
  /** `query`: the client's, with its `?`, or empty. */
  url(url: string, query: string, places: readonly CredentialPlaces[]): string;
  /** Members to add to the body. */
  members(body: JsonObject): Readonly<Record<string, Json>>;
  /** It is a member of the body. */
  readonly inBody: boolean;
  /** What no answer may show. */
  readonly secrets: readonly string[];
}

export function compileAuth(auth: Auth): LlmAuth {
  const { header_name = null, header_value = null, param_name = null, param_value = null, param_location } = auth ?? {};
  const override = auth?.allow_override === true;
  const headerName = header_name?.toLowerCase() ?? null;
  const inQuery = param_location === 'query' ? param_name : null;
  const inBody = param_location === 'body' ? param_name : null;
  if (headerName !== null && header_value !== null) checkHeader(headerName, header_value);
  const refused = override || (headerName === null && param_name === null) ? NEVER_SENT : [...NEVER_SENT, ...VENDOR_KEYS];

  return {
    headers(headers, places) {
      for (const place of places) for (const name of place.headers) if (name in headers) delete headers[name];
      for (const name of refused) if (name in headers) delete headers[name];
      if (headerName !== null && header_value !== null && !(override && headerName in headers)) headers[headerName] = header_value;
    },

    url(url, query, places) {
      if (query === '' && inQuery === null) return url;
      const target = new URL(url);
      const clients = new URLSearchParams(query);
      for (const { parameters } of places) for (const name of parameters) clients.delete(name);
      const configured = new Set([...target.searchParams.keys(), OWN_KEY]);
      if (inQuery !== null && !(override && clients.has(inQuery))) {
        target.searchParams.set(inQuery, param_value ?? '');
        configured.add(inQuery);
      }
      for (const [name, value] of clients) if (!configured.has(name)) target.searchParams.append(name, value);
      return target.href;
    },

    members(body) {
      return inBody === null || (override && inBody in body) ? NOTHING : { [inBody]: param_value };
    },

    inBody: inBody !== null,

    secrets: [header_value, header_value?.replace(/^\S+\s+/, ''), param_value].filter(
      secret => secret != null && secret.length > 3,
    ) as string[],
  };
}

function checkHeader(name: string, value: string) {
  try {
    new Headers([[name, value]]);
  } catch {
    throw new ConfigurationError('no HTTP header can have this name and value', 'auth.header_name');
  }
}
