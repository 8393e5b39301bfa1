import { ConfigurationError } from '../../lib/configuration-error.ts';
import { isObject, type Json, type JsonObject, parseJson } from '../../lib/json.ts';
import { node } from '../../lib/node.ts';
import { RequestFailure } from '../../lib/request-failure.ts';
import type { Credentials } from '../provider.ts';

/** Who the gateway is to Google, in Kong's words; what is not given is looked for where Google's own libraries look. */
export interface GoogleIdentity {
  /** A key of a service account, or the configuration of a workload identity federation. */
  readonly gcp_service_account_json?: string | null;
  /** The metadata server's, or the whole URL where it gives tokens. */
  readonly gcp_metadata_url?: string | null;
  readonly gcp_oauth_token_url?: string | null;
}

interface Token {
  readonly value: string;
  /** Milliseconds since 1970. */
  readonly expiresAt: number;
}

const SCOPE = 'https://www.googleapis.com/auth/cloud-platform';
const TOKEN_URL = 'https://oauth2.googleapis.com/token';
const METADATA_SERVER = 'http://metadata.google.internal';
const METADATA_PATH = '/computeMetadata/v1/instance/service-accounts/default/token';

/**
 * The metadata server keeps a token of its own until five minutes before its end; asked earlier, it would give the old one.
 * https://cloud.google.com/compute/docs/access/authenticate-workloads#applications
 */
const RENEWED_BEFORE = 4 * 60_000;
const LONGEST_WAIT = 10_000;

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * OAuth tokens of Google's: from the JSON that the configuration, GCP_SERVICE_ACCOUNT or the file GOOGLE_APPLICATION_CREDENTIALS
 * holds, else from the metadata server, which also speaks for workload identities on GKE.
 * Throws a ConfigurationError for JSON that is no identity, and for URLs that are none.
 */
export function googleCredentials(identity: GoogleIdentity, environment: Environment = process.env, now = Date.now): Credentials {
  const given = identityJson(identity, environment);
  for (const name of ['gcp_metadata_url', 'gcp_oauth_token_url'] as const) {
    if (identity[name] != null && !URL.canParse(identity[name])) throw new ConfigurationError('this is no URL', `auth.${name}`);
  }
  let token: Token | null = null;
  let fetching: Promise<Token> | null = null;

  return {
    async sign({ headers }) {
      const { value } = await validToken();
      Object.assign(headers, { authorization: `Bearer ${value}` });
      // A client's key of its own would speak for somebody else.
      delete headers['x-goog-api-key'];
    },
    secrets: () => (token === null ? [] : [token.value]),
  };

  async function validToken(): Promise<Token> {
    if (token !== null && token.expiresAt - RENEWED_BEFORE > now()) return token;
    fetching ??= fetchToken().finally(() => {
      fetching = null;
    });
    try {
      token = await fetching;
      return token;
    } catch (error) {
      // Google may be back before the old token's end.
      if (token !== null && token.expiresAt > now()) return token;
      throw error;
    }
  }

  async function fetchToken(): Promise<Token> {
    const { GOOGLE_APPLICATION_CREDENTIALS: path, GCE_METADATA_HOST: host } = environment;
    const json = given ?? (await readFile(path));
    if (json !== null) return exchangedToken(json, identity.gcp_oauth_token_url ?? TOKEN_URL, now);
    return metadataToken(identity.gcp_metadata_url ?? (host ? `http://${host}` : METADATA_SERVER), now);
  }
}

function identityJson({ gcp_service_account_json: configured }: GoogleIdentity, { GCP_SERVICE_ACCOUNT: inherited }: Environment) {
  const text = configured || inherited;
  if (!text) return null;
  const field = configured ? 'auth.gcp_service_account_json' : 'auth.gcp_use_service_account';
  const source = configured ? 'this' : 'GCP_SERVICE_ACCOUNT in the environment';
  const json = parseJson(text);
  if (!isObject(json)) throw new ConfigurationError(`${source} is not the JSON of a service account`, field);
  const { type, client_email: email, private_key: key } = json;
  if (type !== undefined && type !== 'service_account') return json;
  if (typeof email !== 'string' || typeof key !== 'string') {
    throw new ConfigurationError(`${source} has no 'client_email' and 'private_key'`, field);
  }
  try {
    node.crypto.createPrivateKey(key);
  } catch {
    throw new ConfigurationError(`the 'private_key' of ${source} is none`, field);
  }
  return json;
}

/** Read anew for each token: who rotates the file need not tell the gateway. */
async function readFile(path: string | undefined): Promise<JsonObject | null> {
  if (!path) return null;
  const text = await Bun.file(path)
    .text()
    .catch(() => '');
  const json = parseJson(text);
  if (!isObject(json)) throw noToken('the file GOOGLE_APPLICATION_CREDENTIALS cannot be read as JSON');
  return json;
}

/** By Google's library: a signed assertion, a federated identity or an impersonation, whatever the JSON says it is. */
async function exchangedToken(json: JsonObject, tokenUrl: string, now: () => number): Promise<Token> {
  const { GoogleAuth } = await import('google-auth-library');
  // Bun's own fetch honours the gateway's proxies and CAs; the library knows no other place for its token endpoint.
  const fetchImplementation = (url: string | URL | Request, init?: RequestInit) => fetch(String(url) === TOKEN_URL ? tokenUrl : url, init);
  const options = {
    transporterOptions: { fetchImplementation: fetchImplementation as typeof fetch, timeout: LONGEST_WAIT },
    additionalClaims: { aud: tokenUrl },
  };
  try {
    const client = new GoogleAuth({ scopes: SCOPE }).fromJSON(json as object, options);
    const { token } = await client.getAccessToken();
    if (!token) throw new Error('no token in the answer');
    return { value: token, expiresAt: client.credentials.expiry_date ?? now() + RENEWED_BEFORE };
  } catch (error) {
    throw noToken(reasonOf(error));
  }
}

/** What of an error may be shown: the library's messages may hold what was sent. */
function reasonOf(error: unknown): string {
  const { response } = error as { response?: { status?: number; data?: Json } };
  if (response === undefined) return 'the token endpoint gave no answer';
  const { error: code } = isObject(response.data) ? response.data : {};
  return typeof code === 'string' && /^\w{1,40}$/.test(code) ? code : `the token endpoint answered with status ${response.status}`;
}

/** https://cloud.google.com/compute/docs/metadata/overview and https://cloud.google.com/kubernetes-engine/docs/concepts/workload-identity */
async function metadataToken(server: string, now: () => number): Promise<Token> {
  const url = new URL(server);
  if (url.pathname === '/') url.pathname = METADATA_PATH;

  const response = await fetch(url, { headers: { 'metadata-flavor': 'Google' }, signal: AbortSignal.timeout(LONGEST_WAIT) }).catch(
    () => null,
  );
  if (response === null) throw noToken('the metadata server gave no answer');
  const body = parseJson(await response.text().catch(() => ''));
  const { access_token: value, expires_in: seconds } = isObject(body) ? body : {};
  if (!response.ok || typeof value !== 'string' || typeof seconds !== 'number') {
    throw noToken(`the metadata server answered with status ${response.status}`);
  }
  return { value, expiresAt: now() + seconds * 1000 };
}

const noToken = (reason: string) => new RequestFailure(502, `there is no access token of Google's to be had: ${reason}`);
