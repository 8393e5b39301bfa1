import { CERTIFICATE_FILE, KEY_FILE } from './upstream.ts';

/** As much of HashiCorp Vault as reads secrets: the key-value engines v1 at `secret` and v2 at `kv/team`, tokens, AppRole, wrapping. */
export function startHashicorpVault({ tls = false } = {}) {
  /** By path; of the engine v2 the last version is the current one. */
  const first = new Map<string, object>();
  const second = new Map<string, readonly (object | null)[]>();
  const tokens = new Set(['root']);
  const wrapped = new Map<string, string>();
  const requests: string[] = [];
  const state = {
    secretId: 'secret-id',
    /** Requests without this namespace find nothing. */
    namespace: null as string | null,
    /** Answers in place of Vault. */
    instead: null as ((request: Request) => Response | Promise<Response>) | null,
  };
  let logins = 0;

  const errors = (status: number, ...messages: string[]) => Response.json({ errors: messages }, { status });
  const logIn = async (request: Request) => {
    const { role_id, secret_id } = (await request.json()) as Record<string, string>;
    if (role_id !== 'role-id' || secret_id !== state.secretId) return errors(400, 'invalid role or secret ID');
    const token = `login-${++logins}`;
    tokens.add(token);
    return Response.json({ auth: { client_token: token, lease_duration: 60 } });
  };
  const unwrap = (request: Request) => {
    const token = request.headers.get('x-vault-token') ?? '';
    const secretId = wrapped.get(token);
    wrapped.delete(token);
    return secretId === undefined
      ? errors(400, 'wrapping token is not valid or does not exist')
      : Response.json({ data: { secret_id: secretId } });
  };
  const read = (url: URL) => {
    const path = decodeURIComponent(url.pathname);
    if (path.startsWith('/v1/secret/')) {
      const data = first.get(path.slice('/v1/secret/'.length));
      return data ? Response.json({ data, lease_duration: 2764800 }) : errors(404);
    }
    const versions = path.startsWith('/v1/kv/team/data/') ? second.get(path.slice('/v1/kv/team/data/'.length)) : undefined;
    const version = Number(url.searchParams.get('version') ?? versions?.length);
    const data = versions?.[version - 1];
    if (data === null) return Response.json({ data: { data: null, metadata: { version, destroyed: true } } }, { status: 404 });
    return data ? Response.json({ data: { data, metadata: { version } } }) : errors(404);
  };

  const server = Bun.serve({
    hostname: '127.0.0.1',
    port: 0,
    ...(tls && { tls: { cert: Bun.file(CERTIFICATE_FILE), key: Bun.file(KEY_FILE) } }),
    fetch(request) {
      const url = new URL(request.url);
      requests.push(`${request.method} ${url.pathname}${url.search}`);
      if (state.instead) return state.instead(request);
      if (request.headers.get('x-vault-namespace') !== state.namespace) return errors(404);
      if (url.pathname === '/v1/auth/approle/login' || url.pathname === '/v1/auth/teams/approle/login') return logIn(request);
      if (url.pathname === '/v1/sys/wrapping/unwrap') return unwrap(request);
      return tokens.has(request.headers.get('x-vault-token') ?? '') ? read(url) : errors(403, 'permission denied');
    },
  });
  return {
    ...{ first, second, tokens, wrapped, requests, state },
    port: server.port as number,
    /** Of a vault that points here. */
    config: { protocol: tls ? 'https' : 'http', host: tls ? 'localhost' : '127.0.0.1', port: server.port as number },
    stop: () => server.stop(true),
  };
}

export type HashicorpVault = ReturnType<typeof startHashicorpVault>;
