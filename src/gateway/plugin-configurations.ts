import { resolve } from 'node:path';
import { EntityError } from '../entities/entity-error.ts';
import type { PluginRow } from '../entities/plugin-entity.ts';
import { ConfigurationError } from '../lib/configuration-error.ts';
import type { Log } from '../lib/log.ts';
import { REDACTED } from '../lib/redact.ts';
import { RequestFailure } from '../lib/request-failure.ts';
import type { Host, Phase, Phases, Plugin } from '../plugins/plugin.ts';
import type { Store } from '../store/store.ts';
import type { Secrets } from './secrets.ts';

export type Handlers = { readonly [P in Phase]: NonNullable<Phases[P]> | null };

/** A row of the plugins entity with what its plugin made of it. */
export interface ConfiguredPlugin {
  readonly row: PluginRow;
  /** What its plugin got of the row: references are secrets there. */
  readonly config: unknown;
  readonly priority: number;
  readonly handlers: Handlers;
  /** Why the row as it is cannot work: then its handlers let no request pass, or are still those of before. */
  readonly problem: string | null;
  close(): Promise<void>;
}

const NOTHING: Handlers = { access: null, response: null, log: null };
/** A plugin that does not work comes before all others: it may be the one that was to authenticate. */
const FIRST = Number.POSITIVE_INFINITY;

export interface PluginConfigurationsOptions {
  readonly store: Store;
  readonly plugins: readonly Plugin[];
  readonly secrets: Pick<Secrets, 'resolve'>;
  readonly log: Log;
  /** What relative paths of a configuration start from. */
  readonly prefix: string;
  readonly nodeId: string;
}

/** Turns rows of the plugins entity into handlers. */
export class PluginConfigurations {
  private readonly plugins: ReadonlyMap<string, Plugin>;
  private readonly host: Host;
  private readonly secrets: Pick<Secrets, 'resolve'>;
  private readonly log: Log;

  constructor({ store, plugins, secrets, log, prefix, nodeId }: PluginConfigurationsOptions) {
    this.plugins = new Map(plugins.map(plugin => [plugin.name, plugin]));
    this.secrets = secrets;
    this.log = log;
    this.host = {
      lookup: (entity, field) => value => store.findBy(entity, field, value),
      log,
      nodeId,
      path: relative => resolve(prefix, relative),
    };
  }

  /**
   * A plugin keeps what it has gathered `before` while nothing of its own changed. Throws an EntityError for a row that no
   * plugin can take, an UnresolvedReference, and what the plugin throws for a `config` that cannot work.
   */
  configure(row: PluginRow, before?: ConfiguredPlugin): ConfiguredPlugin {
    const plugin = this.plugins.get(row.name);
    if (plugin === undefined) throw violation('name', `plugin '${row.name}' not enabled; add it to the 'plugins' configuration property`);
    if (!row.enabled) return { row, config: null, priority: plugin.priority, handlers: NOTHING, problem: null, close: async () => {} };

    const { value: config, secrets } = this.secrets.resolve(plugin.config, row.config);
    if (before?.problem === null && isSame(before.row, row) && Bun.deepEquals(before.config, config)) return { ...before, row };
    const phases = withoutSecrets(secrets, () => plugin.configure(config, this.host, { id: row.id, name: row.name }));
    const handlers: Handlers = {
      access: phases.access?.bind(phases) ?? null,
      response: phases.response?.bind(phases) ?? null,
      log: phases.log?.bind(phases) ?? null,
    };
    return { row, config, priority: plugin.priority, handlers, problem: null, close: () => this.close(row, phases) };
  }

  /** What serves in place of a row that cannot be configured: no request passes it. */
  refuse(row: PluginRow, problem: string): ConfiguredPlugin {
    const access = () => {
      throw new RequestFailure(500, 'An unexpected error occurred');
    };
    return { row, config: null, priority: FIRST, handlers: row.enabled ? { ...NOTHING, access } : NOTHING, problem, close: async () => {} };
  }

  private async close(row: PluginRow, phases: Phases): Promise<void> {
    try {
      await phases.close?.();
    } catch (error) {
      this.log.error('a plugin could not close', { plugin: row.name, id: row.id, error: String(error) });
    }
  }
}

const isSame = (a: PluginRow, b: PluginRow) => a.name === b.name && a.enabled === b.enabled;

/** What a plugin says of its configuration is shown to people: a secret it got from a vault is not. */
function withoutSecrets<T>(secrets: readonly string[], work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (secrets.length === 0 || !(error instanceof Error)) throw error;
    const message = secrets.reduce((text, secret) => text.replaceAll(secret, REDACTED), error.message);
    throw error instanceof ConfigurationError ? new ConfigurationError(message, error.field) : new Error(message);
  }
}

const violation = (field: string, message: string) =>
  new EntityError('schema violation', `schema violation (${field}: ${message})`, { [field]: message });
