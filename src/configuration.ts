import { hostname } from 'node:os';
import { resolve } from 'node:path';
import { DnsResolver } from './balancing/dns-resolver.ts';
import { entitiesOf } from './gateway/entities.ts';
import { type Gateway, type GatewayOptions, openGateway } from './gateway/gateway.ts';
import { ConfigurationError } from './lib/configuration-error.ts';
import type { Log } from './lib/log.ts';
import { namesOf } from './outbound-settings.ts';
import type { Plugin } from './plugins/plugin.ts';
import { enabledPlugins } from './plugins/registry.ts';
import { readText } from './read-settings.ts';
import type { Settings } from './settings.ts';
import { type DeclarativeText, readDeclarative, writeDeclarative } from './store/declarative.ts';
import { openStore } from './store/memory.ts';
import { untilUpToDate } from './store/outdated.ts';
import { openSqlite } from './store/sqlite.ts';
import { SqliteCounters } from './store/sqlite-counters.ts';
import type { Store } from './store/store.ts';
import { vaults } from './vaults/registry.ts';

/** What operators configured, held and served. */
export interface Configuration {
  readonly plugins: readonly Plugin[];
  readonly store: Store;
  readonly gateway: Gateway;
  /** The file of the database, or null: memory. */
  readonly place: string | null;
  close(): Promise<void>;
}

/** Opens the database, or an empty configuration in memory with `database: off`, and compiles what is there; to serve it, if options say so. */
export async function openConfiguration(
  settings: Settings,
  log: Log,
  options: Pick<GatewayOptions, 'configuring' | 'onApplied' | 'counterMemory'> = { configuring: 'on trial' },
  databaseCounters: SqliteCounters | null = countersOf(settings),
): Promise<Configuration> {
  const { plugins, store, place } = await openRows(settings, log);
  const names = namesOf(settings, process.env);
  const gateway = await openGateway({
    store,
    plugins,
    vaults,
    log,
    prefix: resolve(settings.prefix),
    nodeId: nodeId(settings),
    resolver: new DnsResolver(names),
    lookUpHosts: names.lookUpHosts,
    databaseCounters,
    ...options,
  });
  const close = async () => {
    await gateway.close();
    await store.close();
    databaseCounters?.close();
  };
  return { plugins, store, gateway, place, close };
}

function countersOf(settings: Settings): SqliteCounters | null {
  const file = counterFile(settings);
  return file === null ? null : new SqliteCounters(file);
}

/** Where gateways of one database count what they count together; null: there is no database. */
export function counterFile(settings: Settings): string | null {
  const place = databaseFile(settings);
  return place === null ? null : `${place}-counters`;
}

/** The rows alone: nothing is compiled, no vault is asked. */
async function openRows(settings: Settings, log?: Log): Promise<Pick<Configuration, 'plugins' | 'store' | 'place'>> {
  const plugins = enabledPlugins(settings.plugins);
  const entities = entitiesOf(plugins);
  const place = databaseFile(settings);
  return { plugins, place, store: await openStore(entities, place === null ? undefined : openSqlite(place, entities, log)) };
}

/**
 * Makes the configuration hold what a declarative file says: all of it and nothing else, or merged into what is there.
 * Throws an EntityError and changes nothing when it cannot be. Resolves to the number of rows written.
 */
export async function loadDeclarative(
  { store, gateway }: Configuration,
  source: DeclarativeText,
  mode: 'merge' | 'replace',
): Promise<number> {
  return untilUpToDate(async () => {
    const { revision } = store;
    const file = await readDeclarative(source, store, mode);
    try {
      await gateway.write(file.writes, revision);
    } catch (error) {
      if (error instanceof ConfigurationError) file.blame(error.row, ['config', ...(error.field?.split('.') ?? [])], error.message);
      throw error;
    }
    return file.writes.length;
  });
}

/** Throws when the file cannot be a configuration. Resolves to what of it does not work here and now, such as a secret that cannot be had. */
export async function checkDeclarative(settings: Settings, file: string, log: Log): Promise<string | null> {
  const configuration = await openConfiguration({ ...settings, database: 'off' }, log, { configuring: 'on trial' }, countersOf(settings));
  try {
    await loadDeclarative(configuration, await readSource(file), 'replace');
    return configuration.gateway.fault;
  } finally {
    await configuration.close();
  }
}

/** Merges a declarative file into the database. Resolves to the number of rows written. */
export async function importDeclarative(settings: Settings, file: string, log: Log): Promise<number> {
  const source = await readSource(file);
  const configuration = await openConfiguration(withDatabase(settings), log);
  try {
    return await loadDeclarative(configuration, source, 'merge');
  } finally {
    await configuration.close();
  }
}

export async function exportDeclarative(settings: Settings): Promise<string> {
  const { store } = await openRows(withDatabase(settings));
  try {
    return writeDeclarative(store);
  } finally {
    await store.close();
  }
}

/** `-` is the standard input, as it is for decK. */
async function readSource(file: string): Promise<DeclarativeText> {
  const [text, name] = file === '-' ? [await Bun.stdin.text(), 'stdin'] : [readText(file), file];
  return { text, name, environment: process.env };
}

function withDatabase(settings: Settings): Settings {
  if (settings.database === 'off') throw new ConfigurationError('database is off: there is nothing to write into or to read from');
  return settings;
}

function databaseFile({ database, prefix }: Settings): string | null {
  return database === 'off' ? null : resolve(prefix, database.slice('sqlite://'.length));
}

/** The same for as long as the machine and the place of the configuration are: a UUID made of both. */
export const nodeId = (settings: Settings): string =>
  Bun.randomUUIDv5(`${hostname()}:${databaseFile(settings) ?? resolve(settings.prefix)}`, Bun.randomUUIDv5('sluice', 'dns'));
