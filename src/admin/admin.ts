import type { Entity } from '../entities/entity.ts';
import type { Json } from '../lib/json.ts';
import type { Log } from '../lib/log.ts';
import type { Question } from '../plugins/plugin.ts';
import type { Store } from '../store/store.ts';
import { guard } from './access.ts';
import { type App, createApp } from './app.ts';
import { certificateResource } from './certificates.ts';
import { type DeclarativeTarget, declarativeEndpoints } from './declarative-config.ts';
import { endpointList, type Information, informationEndpoints } from './information.ts';
import { type LogLevelControl, logLevelEndpoints } from './log-level.ts';
import { membershipEndpoints } from './memberships.ts';
import { metricsEndpoints } from './metrics.ts';
import { pluginEndpoints } from './plugin-paths.ts';
import { plainResource, type Resource } from './resource.ts';
import { resourceEndpoints } from './resources.ts';
import { schemaEndpoints } from './schemas.ts';
import { type StatusOptions, statusEndpoints } from './status.ts';
import { tagEndpoints } from './tags.ts';
import { type BalancerControl, upstreamHealthEndpoints } from './upstream-health.ts';
import { createWriter, type Writable } from './writer.ts';

export interface AdminOptions extends Information, StatusOptions {
  readonly store: Store;
  readonly gateway: Writable;
  readonly balancers: BalancerControl;
  readonly log: Log;
  /** Null: none is required, and the address is loopback. */
  readonly token: string | null;
  /** Origins of the web UI: `https://manager.example:8445`. */
  readonly guiOrigins: readonly string[];
  readonly logLevel: LogLevelControl;
  /** Puts a question to plugins in all processes that serve. */
  ask(question: Question): Promise<readonly Json[]>;
  /** Without a database: replaces the whole configuration. With one, null, and rows are written one by one. */
  readonly declarative: DeclarativeTarget | null;
}

/** The entities that are more in the Admin API than their declarations say. */
const SPECIAL: Readonly<Record<string, (store: Store, plain: Resource) => Resource>> = {
  certificates: certificateResource,
};

/** The Admin API. */
export function createAdmin(options: AdminOptions): App {
  const { store, gateway, log, token, guiOrigins, version, logLevel, declarative } = options;
  const writer = createWriter(store, gateway, declarative !== null);
  const resources = new Map(
    [...store.entities.values()].map(entity => {
      const plain = plainResource(store, entity);
      return [entity.name, SPECIAL[entity.name]?.(store, plain) ?? plain] as const;
    }),
  );
  const endpoints = [
    ...informationEndpoints(store, options),
    ...statusEndpoints(options),
    ...metricsEndpoints(store, options),
    ...schemaEndpoints(store, writer),
    ...tagEndpoints(store),
    ...logLevelEndpoints(logLevel),
    ...declarativeEndpoints(store, declarative),
    ...pluginEndpoints(options.plugins, options.ask),
    ...membershipEndpoints(store, writer),
    ...upstreamHealthEndpoints(store, options.balancers, options.nodeId),
    ...resourceEndpoints(store, writer, resources),
  ];
  return createApp([...endpoints, endpointList(endpoints)], {
    version: version.sluice,
    log,
    guard: guard(token, guiOrigins),
    guiOrigins,
    secretSegments: secretNames(store),
  });
}

/** The entities whose rows are found by a secret. */
function secretNames({ entities }: Store): ReadonlySet<string> {
  const isSecret = ({ endpointIsSecret }: Entity) => endpointIsSecret === true;
  return new Set([...entities.values()].filter(isSecret).map(({ name }) => name));
}
