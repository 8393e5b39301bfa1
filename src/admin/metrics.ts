import type { Balancers } from '../balancing/balancers.ts';
import { targetHealth } from '../balancing/status.ts';
import type { Row } from '../entities/entity.ts';
import type { PluginRow } from '../entities/plugin-entity.ts';
import { type Upstream, upstream } from '../entities/upstream.ts';
import { exposition } from '../lib/exposition.ts';
import type { FamilyFacts, Measured, Series } from '../lib/metrics.ts';
import type { Store } from '../store/store.ts';
import type { Endpoint } from './admin-context.ts';
import type { Information } from './information.ts';
import type { StatusOptions, Work } from './status.ts';

export type MetricsOptions = Pick<StatusOptions, 'status'> & { readonly balancers: Pick<Balancers, 'byId'> } & Pick<
    Information,
    'nodeId' | 'version' | 'plugins'
  >;

/** `GET /metrics`, for Prometheus: what the gateway tells of itself, and what plugins count where somebody uses one that does. */
export function metricsEndpoints(store: Store, { status, nodeId, version, plugins, balancers }: MetricsOptions): Endpoint[] {
  const counting = new Map(plugins.flatMap(({ name, metrics }) => (metrics ? [[name, metrics] as const] : [])));
  if (counting.size === 0) return [];
  return [
    {
      path: '/metrics',
      methods: {
        GET: async context => {
          const used = rowsOf<PluginRow>(store, 'plugins').filter(({ name, enabled }) => enabled && counting.has(name));
          const work = await status(used.length > 0);
          const showsHealth = used.some(({ name, config }) => counting.get(name)?.showsHealth(config));
          const families = [
            ...gatewayFamilies(work, nodeId, version.kong),
            ...(showsHealth ? [targetHealthFamily(store, balancers)] : []),
            ...(used.length > 0 ? work.measured : []),
          ];
          return context.body(exposition(families), 200, { 'Content-Type': 'text/plain; charset=UTF-8' });
        },
      },
    },
  ];
}

/** Kong's names where there is the same here: a worker's heap where Kong has its Lua VM. */
function gatewayFamilies({ server, database, processes }: Work, nodeId: string, version: string): Measured[] {
  const requests = server['total_requests'] ?? 0;
  return [
    gauge(
      'kong_nginx_connections_total',
      'Number of connections by subsystem',
      ['node_id', 'subsystem', 'state'],
      [
        { labels: [nodeId, 'http', 'total'], numbers: [requests] },
        { labels: [nodeId, 'http', 'active'], numbers: [server['connections_active'] ?? 0] },
      ],
    ),
    gauge(
      'kong_nginx_requests_total',
      'Number of requests total',
      ['node_id', 'subsystem'],
      [{ labels: [nodeId, 'http'], numbers: [requests] }],
    ),
    gauge(
      'kong_datastore_reachable',
      'Datastore reachable from Kong, 0 is unreachable',
      [],
      [{ labels: [], numbers: [database.reachable ? 1 : 0] }],
    ),
    gauge('kong_node_info', 'Kong Node metadata information', ['node_id', 'version'], [{ labels: [nodeId, version], numbers: [1] }]),
    gauge(
      'kong_memory_workers_lua_vms_bytes',
      'Allocated bytes in worker Lua VM',
      ['node_id', 'pid', 'kong_subsystem'],
      processes.map(({ pid, heapUsed }) => ({ labels: [nodeId, String(pid), 'http'], numbers: [heapUsed] })),
    ),
  ];
}

function gauge(name: string, help: string, labels: FamilyFacts['labels'], series: readonly Series[]): Measured {
  return { facts: { name, help, type: 'gauge', labels }, series };
}

const STATES = ['healthchecks_off', 'healthy', 'unhealthy', 'dns_error'];

/** Of each address of a target, one series for each state: that in which it is has the 1. A target without an address has an empty one. */
function targetHealthFamily(store: Store, balancers: MetricsOptions['balancers']): Measured {
  const series = rowsOf<Upstream>(store, upstream.name).flatMap(({ id, name }) => {
    const balancer = balancers.byId(id);
    if (balancer === null) return [];
    return [...balancer.targets].flatMap(target => {
      const { addresses } = targetHealth(balancer, target).data;
      const known = addresses.map(({ ip, port, health }) => ({ address: `${ip}:${port}`, health: health.toLowerCase() }));
      const shown = known.length > 0 ? known : [{ address: '', health: 'dns_error' }];
      return shown.flatMap(({ address, health }) =>
        STATES.map(state => ({ labels: [name, target.row.target, address, state, 'http'], numbers: [state === health ? 1 : 0] })),
      );
    });
  });
  const states = STATES.join('|');
  return gauge(
    'kong_upstream_target_health',
    `Health status of targets of upstream. States = ${states}, value is 1 when state is populated.`,
    ['upstream', 'target', 'address', 'state', 'subsystem'],
    series,
  );
}

function rowsOf<R extends Row>(store: Store, name: string): R[] {
  const entity = store.entities.get(name);
  return entity ? ([...store.all(entity)] as R[]) : [];
}
