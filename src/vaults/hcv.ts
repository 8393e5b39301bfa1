import { ipVersion } from '../lib/ip.ts';
import { isObject, type Json, parseJson } from '../lib/json.ts';
import { node } from '../lib/node.ts';
import { boolean, type Infer, integer, record, string } from '../schema/field.ts';
import { hostError } from '../schema/typedefs.ts';
import { defineVault, keeping, type VaultHost } from './vault.ts';

const kubernetes = string({ eq: null, err: 'authentication by Kubernetes is not supported' });

const config = record(
  {
    protocol: string({ required: true, default: 'http', one_of: ['http', 'https'] }),
    host: string({ required: true, default: '127.0.0.1', custom_validator: hostError }),
    port: integer({ required: true, default: 8200, between: [1, 65535] }),
    namespace: string(),
    mount: string({ required: true, default: 'secret' }),
    kv: string({ required: true, default: 'v1', one_of: ['v1', 'v2'] }),
    auth_method: string({ required: true, default: 'token', one_of: ['token', 'approle'] }),
    token: string({ encrypted: true, referenceable: true }),
    approle_auth_path: string({ required: true, default: 'approle' }),
    approle_role_id: string(),
    approle_secret_id: string({ encrypted: true, referenceable: true }),
    approle_secret_id_file: string(),
    /** What is configured as secret id is a token that can be exchanged for it, once. */
    approle_response_wrapping: boolean({ required: true, default: false }),
    // Dumps of Kong Enterprise write these out.
    kube_role: kubernetes,
    kube_api_token_file: kubernetes,
    kube_auth_path: kubernetes,
    ...keeping,
  },
  {
    required: true,
    entity_checks: [
      { mutually_exclusive: ['approle_secret_id', 'approle_secret_id_file'] },
      { conditional: { if_field: 'auth_method', if_match: { eq: 'token' }, then_field: 'token', then_match: { required: true } } },
      {
        conditional: {
          if_field: 'auth_method',
          if_match: { eq: 'approle' },
          then_field: 'approle_role_id',
          then_match: { required: true },
        },
      },
      {
        conditional_at_least_one_of: {
          if_field: 'auth_method',
          if_match: { eq: 'approle' },
          then_at_least_one_of: ['approle_secret_id', 'approle_secret_id_file'],
        },
      },
    ],
  },
);

type Config = Infer<typeof config>;

/**
 * HashiCorp Vault: a secret of its key-value engine is a record, so a reference names one and a key of it.
 * https://developer.hashicorp.com/vault/api-docs/secret/kv
 */
export const hcv = defineVault({
  name: 'hcv',
  config,
  open: (config, host) => new Client(config, host),
});

/** What Vault says of a token or a policy that does not reach, and of a token that has expired. */
const DENIED = 403;

class Client {
  private readonly config: Config;
  private readonly host: VaultHost;
  private readonly origin: string;
  private token: Promise<string> | null = null;
  private secretId: string | null = null;

  constructor(config: Config, host: VaultHost) {
    this.config = config;
    this.host = host;
    this.origin = `${config.protocol}://${ipVersion(config.host) === 6 ? `[${config.host}]` : config.host}:${config.port}/v1/`;
  }

  async read(resource: string, version: number | null, signal: AbortSignal): Promise<string> {
    const { kv, auth_method } = this.config;
    if (kv === 'v1' && version !== null) throw new Error('the key-value engine v1 has no versions');
    const path = kv === 'v1' ? [this.config.mount, resource] : [this.config.mount, 'data', resource];
    const url = this.url(path, version === null ? '' : `?version=${version}`);
    const token = this.authenticate(signal);
    let answer = await this.call(url, { token: await token, signal });
    // The token of a login lives as long as Vault pleases.
    if (answer.status === DENIED && auth_method === 'approle') {
      if (this.token === token) this.token = null;
      answer = await this.call(url, { token: await this.authenticate(signal), signal });
    }
    const data = kv === 'v1' ? member(answer.body, 'data') : member(answer.body, 'data', 'data');
    if (answer.status === 404 || (answer.status === 200 && data === null)) throw new Error('HashiCorp Vault has no such secret');
    if (answer.status !== 200 || !isObject(data)) throw new Error(trouble(answer.status));
    return JSON.stringify(data);
  }

  private authenticate(signal: AbortSignal): Promise<string> {
    if (this.config.auth_method === 'token') return Promise.resolve(this.config.token ?? '');
    // Reads at the same time share one login.
    this.token ??= this.logIn(signal).catch(error => {
      this.token = null;
      throw error;
    });
    return this.token;
  }

  /** https://developer.hashicorp.com/vault/api-docs/auth/approle#login-with-approle */
  private async logIn(signal: AbortSignal): Promise<string> {
    const { approle_auth_path, approle_role_id } = this.config;
    const body = { role_id: approle_role_id, secret_id: await this.readSecretId(signal) };
    const answer = await this.call(this.url(['auth', approle_auth_path, 'login']), { body, signal });
    const token = member(answer.body, 'auth', 'client_token');
    if (answer.status === 200 && typeof token === 'string' && token !== '') return token;
    throw new Error(`the login by AppRole failed: ${trouble(answer.status)}`);
  }

  private async readSecretId(signal: AbortSignal): Promise<string> {
    if (this.secretId !== null) return this.secretId;
    const { approle_secret_id, approle_secret_id_file: file, approle_response_wrapping } = this.config;
    const configured =
      approle_secret_id ?? (await node.files.readFile(this.host.path(file ?? ''), { encoding: 'utf8', signal }).catch(unreadable)).trim();
    if (!approle_response_wrapping) return configured;
    this.secretId = await this.unwrap(configured, signal);
    return this.secretId;
  }

  /** https://developer.hashicorp.com/vault/api-docs/system/wrapping-unwrap */
  private async unwrap(token: string, signal: AbortSignal): Promise<string> {
    const { status, body } = await this.call(this.url(['sys', 'wrapping', 'unwrap']), { token, body: {}, signal });
    const secretId = member(body, 'data', 'secret_id');
    if (status === 200 && typeof secretId === 'string') return secretId;
    throw new Error(`the response wrapping token of the secret id cannot be unwrapped: ${trouble(status)}`);
  }

  /** Paths may have several segments; none of them may lead elsewhere. */
  private url(paths: readonly string[], query = ''): string {
    const segments = paths.flatMap(path => path.replace(/^\/|\/$/g, '').split('/'));
    if (segments.some(segment => segment === '' || segment === '.' || segment === '..')) {
      throw new Error('the name of a secret is a path without empty segments, . and ..');
    }
    return this.origin + segments.map(encodeURIComponent).join('/') + query;
  }

  private async call(url: string, { token, body, signal }: Call): Promise<Answer> {
    const { namespace } = this.config;
    const headers = new Headers({ 'X-Vault-Request': 'true' });
    // What `Headers` says of a value that is none would repeat it.
    if (token !== undefined && !/^[!-~]+$/.test(token)) throw new Error('the token is not one that HashiCorp Vault gives');
    if (token !== undefined) headers.set('X-Vault-Token', token);
    if (namespace !== null) headers.set('X-Vault-Namespace', namespace);
    const response = await fetch(url, {
      method: body === undefined ? 'GET' : 'POST',
      headers,
      ...(body && { body: JSON.stringify(body) }),
      // A redirect would take the token to wherever it points.
      redirect: 'manual',
      signal,
    }).catch(unreachable);
    return { status: response.status, body: parseJson(await response.text().catch(unreachable)) };
  }
}

interface Call {
  readonly token?: string;
  /** Sent by POST. */
  readonly body?: object;
  readonly signal: AbortSignal;
}

interface Answer {
  readonly status: number;
  /** Undefined when it was no JSON. */
  readonly body: Json | undefined;
}

const member = (body: Json | undefined, ...path: readonly string[]): Json | undefined =>
  path.reduce((value, name) => (isObject(value) ? value[name] : undefined), body);

/** What an answer that is of no use means. What else it says is kept back: it may repeat a secret. */
function trouble(status: number): string {
  if (status === DENIED) return 'HashiCorp Vault denies permission (403)';
  if (status === 503) return 'HashiCorp Vault is sealed or in maintenance (503)';
  if (status >= 300 && status < 400) return `HashiCorp Vault answered with a redirect (${status}), which is not followed`;
  if (status === 200) return 'HashiCorp Vault answered something that is not understood';
  return `HashiCorp Vault answered ${status}`;
}

function unreachable(error: Error & { readonly code?: string }): never {
  throw new Error(`HashiCorp Vault cannot be reached: ${error.code ?? error.message}`);
}

function unreadable(error: NodeJS.ErrnoException): never {
  throw new Error(`approle_secret_id_file cannot be read: ${error.code ?? error.message}`);
}
