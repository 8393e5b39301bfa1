import { resolve } from 'node:path';
import { EntityError } from '../entities/entity-error.ts';
import type { PluginRow } from '../entities/plugin-entity.ts';
import { ConfigurationError } from '../lib/configuration-error.ts';
import type { CounterMemory } from '../lib/counter-memory.ts';
import { countersIn } from '../lib/counters.ts';
import type { Json } from '../lib/json.ts';
import type { Log } from '../lib/log.ts';
import type { Metrics } from '../lib/metrics.ts';
import { withoutSecrets } from '../lib/redact.ts';
import { unexpectedFailure } from '../lib/request-failure.ts';
import type { WindowCounters } from '../lib/window-counters.ts';
import type { Host, Phase, Phases, Plugin, PluginInstance } from '../plugins/plugin.ts';
import type { Store } from '../store/store.ts';
import type { Secrets } from './secrets.ts';

export type Handlers = { readonly [P in Phase | 'credentialPlaces']: NonNullable<Phases[P]> | null };

/** A plugin at work with one configuration. */
export interface Work {
  readonly handlers: Handlers;
  /** Null: it has nothing to say. */
  answer(question: Json): Json | null;
  close(): Promise<void>;
}

/**
 * `at once`: rows are configured when they come, and serve. `on trial`: what comes of it is let go of, since nothing is served
 * here. `when used`: a plan that a request needs is the first to ask for it; somebody else has tried the rows.
 */
export type Configuring = 'at once' | 'on trial' | 'when used';

/** A row of the plugins entity with what its plugin made of it. */
export interface ConfiguredPlugin {
  readonly row: PluginRow;
  /** What its plugin got of the row: references are secrets there. */
  readonly config: unknown;
  readonly priority: number;
  readonly work: Work;
  /** Why the row as it is cannot work: then its handlers let no request pass, or are still those of before. */
  readonly problem: string | null;
}

const NO_HANDLERS: Handlers = { credentialPlaces: null, access: null, response: null, log: null };
const NO_WORK: Work = { handlers: NO_HANDLERS, answer: () => null, close: async () => {} };
/** No request passes it. */
const REFUSING: Work = {
  ...NO_WORK,
  handlers: {
    ...NO_HANDLERS,
    access() {
      throw unexpectedFailure();
    },
  },
};
/** A plugin that does not work comes before all others: it may be the one that was to authenticate. */
const FIRST = Number.POSITIVE_INFINITY;
const LAST = Number.NEGATIVE_INFINITY;

export interface PluginConfigurationsOptions {
  readonly store: Store;
  readonly plugins: readonly Plugin[];
  readonly secrets: Pick<Secrets, 'resolve'>;
  readonly log: Log;
  /** What relative paths of a configuration start from. */
  readonly prefix: string;
  readonly nodeId: string;
  readonly configuring: Configuring;
  /** Of counters that this process shares with others. */
  readonly counterMemory?: CounterMemory | undefined;
  /** Of the database that gateways share. */
  readonly databaseCounters?: WindowCounters | null | undefined;
  readonly metrics: Metrics;
}

/** Turns rows of the plugins entity into handlers. */
export class PluginConfigurations {
  private readonly plugins: ReadonlyMap<string, Plugin>;
  private readonly host: Host;
  private readonly secrets: Pick<Secrets, 'resolve'>;
  private readonly log: Log;
  private readonly configuring: Configuring;

  constructor({
    store,
    plugins,
    secrets,
    log,
    prefix,
    nodeId,
    metrics,
    counterMemory,
    databaseCounters = null,
    configuring,
  }: PluginConfigurationsOptions) {
    this.configuring = configuring;
    this.plugins = new Map(plugins.map(plugin => [plugin.name, plugin]));
    this.secrets = secrets;
    this.log = log;
    this.host = {
      lookup: (entity, field) => value => store.findBy(entity, field, value),
      pointingAt: (entity, field) => id => store.pointingAt(entity, field, id),
      remembered: workOut => remembered(workOut, store),
      log,
      nodeId,
      counters: countersIn({ memory: counterMemory, file: resolve(prefix, 'sluice.counters'), log }),
      metrics,
      databaseCounters,
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
    if (!row.enabled) return { row, config: null, priority: plugin.priority, work: NO_WORK, problem: null };

    const { value: config, secrets } = this.secrets.resolve(plugin.config, row.config);
    if (before?.problem === null && isSame(before.row, row) && Bun.deepEquals(before.config, config)) return { ...before, row };
    const begin = () => {
      const phases = tellingNoSecret(secrets, () => plugin.configure(config, this.host, instanceOf(row)));
      return workOf(phases, () => this.close(row, phases));
    };
    return { row, config, priority: plugin.priority, work: this.workBegunBy(begin, row), problem: null };
  }

  /** What serves in place of a row that cannot be configured. */
  refuse(row: PluginRow, problem: string): ConfiguredPlugin {
    // Whose requests it refuses must be known by then.
    const isOwned = row.consumer !== null || row.consumer_group !== null;
    const priority = isOwned ? (this.plugins.get(row.name)?.priority ?? LAST) : FIRST;
    return { row, config: null, priority, work: row.enabled ? REFUSING : NO_WORK, problem };
  }

  private workBegunBy(begin: () => Work, { id, name }: PluginRow): Work {
    if (this.configuring === 'at once') return begin();
    if (this.configuring === 'on trial') {
      void begin().close();
      return NO_WORK;
    }
    return new WorkWhenUsed(begin, error => this.log.error('a plugin does not work here', { plugin: name, id, error: error.message }));
  }

  private async close(row: PluginRow, phases: Phases): Promise<void> {
    try {
      await phases.close?.();
    } catch (error) {
      this.log.error('a plugin could not close', { plugin: row.name, id: row.id, error: String(error) });
    }
  }
}

function workOf(phases: Phases, close: Work['close']): Work {
  const handlers: Handlers = {
    credentialPlaces: phases.credentialPlaces ?? null,
    access: phases.access?.bind(phases) ?? null,
    response: phases.response?.bind(phases) ?? null,
    log: phases.log?.bind(phases) ?? null,
  };
  return { handlers, answer: question => phases.answer?.(question) ?? null, close };
}

/** Work that begins when somebody asks for its handlers. */
class WorkWhenUsed implements Work {
  private readonly begin: () => Work;
  private readonly onFailure: (error: Error) => void;
  private begun: Work | null = null;

  constructor(begin: () => Work, onFailure: (error: Error) => void) {
    this.begin = begin;
    this.onFailure = onFailure;
  }

  get handlers(): Handlers {
    this.begun ??= this.beginOrRefuse();
    return this.begun.handlers;
  }

  answer(question: Json): Json | null {
    return this.begun?.answer(question) ?? null;
  }

  async close(): Promise<void> {
    await this.begun?.close();
  }

  private beginOrRefuse(): Work {
    try {
      return this.begin();
    } catch (error) {
      this.onFailure(error as Error);
      return REFUSING;
    }
  }
}

const instanceOf = ({ id, name, route, service, consumer_group }: PluginRow): PluginInstance => ({
  id,
  name,
  route: route?.id ?? null,
  service: service?.id ?? null,
  consumerGroup: consumer_group?.id ?? null,
});

function remembered<T>(workOut: (id: string) => T, store: Pick<Store, 'generation'>): (id: string) => T {
  const known = new Map<string, T>();
  let knownAt = store.generation;
  return id => {
    if (knownAt !== store.generation) known.clear();
    knownAt = store.generation;
    const before = known.get(id);
    if (before !== undefined) return before;
    const found = workOut(id);
    known.set(id, found);
    return found;
  };
}

const isSame = (a: PluginRow, b: PluginRow) => a.enabled === b.enabled && Bun.deepEquals(instanceOf(a), instanceOf(b));

/** What a plugin says of its configuration is shown to people: a secret it got from a vault is not. */
function tellingNoSecret<T>(secrets: readonly string[], work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (secrets.length === 0 || !(error instanceof Error)) throw error;
    const message = withoutSecrets(error.message, secrets);
    throw error instanceof ConfigurationError ? new ConfigurationError(message, error.field) : new Error(message);
  }
}

const violation = (field: string, message: string) =>
  new EntityError('schema violation', `schema violation (${field}: ${message})`, { [field]: message });
