import { join } from 'node:path';
import { executable, type Rig } from './rig.ts';
import { VENDORS } from './vendors.ts';

/** A gateway that is being measured: where it takes OpenAI's chats. */
export interface Gateway {
  readonly name: string;
  readonly pid: number;
  readonly port: number;
  readonly path: string;
  /** Where it answers in streams, when not at `path`. */
  readonly streamPath?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Scenarios that it does not take. */
  readonly refuses?: readonly string[];
  /** What it calls the model, when not `gpt-4`. */
  readonly model?: string;
}

/** sluice, and its Admin API. */
export interface Sluice {
  readonly pid: number;
  readonly port: number;
  /** Resolves to the body of the answer; rejects when that is no success. */
  admin(method: string, path: string, body?: object): Promise<unknown>;
}

export function freePort(): number {
  const listener = Bun.listen({ hostname: '127.0.0.1', port: 0, socket: { data() {} } });
  const { port } = listener;
  listener.stop(true);
  return port;
}

/** One request of a gateway's client, as it goes over the wire. */
export function requestTo({ port, path, headers = {} }: Gateway, body: string, at = path): string {
  const all = { Host: `localhost:${port}`, 'User-Agent': 'bench', Accept: '*/*', 'Content-Type': 'application/json', ...headers };
  const head = Object.entries({ ...all, 'Content-Length': Buffer.byteLength(body) }).map(([name, value]) => `${name}: ${value}\r\n`);
  return `POST ${at} HTTP/1.1\r\n${head.join('')}\r\n${body}`;
}

/** The compiled executable with an empty database. */
export async function startSluice({ folder, spawn }: Rig, workers = '1'): Promise<Sluice> {
  const port = freePort();
  const adminPort = freePort();
  const { pid } = spawn([executable, 'start'], {
    SLUICE_PROXY_LISTEN: `127.0.0.1:${port}`,
    SLUICE_ADMIN_LISTEN: `127.0.0.1:${adminPort}`,
    SLUICE_STATUS_LISTEN: 'off',
    SLUICE_DATABASE: `sqlite://${folder}/sluice-${port}.db`,
    SLUICE_PREFIX: folder,
    SLUICE_WORKERS: workers,
    // One line for each write would be all of the soak's output.
    SLUICE_LOG_LEVEL: 'warn',
  });
  await answers(`http://127.0.0.1:${adminPort}/status`);
  return {
    pid,
    port,
    async admin(method, path, body) {
      const json = body && { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } };
      const response = await fetch(`http://127.0.0.1:${adminPort}${path}`, { method, ...json });
      const text = await response.text();
      if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
      return text === '' ? null : JSON.parse(text);
    },
  };
}

/** The configuration of ai-proxy for a model that the upstream plays. */
export const aiProxy = (auth: object, model: object, more: object = {}) => ({
  name: 'ai-proxy',
  config: { route_type: 'llm/v1/chat', auth, model, max_request_body_size: 16 * 1024 * 1024, ...more },
});

const KEY = { header_name: 'Authorization', header_value: 'Bearer x' };

export const openai = ({ upstream }: Rig) => ({
  auth: KEY,
  model: { provider: 'openai', name: 'gpt-4', options: { upstream_url: `http://127.0.0.1:${upstream.port}/v1/chat/completions` } },
});

/** Adds a route to sluice, and resolves to the ids of its plugins. */
export async function addRoute({ admin }: Sluice, name: string, plugins: readonly object[]): Promise<string[]> {
  await admin('POST', '/routes', { name, paths: [`~/${name}$`] });
  const ids: string[] = [];
  for (const plugin of plugins) ids.push(((await admin('POST', `/routes/${name}/plugins`, plugin)) as { id: string }).id);
  return ids;
}

/** The same model, its prompts guarded, its requests and tokens logged. */
export function withPlugins(rig: Rig): object[] {
  const { auth, model } = openai(rig);
  return [
    aiProxy(auth, model, { logging: { log_statistics: true } }),
    {
      name: 'ai-prompt-guard',
      config: { deny_patterns: ['[Ii]gnore (all|previous) instructions'], allow_all_conversation_history: false },
    },
    { name: 'file-log', config: { path: join(rig.folder, 'requests.log') } },
  ];
}

const CLIENT_KEY = 'bench-key';
/** Never reached: what is measured is the counting. */
const LIMIT = 1e12;

/** The same model as an API that is paid for has it: its clients known, limited, counted and logged. */
const guarded = (rig: Rig): object[] => {
  const { auth, model } = openai(rig);
  return [
    aiProxy(auth, model, { logging: { log_statistics: true } }),
    { name: 'key-auth', config: { hide_credentials: true } },
    { name: 'rate-limiting', config: { minute: LIMIT, policy: 'local' } },
    { name: 'prometheus', config: { ai_metrics: true, status_code_metrics: true, latency_metrics: true, bandwidth_metrics: true } },
    {
      name: 'http-log',
      config: { http_endpoint: `http://127.0.0.1:${rig.upstream.port}/v1/chat/completions`, queue: { max_batch_size: 200 } },
    },
  ];
};

/** sluice as one worker, each configuration in a process of its own: OpenAI's dialect, the same with plugins, and each vendor whose dialect is translated. */
export async function sluiceGateways(rig: Rig): Promise<Gateway[]> {
  const { auth, model } = openai(rig);
  const begin = async (name: string, routes: Readonly<Record<string, readonly object[]>>, more: Partial<Gateway> = {}) => {
    const sluice = await startSluice(rig);
    for (const [path, plugins] of Object.entries(routes)) await addRoute(sluice, path, plugins);
    const [path = ''] = Object.keys(routes);
    return { sluice, gateway: { name, pid: sluice.pid, port: sluice.port, path: `/${path}`, ...more } };
  };
  const plain = await begin('sluice', { openai: [aiProxy(auth, model)] });
  // ai-prompt-guard lets no image pass.
  const logged = await begin('sluice, plugins', { plugins: withPlugins(rig) }, { refuses: ['1m'] });
  const limited = await begin('sluice, guarded', { guarded: guarded(rig) }, { headers: { apikey: CLIENT_KEY } });
  await limited.sluice.admin('POST', '/consumers', { username: 'bench' });
  await limited.sluice.admin('POST', '/consumers/bench/key-auth', { key: CLIENT_KEY });
  const gateways = [plain, logged, limited];
  for (const [provider, { auth, options }] of Object.entries(VENDORS)) {
    const streamPath = `${provider}-stream`;
    const at = (path: string) => {
      const upstream_url = `http://127.0.0.1:${rig.upstream.port}/${path}`;
      return [aiProxy(auth, { provider, name: 'gpt-4', options: { ...options, upstream_url } })];
    };
    const routes = { [provider]: at(provider), [streamPath]: at(streamPath) };
    gateways.push(await begin(`sluice, ${provider}`, routes, { streamPath: `/${streamPath}` }));
  }
  return gateways.map(({ gateway }) => gateway);
}

/** Waits until `url` answers 200, ten seconds at most. */
export async function answers(url: string, request: RequestInit = {}): Promise<void> {
  let last = '';
  for (const deadline = Date.now() + 10_000; Date.now() < deadline; await Bun.sleep(20)) {
    try {
      const response = await fetch(url, request);
      last = `${response.status} ${await response.text()}`;
      if (response.ok) return;
    } catch (error) {
      last = String(error);
    }
  }
  throw new Error(`no 200 from ${url}: ${last}`);
}
