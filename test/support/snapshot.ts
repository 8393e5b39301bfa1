import type { Route } from '../../src/entities/route.ts';
import type { Service } from '../../src/entities/service.ts';
import type { CompiledRoute, Match, Plan, Routable, Snapshot } from '../../src/gateway/snapshot.ts';
import type { Phases } from '../../src/plugins/plugin.ts';

export interface OneRoute {
  /** Where the service is, such as `http://127.0.0.1:1234/base`. Null: the route has no service. */
  readonly url: string | null;
  readonly plugins?: readonly Phases[];
  /** In place of what `plugins` would make. */
  readonly plan?: Plan;
  readonly route?: Partial<Route>;
  readonly service?: Partial<Service>;
  readonly match?: Partial<Match>;
  /** Null for a request that is not the route's. */
  readonly matches?: (request: Routable) => boolean;
  readonly httpsOnly?: boolean;
  readonly upstreamTls?: CompiledRoute['tls'];
  /** Ids of the groups of consumers, by the consumer's id. */
  readonly groups?: Readonly<Record<string, readonly string[]>>;
  readonly balancers?: Snapshot['balancers'];
}

/** No host is the name of an upstream. */
export const noBalancers: Snapshot['balancers'] = { version: 0, find: () => null };

/** A snapshot of one route and one service, made by hand. `passages` counts who has entered and not left. */
export function oneRoute({
  url,
  plugins = [],
  plan = planOf(plugins),
  route,
  service,
  match,
  matches = () => true,
  httpsOnly = false,
  upstreamTls = null,
  groups = {},
  balancers = noBalancers,
}: OneRoute) {
  const target = {
    plan,
    httpsOnly,
    tls: upstreamTls,
    route: { id: 'route', preserve_host: false, https_redirect_status_code: 426, ...route } as Route,
    service:
      url === null
        ? null
        : ({ id: 'service', retries: 5, connect_timeout: 60_000, read_timeout: 60_000, write_timeout: 60_000, ...service } as Service),
  };
  const passages = { open: 0 };
  const snapshot: Snapshot = {
    version: 1,
    unmatched: plan,
    groupsOf: consumer => groups[consumer] ?? [],
    balancers,
    enter() {
      passages.open++;
      return { leave: () => void passages.open-- };
    },
    certificateFor: () => null,
    match: request =>
      matches(request) ? { target, upstreamUrl: url === null ? null : url + request.path, prefix: '', captures: null, ...match } : null,
  };
  return { snapshot, passages };
}

/** Plugins in the order in which they run. */
export function planOf(plugins: readonly Phases[]): Plan {
  const of = <P extends 'access' | 'response' | 'log'>(phase: P) =>
    plugins.flatMap((phases, index) => {
      const handler = phases[phase];
      return handler ? [{ plugin: `plugin-${index}`, anyone: handler.bind(phases) as NonNullable<Phases[P]>, byOwner: null }] : [];
    });
  return { access: of('access'), response: of('response'), log: of('log') };
}
