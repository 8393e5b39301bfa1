import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { freePort, type Gateway } from './gateways.ts';
import { type Rig, version, which } from './rig.ts';

/** A gateway to compare with. */
interface Peer {
  /** What is missing on this machine, when something is. */
  missing(rig: Rig): string | undefined;
  version(rig: Rig): string;
  start(rig: Rig): Promise<Omit<Gateway, 'name'>>;
}

/** From npm, as published; newer hono and node-server make Portkey's streams fail on Node 20. */
const NPM_PACKAGES = {
  dependencies: { '@portkey-ai/gateway': '1.15.2', '@musistudio/llms': '1.0.53' },
  overrides: { hono: '4.9.7', '@hono/node-server': '1.13.8' },
};
const CHAT = '/v1/chat/completions';
const KEY = { Authorization: 'Bearer x' };

/** What the modules of Debian's nginx are called, and where they and Lua's cjson lie. */
const LUA_MODULES = ['ndk_http_module', 'ngx_http_lua_module'].map(name => `/usr/lib/nginx/modules/${name}.so`);
const CJSON = `/usr/lib/${process.arch === 'arm64' ? 'aarch64' : 'x86_64'}-linux-gnu/lua/5.1/cjson.so`;

/** What Kong's ai-proxy does to a request at the least: decode it, set the model, encode it, and read the usage of the answer. */
const LUA = `
  access_by_lua_block {
    local cjson = require "cjson"
    ngx.req.read_body()
    local body = cjson.decode(ngx.req.get_body_data())
    body.model = "gpt-4"
    ngx.ctx.stream = body.stream
    ngx.req.set_body_data(cjson.encode(body))
  }
  body_filter_by_lua_block {
    local cjson, context, chunk = require "cjson", ngx.ctx, ngx.arg[1] or ""
    if context.stream then
      for line in chunk:gmatch("data: ([^\\n]+)") do
        local ok, event = pcall(cjson.decode, line)
        if ok and event.usage and event.usage ~= cjson.null then context.usage = event.usage end
      end
    else
      context.answer = (context.answer or "") .. chunk
      if ngx.arg[2] then
        local ok, answer = pcall(cjson.decode, context.answer)
        if ok then context.usage = answer.usage end
      end
    end
  }`;

/** One nginx worker: connections to the upstream kept, nothing buffered to disk. */
async function startNginx({ folder, upstream, spawn }: Rig, kind: string, modules: readonly string[], location: string) {
  const port = freePort();
  const at = join(folder, kind);
  const file = `${at}.conf`;
  await Bun.write(
    file,
    `${modules.map(module => `load_module ${module};\n`).join('')}
    worker_processes 1; daemon off; pid ${at}.pid; error_log ${at}.log warn;
    events { worker_connections 30000; }
    worker_rlimit_nofile 65536;
    http {
      access_log off; keepalive_requests 1000000; client_body_buffer_size 4m; client_max_body_size 64m;
      client_body_temp_path ${at}-body; proxy_temp_path ${at}-proxy;
      fastcgi_temp_path ${at}-fastcgi; uwsgi_temp_path ${at}-uwsgi; scgi_temp_path ${at}-scgi;
      upstream model { server 127.0.0.1:${upstream.port}; keepalive 256; keepalive_requests 1000000; }
      server {
        listen 127.0.0.1:${port} backlog=4096;
        location / {
          proxy_pass http://model; proxy_http_version 1.1; proxy_buffering off;
          proxy_set_header Connection ""; proxy_set_header Authorization "Bearer x"; ${location}
        }
      }
    }`,
  );
  const { pid } = spawn([which('nginx') ?? '', '-c', file]);
  return { pid, port, path: CHAT };
}

async function startHaproxy({ folder, upstream, spawn }: Rig) {
  const port = freePort();
  const file = join(folder, 'haproxy.cfg');
  const lines = [
    'global\n nbthread 1\n maxconn 4096',
    'defaults\n mode http\n timeout connect 5s\n timeout client 60s\n timeout server 60s\n http-reuse always\n option http-no-delay',
    `frontend f\n bind 127.0.0.1:${port}\n http-request set-header Authorization "Bearer x"\n default_backend b`,
    `backend b\n server model 127.0.0.1:${upstream.port}`,
  ];
  await Bun.write(file, `${lines.join('\n')}\n`);
  const { pid } = spawn([which('haproxy') ?? '', '-db', '-f', file]);
  return { pid, port, path: CHAT };
}

/** The floor under any gateway on the runtime that sluice is built on. */
function startBun({ upstream, spawn }: Rig) {
  const port = freePort();
  const script = join(import.meta.dir, 'bun.ts');
  const { pid } = spawn([process.execPath, script, String(port), `http://127.0.0.1:${upstream.port}${CHAT}`], {
    BUN_CONFIG_MAX_HTTP_REQUESTS: '65535',
  });
  return Promise.resolve({ pid, port, path: CHAT });
}

/** Where the bench keeps what it has installed from npm. */
const npmFolder = ({ cache }: Rig) => join(cache, Bun.hash(JSON.stringify(NPM_PACKAGES)).toString(36));
const npmPackage = (rig: Rig, name: string) => join(npmFolder(rig), 'node_modules', name);

/** Installs what `missing` looks for, once; without a network it stays missing. */
export async function installNpmPeers(rig: Rig): Promise<void> {
  const folder = npmFolder(rig);
  const npm = which('npm');
  if (!npm || Object.keys(NPM_PACKAGES.dependencies).every(name => existsSync(npmPackage(rig, name)))) return;
  console.log(`npm installs ${Object.keys(NPM_PACKAGES.dependencies).join(' and ')} into ${folder}`);
  await Bun.write(join(folder, 'package.json'), JSON.stringify({ private: true, ...NPM_PACKAGES }));
  const command = [npm, 'install', '--ignore-scripts', '--no-audit', '--no-fund', '--silent'];
  await Bun.spawn(command, { cwd: folder, stdout: 'ignore', stderr: 'inherit' }).exited;
}

const runtimes = { node: () => which('node'), bun: () => process.execPath };

function startPortkey(rig: Rig, runtime: keyof typeof runtimes, provider: 'openai' | 'anthropic') {
  const port = freePort();
  const script = join(npmPackage(rig, '@portkey-ai/gateway'), 'build', 'start-server.js');
  const { pid } = rig.spawn([runtimes[runtime]() ?? '', script, `--port=${port}`, '--headless'], {
    TRUSTED_CUSTOM_HOSTS: 'localhost,127.0.0.1',
  });
  const place = provider === 'openai' ? 'v1' : `${provider}/v1`;
  const host = `http://127.0.0.1:${rig.upstream.port}/${place}`;
  return { pid, port, path: CHAT, headers: { ...KEY, 'x-portkey-provider': provider, 'x-portkey-custom-host': host } };
}

const portkey = (runtime: keyof typeof runtimes, provider: 'openai' | 'anthropic'): Peer => ({
  missing: rig =>
    runtimes[runtime]() === null ? runtime : existsSync(npmPackage(rig, '@portkey-ai/gateway')) ? undefined : '@portkey-ai/gateway of npm',
  version: () => `${NPM_PACKAGES.dependencies['@portkey-ai/gateway']} on ${runtime} ${version(runtimes[runtime]() ?? '', '--version')}`,
  start: async rig => startPortkey(rig, runtime, provider),
});

/** The engine of claude-code-router. */
const llms: Peer = {
  missing: rig =>
    which('node') === null ? 'node' : existsSync(npmPackage(rig, '@musistudio/llms')) ? undefined : '@musistudio/llms of npm',
  version: () => `${NPM_PACKAGES.dependencies['@musistudio/llms']} on node ${version('node', '--version')}`,
  async start(rig) {
    const port = freePort();
    const script = join(rig.folder, 'llms.mjs');
    const provider = {
      name: 'bench',
      api_base_url: `http://127.0.0.1:${rig.upstream.port}${CHAT}`,
      api_key: 'x',
      models: ['gpt-4'],
      transformer: { use: [] },
    };
    const initialConfig = { providers: [provider], HOST: '127.0.0.1', PORT: String(port), LOG: false };
    await Bun.write(
      script,
      `import llms from ${JSON.stringify(join(npmPackage(rig, '@musistudio/llms'), 'dist', 'cjs', 'server.cjs'))};
      new (llms.default ?? llms)({ initialConfig: ${JSON.stringify(initialConfig)}, logger: false }).start();`,
    );
    const { pid } = rig.spawn([which('node') ?? '', script]);
    return { pid, port, path: CHAT, headers: KEY, model: 'bench,gpt-4' };
  },
};

const lacksProgram = (program: string) =>
  which(program) ? undefined : `Debian's package ${program === 'nginx' ? 'nginx-light' : program}`;

export const PEERS = {
  nginx: {
    missing: () => lacksProgram('nginx'),
    version: () => version(which('nginx') ?? '', '-v').replace(/^.*\//, ''),
    start: rig => startNginx(rig, 'nginx', [], ''),
  },
  haproxy: {
    missing: () => lacksProgram('haproxy'),
    version: () => /\d[\w.]*/.exec(version(which('haproxy') ?? '', '-v'))?.[0] ?? '',
    start: startHaproxy,
  },
  'nginx + Lua': {
    missing: () => {
      if (!LUA_MODULES.every(existsSync)) return "Debian's package libnginx-mod-http-lua";
      return existsSync(CJSON) ? lacksProgram('nginx') : "Debian's package lua-cjson";
    },
    version: () => version(which('nginx') ?? '', '-v').replace(/^.*\//, ''),
    start: rig => startNginx(rig, 'nginx-lua', LUA_MODULES, LUA),
  },
  'Bun, passing on': {
    missing: () => undefined,
    version: () => Bun.version,
    start: startBun,
  },
  llms,
  'Portkey, Bun': portkey('bun', 'openai'),
  'Portkey, Bun, anthropic': portkey('bun', 'anthropic'),
  'Portkey, Node': portkey('node', 'openai'),
} as const satisfies Readonly<Record<string, Peer>>;
