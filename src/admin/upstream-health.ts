import type { Balancers } from '../balancing/balancers.ts';
import { peerKey } from '../balancing/peer.ts';
import { balancerHealth, targetHealth } from '../balancing/status.ts';
import type { Row } from '../entities/entity.ts';
import { type Target, target } from '../entities/target.ts';
import { type Upstream, upstream } from '../entities/upstream.ts';
import { parseHost } from '../lib/host.ts';
import { RequestFailure } from '../lib/request-failure.ts';
import type { Store } from '../store/store.ts';
import { type AdminContext, type Endpoint, segment } from './admin-context.ts';
import { about } from './answers.ts';
import { pageQuery } from './list.ts';
import { nestedPath, singlePath } from './paths.ts';
import { findRow } from './rows.ts';
import { findInScope } from './scope.ts';

/** What these endpoints need of the balancers. */
export type BalancerControl = Pick<Balancers, 'byId' | 'health'>;

const DEFAULT_PORT = 8000;

/** How targets are, and saying that they are otherwise: kong/api/routes/upstreams.lua of Kong 3.9. */
export function upstreamHealthEndpoints(store: Store, balancers: BalancerControl, nodeId: string): Endpoint[] {
  if (!store.entities.has(upstream.name)) return [];
  const upstreamOf = (context: AdminContext) => found(findRow(store, upstream, segment(context, upstream.name)) as Upstream | undefined);
  const balancerOf = ({ id }: Row) => found(balancers.byId(id) ?? undefined);
  const targetOf = (context: AdminContext, { id }: Row) => {
    const row = findInScope(store, target, 'upstream', id, segment(context, target.name)) as Target | undefined;
    return found(row?.upstream.id === id ? row : undefined);
  };
  const single = `${nestedPath(upstream, target)}/:${target.name}`;

  const health: Endpoint = {
    path: `${singlePath(upstream)}/health`,
    methods: {
      GET: context => {
        const row = upstreamOf(context);
        const balancer = balancerOf(row);
        if (context.req.query('balancer_health') === '1') {
          return context.json({ data: balancerHealth(balancer), next: null, node_id: nodeId });
        }
        const { rows, offset } = store.page(target, { ...pageQuery(context), where: { field: 'upstream', id: row.id } });
        const known = new Map([...balancer.targets].map(one => [one.row.id, one]));
        const data = rows.map(one => ({ ...one, ...targetHealth(balancer, found(known.get(one.id))) }));
        const next = offset === null ? null : `/upstreams/${row.id}/health?${new URLSearchParams({ offset })}`;
        return context.json({ data, next, ...(offset !== null && { offset }), node_id: nodeId });
      },
    },
  };

  const setting = (path: string, word: 'healthy' | 'unhealthy'): Endpoint => ({
    path: `${path}/${word}`,
    methods: {
      PUT: context => {
        const row = upstreamOf(context);
        const balancer = balancerOf(row);
        const one = targetOf(context, row);
        about(context, target, one);
        if (!balancer.usesHealthChecks) throw new RequestFailure(400, `no healthchecker found for ${row.name}`);
        const known = [...balancer.targets].find(({ row: own }) => own.id === one.id);
        const wanted = segment(context, 'address');
        const chosen = (known?.addresses ?? []).filter(address => wanted === '' || isSame(address, wanted));
        for (const address of chosen) balancers.health.set({ upstream: row.id, peer: peerKey(known?.host ?? '', address), state: word });
        return context.body(null, 204);
      },
    },
  });

  return [health, ...[single, `${single}/:address`].flatMap(path => [setting(path, 'healthy'), setting(path, 'unhealthy')])];
}

function found<T>(value: T | undefined): T {
  if (value === undefined) throw new RequestFailure(404, 'Not found');
  return value;
}

/** `10.0.0.1:8080`, or without a port. */
function isSame({ ip, port }: { readonly ip: string; readonly port: number }, text: string): boolean {
  const wanted = parseHost(text);
  return typeof wanted !== 'string' && wanted.host === ip && (wanted.port ?? DEFAULT_PORT) === port;
}
