import type { PluginRow } from '../entities/plugin-entity.ts';
import type { Context, CredentialPlaces } from '../plugins/context.ts';
import type { Phase } from '../plugins/plugin.ts';
import type { ConfiguredPlugin, Handlers } from './plugin-configurations.ts';
import type { Plan, Slot } from './snapshot.ts';

/** Ids of what a request came to; both null when no route matched. */
export interface PlanScope {
  readonly route: string | null;
  readonly service: string | null;
}

/** Kong's steps, most specific first. https://developer.konghq.com/gateway/entities/plugin/#plugin-precedence */
const PRECEDENCE = [
  'consumer route service',
  'group route service',
  'consumer route',
  'consumer service',
  'group route',
  'group service',
  'route service',
  'consumer',
  'group',
  'route',
  'service',
  '',
];
/** Kong runs a plugin on all protocols of HTTP as soon as it names one of them. */
const HTTP_PROTOCOLS: ReadonlySet<string> = new Set(['http', 'https', 'grpc', 'grpcs']);

/** Of one plugin's configurations the most specific applies, alone. Of plugins, the higher priority runs first. */
export function compilePlan(configured: readonly ConfiguredPlugin[], scope: PlanScope): Plan {
  const fitting = configured.filter(({ row }) => fits(row, scope));
  const places = [...Map.groupBy(fitting, ({ row }) => row.name)]
    .map(([plugin, candidates]) => placeOf(plugin, candidates))
    .sort((a, b) => b.priority - a.priority || (a.plugin < b.plugin ? -1 : 1));
  const credentialPlaces = places.flatMap(({ anyone }) => anyone?.work.handlers.credentialPlaces ?? []);
  return {
    access: [...knowing(credentialPlaces), ...places.flatMap(place => slotOf('access', place))],
    response: places.flatMap(place => slotOf('response', place)),
    log: places.flatMap(place => slotOf('log', place)),
  };
}

interface Place {
  readonly plugin: string;
  readonly priority: number;
  readonly anyone: ConfiguredPlugin | undefined;
  readonly byOwner: readonly ReadonlyMap<string, ConfiguredPlugin>[];
}

function placeOf(plugin: string, candidates: readonly ConfiguredPlugin[]): Place {
  const bySteps = Map.groupBy(candidates, ({ row }) => stepOf(row));
  const steps = PRECEDENCE.flatMap(step => {
    const rows = bySteps.get(step);
    return rows ? [new Map(rows.map(configured => [ownerOf(configured.row), configured]))] : [];
  });
  const last = steps.findIndex(step => step.has(ANYONE));
  const byOwner = last === -1 ? steps : steps.slice(0, last);
  const priority = candidates.reduce((highest, candidate) => Math.max(highest, candidate.priority), Number.NEGATIVE_INFINITY);
  return { plugin, priority, anyone: steps[last]?.get(ANYONE), byOwner };
}

function slotOf<P extends Phase>(phase: P, { plugin, anyone, byOwner }: Place): Slot<NonNullable<Handlers[P]>>[] {
  type Handler = NonNullable<Handlers[P]>;
  const shared: Handler | null = anyone?.work.handlers[phase] ?? null;
  const takesPart = byOwner.some(step => step.values().some(({ work }) => work.handlers[phase] !== null));
  if (shared === null && !takesPart) return [];
  // A consumer's own configuration that takes no part in this phase still keeps the shared one away.
  const handlerOf = ({ work }: ConfiguredPlugin) => work.handlers[phase] ?? (doNothing as Handler);
  const steps = byOwner.map(step => new Map(step.entries().map(([owner, configured]) => [owner, handlerOf(configured)])));
  return [{ plugin, anyone: shared, byOwner: steps.length > 0 ? steps : null }];
}

/** Before all plugins: logs must not show credentials of requests that one of the first refuses. */
function knowing(credentialPlaces: readonly CredentialPlaces[]): Plan['access'] {
  if (credentialPlaces.length === 0) return [];
  const anyone = (context: Context) => {
    context.credentialPlaces = credentialPlaces;
    return undefined;
  };
  return [{ plugin: '', anyone, byOwner: null }];
}

const doNothing = () => undefined;

const fits = ({ enabled, protocols, route, service }: PluginRow, scope: PlanScope) =>
  enabled &&
  protocols.some(protocol => HTTP_PROTOCOLS.has(protocol)) &&
  (route === null || route.id === scope.route) &&
  (service === null || service.id === scope.service);

const ANYONE = '';
const ownerOf = ({ consumer, consumer_group }: PluginRow): string => consumer?.id ?? consumer_group?.id ?? ANYONE;

const stepOf = ({ consumer, consumer_group, route, service }: PluginRow): string =>
  [consumer && 'consumer', consumer_group && 'group', route && 'route', service && 'service'].filter(Boolean).join(' ');
