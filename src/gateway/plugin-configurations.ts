import { resolve } from 'node:path';
import { EntityError } from '../entities/entity-error.ts';
import type { PluginRow } from '../entities/plugin-entity.ts';
import type { Log } from '../lib/log.ts';
import { RequestFailure } from '../lib/request-failure.ts';
import type { Host, Phase, Phases, Plugin } from '../plugins/plugin.ts';
import type { Store } from '../store/store.ts';
import { resolveReferences } from './references.ts';

export type Handlers = { readonly [P in Phase]: NonNullable<Phases[P]> | null };

/** A row of the plugins entity with what its plugin made of it. */
export interface ConfiguredPlugin {
  readonly row: PluginRow;
  readonly priority: number;
  readonly handlers: Handlers;
  /** Why it cannot work: then its handlers let no request pass. */
  readonly problem: string | null;
  close(): Promise<void>;
}

const NOTHING: Handlers = { access: null, response: null, log: null };
/** A plugin that does not work comes before all others: it may be the one that was to authenticate. */
const FIRST = Number.POSITIVE_INFINITY;

export interface PluginConfigurationsOptions {
  readonly store: Store;
  readonly plugins: readonly Plugin[];
  readonly log: Log;
  /** What relative paths of a configuration start from. */
  readonly prefix: string;
}

/** Turns rows of the plugins entity into handlers. */
export class PluginConfigurations {
  private readonly plugins: ReadonlyMap<string, Plugin>;
  private readonly host: Host;
  private readonly log: Log;

  constructor({ store, plugins, log, prefix }: PluginConfigurationsOptions) {
    this.plugins = new Map(plugins.map(plugin => [plugin.name, plugin]));
    this.log = log;
    this.host = {
      lookup: (entity, field) => value => store.findBy(entity, field, value),
      log,
      path: relative => resolve(prefix, relative),
    };
  }

  /** Throws an EntityError for a row that no plugin can take, and what the plugin throws for a `config` that cannot work. */
  configure(row: PluginRow): ConfiguredPlugin {
    const plugin = this.plugins.get(row.name);
    if (plugin === undefined) throw violation('name', `plugin '${row.name}' not enabled; add it to the 'plugins' configuration property`);
    if (plugin.noConsumer && row.consumer !== null) throw violation('consumer', 'value must be null');
    if (!row.enabled) return { row, priority: plugin.priority, handlers: NOTHING, problem: null, close: async () => {} };

    const phases = plugin.configure(resolveReferences(plugin.config, row.config), this.host, { id: row.id, name: row.name });
    const handlers: Handlers = {
      access: phases.access?.bind(phases) ?? null,
      response: phases.response?.bind(phases) ?? null,
      log: phases.log?.bind(phases) ?? null,
    };
    return { row, priority: plugin.priority, handlers, problem: null, close: () => this.close(row, phases) };
  }

  /** What serves in place of a row that cannot be configured: no request passes it. */
  refuse(row: PluginRow, problem: string): ConfiguredPlugin {
    const access = () => {
      throw new RequestFailure(500, 'An unexpected error occurred');
    };
    return { row, priority: FIRST, handlers: row.enabled ? { ...NOTHING, access } : NOTHING, problem, close: async () => {} };
  }

  private async close(row: PluginRow, phases: Phases): Promise<void> {
    try {
      await phases.close?.();
    } catch (error) {
      this.log.error('a plugin could not close', { plugin: row.name, id: row.id, error: String(error) });
    }
  }
}

const violation = (field: string, message: string) =>
  new EntityError('schema violation', `schema violation (${field}: ${message})`, { [field]: message });
