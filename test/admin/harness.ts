import { expect } from 'bun:test';
import { type AdminOptions, createAdmin } from '../../src/admin/admin.ts';
import type { Entity } from '../../src/entities/entity.ts';
import { coreEntities } from '../../src/entities/registry.ts';
import { openGateway } from '../../src/gateway/gateway.ts';
import { ConfigurationError } from '../../src/lib/configuration-error.ts';
import { LOG_LEVELS, type Log, type LogLevel } from '../../src/lib/log.ts';
import { definePlugin } from '../../src/plugins/plugin.ts';
import { array, boolean, integer, map, number, record, string } from '../../src/schema/field.ts';
import { openStore } from '../../src/store/memory.ts';
import { vaults } from '../../src/vaults/registry.ts';

/** A plugin with a field of every kind, and one that only its own code can check. */
export const sample = definePlugin({
  name: 'sample',
  priority: 770,
  config: record(
    {
      route_type: string({ required: true, one_of: ['llm/v1/chat', 'llm/v1/completions'] }),
      auth: record({ header_name: string(), header_value: string({ encrypted: true }) }, { required: true }),
      model: record(
        {
          provider: string({ required: true }),
          name: string(),
          options: record({ max_tokens: integer({ default: 256 }), temperature: number(), upstream_url: string() }),
        },
        { required: true },
      ),
      words: array(string()),
      headers: map(string(), string()),
      enabled: boolean({ required: true, default: true }),
    },
    { required: true },
  ),
  configure(config: { readonly model: { readonly options: { readonly upstream_url: string | null } | null } }) {
    const url = config.model.options?.upstream_url ?? null;
    if (url !== null && URL.parse(url) === null) throw new ConfigurationError('not a URL', 'model.options.upstream_url');
    return {};
  },
});

export interface Line {
  readonly level: LogLevel;
  readonly message: string;
  readonly facts: Readonly<Record<string, unknown>> | undefined;
}

export async function openAdmin(overrides: Partial<AdminOptions> = {}, more: readonly Entity[] = []) {
  const plugins = [sample];
  const schemaOf = (name: string) => plugins.find(plugin => plugin.name === name) ?? null;
  const vaultConfigOf = (name: string) => vaults.find(vault => vault.name === name)?.config ?? null;
  const store = await openStore([...coreEntities(schemaOf, vaultConfigOf), ...more]);
  const lines: Line[] = [];
  const log = Object.fromEntries(
    LOG_LEVELS.map(level => [level, (message: string, facts?: Line['facts']) => lines.push({ level, message, facts })]),
  ) as unknown as Log;
  const gateway = await openGateway({ store, plugins, log, prefix: '.' });
  let level: LogLevel = 'notice';
  const admin = createAdmin({
    store,
    gateway,
    balancers: gateway.balancers,
    log,
    plugins,
    token: null,
    guiOrigins: [],
    version: { sluice: '0.1.0', kong: '3.9.1' },
    nodeId: 'f5f6b0d2-6d6c-4a2f-9f1b-0d7f0a1c2b3e',
    configuration: { admin_listen: '127.0.0.1:8001' },
    pids: () => [process.pid],
    ask: async question => gateway.ask(question),
    status: async () => ({
      server: { connections_active: 1, total_requests: 2 },
      database: { reachable: true },
      processes: [{ pid: 7, heapUsed: 3 * 1024 ** 2, rss: 64 * 1024 ** 2 }],
      measured: [],
      fault: null,
    }),
    notReady: () => null,
    logLevel: {
      get: () => level,
      set(changed) {
        level = changed;
      },
    },
    declarative: null,
    ...overrides,
  });
  const send = async (method: string, path: string, body?: string, headers: Record<string, string> = {}): Promise<Response> =>
    admin.fetch(new Request(`http://localhost:8001${path}`, { method, headers, ...(body !== undefined && { body }) }), '127.0.0.1');
  /** What a GET answers. */
  const get = async (path: string) => JSON.parse(await (await send('GET', path)).text());
  return { admin, store, gateway, log, lines, send, get };
}

export type Admin = Awaited<ReturnType<typeof openAdmin>>;

type Encoded = readonly [body: string, headers: Record<string, string>];

/** How a body may travel; the value is its JSON, or its form keys. */
export const encodings = {
  json: (body: object): Encoded => [JSON.stringify(body), { 'content-type': 'application/json' }],
  form: (body: Readonly<Record<string, string>>): Encoded => [
    new URLSearchParams(body).toString(),
    { 'content-type': 'application/x-www-form-urlencoded' },
  ],
  multipart: (body: Readonly<Record<string, string>>): Encoded => {
    const parts = Object.entries(body).map(([name, value]) => `--x\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`);
    return [`${parts.join('')}--x--\r\n`, { 'content-type': 'multipart/form-data; boundary=x' }];
  },
};

/** One request and what must come back; an undefined answer is not looked at. */
export type Step = readonly [method: string, path: string, body: object | undefined, status: number, answer?: unknown];

/** Runs the steps on a fresh Admin API, bodies as JSON. */
export async function play(steps: readonly Step[], admin?: Admin): Promise<Admin> {
  const api = admin ?? (await openAdmin());
  for (const [method, path, body, status, answer] of steps) {
    const [text, headers] = body ? encodings.json(body) : [];
    const response = await api.send(method, path, text, headers);
    const received = await response.text();
    const step = `${method} ${path}`;
    expect([step, response.status, response.status === status ? '' : received]).toEqual([step, status, '']);
    if (answer !== undefined) expect(received === '' ? null : JSON.parse(received)).toEqual(answer);
  }
  return api;
}
