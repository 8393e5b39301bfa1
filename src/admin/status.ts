import type { Log } from '../lib/log.ts';
import { RequestFailure } from '../lib/request-failure.ts';
import type { Endpoint } from './admin-context.ts';
import { type App, createApp } from './app.ts';

/** What `/status` tells of the gateway's work. */
export interface Work {
  /** Kong's counters: `connections_active`, `total_requests` and so on. */
  readonly server: Readonly<Record<string, number>>;
  readonly database: { readonly reachable: boolean };
  /** Without a database: of the declarative configuration that is served. */
  readonly configuration_hash?: string;
}

export interface StatusOptions {
  status(): Work;
  /** `fault`: why the newest configuration is not the one that is served. */
  readonly gateway: { readonly fault: string | null };
  /** Why traffic should not come yet; null: it may. */
  notReady(): string | null;
}

/** `GET /status` and `GET /status/ready`. */
export function statusEndpoints({ status, gateway, notReady }: StatusOptions): Endpoint[] {
  return [
    {
      path: '/status',
      methods: {
        GET: context => {
          const memory = memoryUse(context.req.query('unit') ?? 'm', context.req.query('scale') ?? '2');
          return context.json({ ...status(), memory, fault: gateway.fault });
        },
      },
    },
    {
      path: '/status/ready',
      methods: {
        GET: context => {
          const reason = notReady();
          return reason === null ? context.json({ message: 'ready' }) : context.json({ message: reason }, 503);
        },
      },
    },
  ];
}

/** What `status_listen` serves. */
export function createStatus(options: StatusOptions & { readonly version: string; readonly log: Log }): App {
  return createApp(statusEndpoints(options), options);
}

const UNITS: Readonly<Record<string, { readonly bytes: number; readonly suffix: string }>> = {
  b: { bytes: 1, suffix: '' },
  k: { bytes: 1024, suffix: ' KiB' },
  m: { bytes: 1024 ** 2, suffix: ' MiB' },
  g: { bytes: 1024 ** 3, suffix: ' GiB' },
};

/** In Kong's shape, with the process where Kong has its Lua workers. */
function memoryUse(unitName: string, scaleText: string) {
  const unit = Object.hasOwn(UNITS, unitName.toLowerCase()) ? UNITS[unitName.toLowerCase()] : undefined;
  if (!unit) throw new RequestFailure(400, `invalid unit '${unitName}' (expected 'k/K', 'm/M', or 'g/G')`);
  const scale = Number(scaleText);
  if (!Number.isInteger(scale) || scale < 0 || scale > 20) throw new RequestFailure(400, 'scale must be equal or greater than 0');
  const size = (bytes: number) => (unit.bytes === 1 ? bytes : `${(bytes / unit.bytes).toFixed(scale)}${unit.suffix}`);
  const { rss, heapUsed } = process.memoryUsage();
  return {
    lua_shared_dicts: {},
    workers_lua_vms: [{ pid: process.pid, http_allocated_gc: size(heapUsed), resident: size(rss) }],
  };
}
