import type { Log } from '../lib/log.ts';
import type { Store } from '../store/store.ts';
import { type App, createApp } from './app.ts';
import { type MetricsOptions, metricsEndpoints } from './metrics.ts';
import { type StatusOptions, statusEndpoints } from './status.ts';

/** What `status_listen` serves. */
export function createStatus(options: StatusOptions & MetricsOptions & { readonly store: Store; readonly log: Log }): App {
  const { store, version, log } = options;
  return createApp([...statusEndpoints(options), ...metricsEndpoints(store, options)], { version: version.sluice, log });
}
