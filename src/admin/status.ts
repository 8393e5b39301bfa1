import type { Measured } from '../lib/metrics.ts';
import { RequestFailure } from '../lib/request-failure.ts';
import type { Endpoint } from './admin-context.ts';

/** A process that serves requests, and its memory in bytes. */
export interface ServingProcess {
  readonly pid: number;
  readonly heapUsed: number;
  readonly rss: number;
}

/** What `/status` tells of the gateway's work. */
export interface Work {
  /** Kong's counters: `connections_active`, `total_requests` and so on. */
  readonly server: Readonly<Record<string, number>>;
  readonly database: { readonly reachable: boolean };
  /** Without a database: of the declarative configuration that is served. */
  readonly configuration_hash?: string;
  readonly processes: readonly ServingProcess[];
  /** What their plugins have counted together; empty unless it was asked. */
  readonly measured: readonly Measured[];
  /** Why the newest configuration is not the one that is served, or what of it does not work. */
  readonly fault: string | null;
}

export interface StatusOptions {
  status(withMetrics: boolean): Promise<Work>;
  /** Why traffic should not come yet; null: it may. */
  notReady(): string | null;
}

/** `GET /status` and `GET /status/ready`. */
export function statusEndpoints({ status, notReady }: StatusOptions): Endpoint[] {
  return [
    {
      path: '/status',
      methods: {
        GET: async context => {
          const size = sizeIn(context.req.query('unit') ?? 'm', context.req.query('scale') ?? '2');
          const { server, database, configuration_hash, processes, fault } = await status(false);
          return context.json({ server, database, configuration_hash, memory: memoryUse(processes, size), fault });
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

const UNITS: Readonly<Record<string, { readonly bytes: number; readonly suffix: string }>> = {
  b: { bytes: 1, suffix: '' },
  k: { bytes: 1024, suffix: ' KiB' },
  m: { bytes: 1024 ** 2, suffix: ' MiB' },
  g: { bytes: 1024 ** 3, suffix: ' GiB' },
};

/** How sizes are to be written. Throws a RequestFailure for what is no unit or scale. */
function sizeIn(unitName: string, scaleText: string): (bytes: number) => number | string {
  const unit = Object.hasOwn(UNITS, unitName.toLowerCase()) ? UNITS[unitName.toLowerCase()] : undefined;
  if (!unit) throw new RequestFailure(400, `invalid unit '${unitName}' (expected 'k/K', 'm/M', or 'g/G')`);
  const scale = Number(scaleText);
  if (!Number.isInteger(scale) || scale < 0 || scale > 20) throw new RequestFailure(400, 'scale must be equal or greater than 0');
  return bytes => (unit.bytes === 1 ? bytes : `${(bytes / unit.bytes).toFixed(scale)}${unit.suffix}`);
}

/** In Kong's shape, with a process where Kong has a worker's Lua. */
function memoryUse(processes: readonly ServingProcess[], size: (bytes: number) => number | string) {
  const workers_lua_vms = processes.map(({ pid, heapUsed, rss }) => ({ pid, http_allocated_gc: size(heapUsed), resident: size(rss) }));
  return { lua_shared_dicts: {}, workers_lua_vms };
}
