import type { PluginRow } from '../entities/plugin-entity.ts';
import type { Phase } from '../plugins/plugin.ts';
import type { ConfiguredPlugin, Handlers } from './plugin-configurations.ts';
import type { Plan, Slot } from './snapshot.ts';

/** Ids of what a request came to; both null when no route matched. */
export interface PlanScope {
  readonly route: string | null;
  readonly service: string | null;
}

/** Kong's order, most specific first. https://developer.konghq.com/gateway/entities/plugin/#plugin-precedence */
const PRECEDENCE = ['consumer route service', 'consumer route', 'consumer service', 'route service', 'consumer', 'route', 'service', ''];
/** Kong runs a plugin on all protocols of HTTP as soon as it names one of them. */
const HTTP_PROTOCOLS: ReadonlySet<string> = new Set(['http', 'https', 'grpc', 'grpcs']);

/** Of one plugin's configurations the most specific applies, alone. Of plugins, the higher priority runs first. */
export function compilePlan(configured: readonly ConfiguredPlugin[], scope: PlanScope): Plan {
  const fitting = configured.filter(({ row }) => fits(row, scope));
  const places = [...Map.groupBy(fitting, ({ row }) => row.name)]
    .map(([plugin, candidates]) => placeOf(plugin, candidates))
    .sort((a, b) => b.priority - a.priority || (a.plugin < b.plugin ? -1 : 1));
  return {
    access: places.flatMap(place => slotOf('access', place)),
    response: places.flatMap(place => slotOf('response', place)),
    log: places.flatMap(place => slotOf('log', place)),
  };
}

interface Place {
  readonly plugin: string;
  readonly priority: number;
  readonly anyone: ConfiguredPlugin | undefined;
  readonly byConsumer: ReadonlyMap<string, ConfiguredPlugin>;
}

function placeOf(plugin: string, candidates: readonly ConfiguredPlugin[]): Place {
  const ordered = candidates.toSorted((a, b) => precedence(a.row) - precedence(b.row));
  const anyone = ordered.find(({ row }) => row.consumer === null);
  const byConsumer = new Map<string, ConfiguredPlugin>();
  for (const candidate of ordered) {
    if (candidate === anyone) break;
    const consumer = candidate.row.consumer?.id;
    if (consumer !== undefined && !byConsumer.has(consumer)) byConsumer.set(consumer, candidate);
  }
  return { plugin, priority: Math.max(...candidates.map(({ priority }) => priority)), anyone, byConsumer };
}

function slotOf<P extends Phase>(phase: P, { plugin, anyone, byConsumer }: Place): Slot<NonNullable<Handlers[P]>>[] {
  type Handler = NonNullable<Handlers[P]>;
  const shared: Handler | null = anyone?.handlers[phase] ?? null;
  const own = [...byConsumer].map(([consumer, { handlers }]) => [consumer, handlers[phase]] as const);
  if (shared === null && own.every(([, handler]) => handler === null)) return [];
  // A consumer's own configuration that takes no part in this phase still keeps the shared one away.
  const handlers = own.map(([consumer, handler]) => [consumer, handler ?? (doNothing as Handler)] as const);
  return [{ plugin, anyone: shared, byConsumer: handlers.length > 0 ? new Map(handlers) : null }];
}

const doNothing = () => undefined;

const fits = ({ enabled, protocols, route, service }: PluginRow, scope: PlanScope) =>
  enabled &&
  protocols.some(protocol => HTTP_PROTOCOLS.has(protocol)) &&
  (route === null || route.id === scope.route) &&
  (service === null || service.id === scope.service);

const precedence = ({ consumer, route, service }: PluginRow) =>
  PRECEDENCE.indexOf([consumer && 'consumer', route && 'route', service && 'service'].filter(Boolean).join(' '));
