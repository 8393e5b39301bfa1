import { join } from 'node:path';
import { VENDORS } from './vendors.ts';

/** Where a gateway is being measured. */
export interface Site {
  /** A folder for its files. */
  readonly folder: string;
  readonly upstreamPort: number;
  /** Starts a process that ends with the bench. */
  spawn(command: readonly string[], environment?: Readonly<Record<string, string>>): Bun.Subprocess;
}

export interface Gateway {
  readonly name: string;
  readonly pid: number;
  readonly port: number;
  readonly path: string;
  /** Where it answers in streams, when not at `path`. */
  readonly streamPath?: string;
}

function freePort(): number {
  const listener = Bun.listen({ hostname: '127.0.0.1', port: 0, socket: { data() {} } });
  const { port } = listener;
  listener.stop(true);
  return port;
}

/** nginx as a plain proxy: one worker, connections to the upstream kept, nothing buffered to disk. */
export async function startNginx({ folder, upstreamPort, spawn }: Site, nginx: string): Promise<Gateway> {
  const port = freePort();
  const file = join(folder, 'nginx.conf');
  await Bun.write(
    file,
    `worker_processes 1; daemon off; pid ${folder}/nginx.pid; error_log ${folder}/nginx.log warn;
    events { worker_connections 4096; }
    http {
      access_log off; keepalive_requests 1000000; client_body_buffer_size 4m; client_max_body_size 64m;
      client_body_temp_path ${folder}/body; proxy_temp_path ${folder}/proxy;
      fastcgi_temp_path ${folder}/fastcgi; uwsgi_temp_path ${folder}/uwsgi; scgi_temp_path ${folder}/scgi;
      upstream model { server 127.0.0.1:${upstreamPort}; keepalive 256; keepalive_requests 1000000; }
      server {
        listen 127.0.0.1:${port};
        location / {
          proxy_pass http://model; proxy_http_version 1.1; proxy_buffering off;
          proxy_set_header Connection ""; proxy_set_header Authorization "Bearer x";
        }
      }
    }`,
  );
  const { pid } = spawn([nginx, '-c', file]);
  return { name: 'nginx', pid, port, path: '/v1/chat/completions' };
}

/** The compiled executable, set up through its Admin API: a service, and for each vendor a route and ai-proxy. OpenAI's comes first. */
export async function startSluice({ folder, upstreamPort, spawn }: Site, executable: string): Promise<Gateway[]> {
  const port = freePort();
  const admin = `127.0.0.1:${freePort()}`;
  const { pid } = spawn([executable, 'start'], {
    SLUICE_PROXY_LISTEN: `127.0.0.1:${port}`,
    SLUICE_ADMIN_LISTEN: admin,
    SLUICE_STATUS_LISTEN: 'off',
    SLUICE_DATABASE: `sqlite://${folder}/sluice.db`,
    SLUICE_PREFIX: folder,
  });
  const post = async (path: string, body: object) => {
    const response = await fetch(`http://${admin}${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    if (!response.ok) throw new Error(`POST ${path}: ${response.status} ${await response.text()}`);
  };
  await answers(`http://${admin}/status`);
  await post('/services', { name: 'ai-proxy', url: 'http://localhost:32000' });
  const addRoute = async (name: string, auth: object, model: object) => {
    await post('/services/ai-proxy/routes', { name, paths: [`~/${name}$`] });
    const config = { route_type: 'llm/v1/chat', auth, model, max_request_body_size: 16 * 1024 * 1024 };
    await post(`/routes/${name}/plugins`, { name: 'ai-proxy', config });
  };
  const upstream = `http://127.0.0.1:${upstreamPort}`;
  const key = { header_name: 'Authorization', header_value: 'Bearer x' };
  await addRoute('openai', key, { provider: 'openai', name: 'gpt-4', options: { upstream_url: `${upstream}/v1/chat/completions` } });
  for (const [provider, { auth, options }] of Object.entries(VENDORS)) {
    for (const path of [provider, `${provider}-stream`]) {
      await addRoute(path, auth, { provider, name: 'gpt-4', options: { ...options, upstream_url: `${upstream}/${path}` } });
    }
  }
  const translating = Object.keys(VENDORS).map(name => ({ name, pid, port, path: `/${name}`, streamPath: `/${name}-stream` }));
  return [{ name: 'sluice', pid, port, path: '/openai' }, ...translating];
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
