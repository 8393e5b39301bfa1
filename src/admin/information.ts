import { hostname } from 'node:os';
import type { Plugin } from '../plugins/plugin.ts';
import type { Store } from '../store/store.ts';
import type { Endpoint } from './admin-context.ts';
import type { LogLevelControl } from './log-level.ts';
import { asFields } from './rows.ts';

export interface Information {
  /** sluice's own, and the level of Kong's Admin API that it keeps to. */
  readonly version: { readonly sluice: string; readonly kong: string };
  readonly nodeId: string;
  /** The processes that serve requests, by their ids. */
  pids(): readonly number[];
  /** The settings, secrets left out, and what Kong's tools look for besides. */
  readonly configuration: Readonly<Record<string, unknown>>;
  /** The plugins that may be configured. */
  readonly plugins: readonly Plugin[];
  /** Tells the level of this moment. */
  readonly logLevel: Pick<LogLevelControl, 'get'>;
}

/** `GET /` and `GET /plugins/enabled`. */
export function informationEndpoints(store: Store, { version, nodeId, pids, configuration, plugins, logLevel }: Information): Endpoint[] {
  const available = Object.fromEntries(plugins.map(({ name, priority }) => [name, { version: version.kong, priority }]));
  return [
    {
      path: '/',
      methods: {
        GET: context =>
          context.json({
            tagline: 'Welcome to sluice',
            version: version.kong,
            edition: 'community',
            sluice: { version: version.sluice },
            hostname: hostname(),
            node_id: nodeId,
            pids: { master: process.pid, workers: pids() },
            plugins: { available_on_server: available, enabled_in_cluster: namesInUse(store) },
            configuration: { ...configuration, log_level: logLevel.get() },
          }),
      },
    },
    { path: '/plugins/enabled', methods: { GET: context => context.json({ enabled_plugins: plugins.map(plugin => plugin.name) }) } },
  ];
}

/** The plugins that some row configures. */
function namesInUse(store: Store): string[] {
  const entity = store.entities.get('plugins');
  return entity ? [...new Set([...store.all(entity)].map(row => String(asFields(row)['name'])))].sort() : [];
}

/** `GET /endpoints`: every path there is, itself included. */
export function endpointList(endpoints: readonly Endpoint[]): Endpoint {
  const path = '/endpoints';
  // Segment by segment, so that `/a/z` comes before `/ab`.
  const sortable = (text: string) => text.replaceAll('/', '\0');
  const data = [...new Set([...endpoints.map(endpoint => endpoint.path), path])]
    .map(name => name.replaceAll(/:([^/]+)/g, '{$1}'))
    .sort((a, b) => (sortable(a) < sortable(b) ? -1 : 1));
  return { path, methods: { GET: context => context.json({ data }) } };
}
