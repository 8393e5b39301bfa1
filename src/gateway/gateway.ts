import { resolve } from 'node:path';
import { Balancers } from '../balancing/balancers.ts';
import { DnsResolver, SYSTEM_DNS } from '../balancing/dns-resolver.ts';
import type { Observation } from '../balancing/health.ts';
import type { Resolver } from '../balancing/resolver.ts';
import type { Certificate } from '../entities/certificate.ts';
import type { Entity, Row } from '../entities/entity.ts';
import { type Clock, systemClock } from '../lib/clock.ts';
import type { CounterMemory } from '../lib/counter-memory.ts';
import type { Json } from '../lib/json.ts';
import type { Log } from '../lib/log.ts';
import { Metrics } from '../lib/metrics.ts';
import { createTurns } from '../lib/turns.ts';
import type { WindowCounters } from '../lib/window-counters.ts';
import type { Plugin, Question } from '../plugins/plugin.ts';
import type { Change, Store, Write } from '../store/store.ts';
import type { Vault } from '../vaults/vault.ts';
import { pairIn } from './certificate-pairs.ts';
import { Expiry } from './expiry.ts';
import { LiveSnapshot, type Prepared } from './live-snapshot.ts';
import { type Configuring, PluginConfigurations } from './plugin-configurations.ts';
import { keyOf, type RowPointer } from './row-pointer.ts';
import { Secrets } from './secrets.ts';
import type { Snapshot } from './snapshot.ts';

export interface GatewayOptions {
  readonly store: Store;
  /** Those that are enabled. */
  readonly plugins: readonly Plugin[];
  /** The kinds of vault there are. */
  readonly vaults?: readonly Vault[];
  readonly log: Log;
  /** What relative paths of configurations start from. */
  readonly prefix: string;
  /** What plugins call this gateway. */
  readonly nodeId?: string;
  /** Of counters that this process shares with others. */
  readonly counterMemory?: CounterMemory | undefined;
  /** Of the database that gateways share. */
  readonly databaseCounters?: WindowCounters | null | undefined;
  /** Of the process, unless given. */
  readonly environment?: Readonly<Record<string, string | undefined>>;
  readonly clock?: Clock;
  /** `at once`, unless given. */
  readonly configuring?: Configuring;
  /** Finds the addresses of targets that are names, and of other hosts where `lookUpHosts` says so. */
  readonly resolver?: Resolver;
  readonly lookUpHosts?: boolean;
  /** Takes what was seen of targets, where it is counted in another process. */
  readonly countHealth?: (observation: Observation) => void;
  /** Told of all changes once they serve here, in order, those that were made elsewhere too: what made them waits for it. */
  readonly onApplied?: (changes: readonly Change[]) => Promise<void>;
}

/** Keeps the snapshot in step with the store. */
export interface Gateway {
  readonly snapshot: Snapshot;
  readonly balancers: Balancers;
  /**
   * Makes changes durable and serves them: the next request sees what was written when it resolves. Writes wait for each
   * other. `decidedAt` is the store's revision that they rest on, that of this moment when it is not given.
   * Throws an EntityError, or the ConfigurationError of a plugin; nothing changed then.
   */
  write(writes: readonly Write[], decidedAt?: number): Promise<void>;
  /** Tries what a row would do, and writes nothing. Throws as `write` does for what cannot be put to work. */
  rehearse(entity: Entity, row: Row): Promise<void>;
  /**
   * Takes over, in memory alone, what another gateway has accepted, and serves it: what of it does not work here lets no
   * request pass, or is still what it was, and is a fault.
   */
  follow(changes: readonly Change[]): Promise<void>;
  /**
   * Why the snapshot is not what the store holds, or what of it does not work; null when all is well. Rows found broken
   * when the gateway opens let no request pass; changes made elsewhere that cannot be compiled leave the old ones serving.
   */
  readonly fault: string | null;
  /** What its plugins count. */
  readonly metrics: Metrics;
  /** What those of its plugins answer that are asked. */
  ask(question: Question): readonly Json[];
  /** Waits for the writes under way, then closes every plugin configuration. The store stays open. */
  close(): Promise<void>;
}

/** Waits for the vaults that rows refer to, but not for long. */
export async function openGateway(options: GatewayOptions): Promise<Gateway> {
  const gateway = new StoreGateway(options);
  await gateway.open();
  return gateway;
}

/** Entities whose rows the snapshot is made of. */
const ENTITIES = ['services', 'routes', 'plugins', 'certificates', 'snis', 'upstreams', 'targets'];

class StoreGateway implements Gateway {
  readonly snapshot: LiveSnapshot;
  readonly balancers: Balancers;
  readonly metrics = new Metrics();
  private readonly store: Store;
  private readonly secrets: Secrets;
  private readonly expiry: Expiry;
  private readonly log: Log;
  private readonly onApplied: (changes: readonly Change[]) => Promise<void>;
  private readonly stopWatching: () => void;
  private readonly inTurn = createTurns();
  /** Rows changed elsewhere that the snapshot does not show yet. */
  private readonly behind = new Map<string, RowPointer>();
  private behindBecause: string | null = null;
  private unreadableBecause: string | null = null;

  constructor(options: GatewayOptions) {
    const {
      store,
      plugins,
      vaults = [],
      log,
      prefix,
      counterMemory,
      databaseCounters,
      environment = process.env,
      clock = systemClock,
      nodeId = crypto.randomUUID(),
      configuring = 'at once',
      resolver = new DnsResolver(SYSTEM_DNS),
      lookUpHosts = false,
      countHealth = null,
      onApplied,
    } = options;
    this.store = store;
    this.log = log;
    this.onApplied = onApplied ?? (async () => {});
    const host = { environment, path: (relative: string) => resolve(prefix, relative) };
    this.secrets = new Secrets({ store, vaults, host, log, clock, entities: ENTITIES, onDue: () => this.renewSecrets() });
    const configurations = new PluginConfigurations({
      store,
      plugins,
      secrets: this.secrets,
      log,
      prefix,
      nodeId,
      metrics: this.metrics,
      counterMemory,
      databaseCounters,
      configuring,
    });
    const pairOf = (row: Certificate) => pairIn(row, this.secrets);
    this.balancers = new Balancers({ store, resolver, lookUpHosts, clock, log, pairOf, countedElsewhere: countHealth });
    this.snapshot = new LiveSnapshot(store, configurations, this.secrets, this.balancers);
    const remove = (ended: readonly RowPointer[]) => this.write(ended.map(pointer => ({ kind: 'remove', ...pointer })));
    this.expiry = new Expiry({ store, clock, log, remove });
    this.stopWatching = store.watch(
      changes => void this.inTurn(() => this.changedElsewhere(changes)),
      error => void this.inTurn(async () => this.cannotRead(error)),
    );
  }

  open(): Promise<void> {
    return this.inTurn(async () => {
      await this.secrets.load([...this.everything()]);
      // The rows as they are by now.
      const rows = [...this.everything()];
      this.apply(this.snapshot.prepareInSpiteOfProblems(rows), rows);
      this.expiry.open();
    });
  }

  get fault(): string | null {
    const faults = [
      this.unreadableBecause,
      this.behindBecause,
      ...this.snapshot.problems,
      ...this.balancers.problems,
      ...this.secrets.problems,
    ].filter(fault => fault !== null);
    return faults.length > 0 ? faults.join('; ') : null;
  }

  write(writes: readonly Write[], decidedAt = this.store.revision): Promise<void> {
    return this.inTurn(async () => {
      const loaded = await this.secrets.load(writes.map(asChange));
      let changes: readonly Change[];
      try {
        changes = this.store.stage(writes);
        const prepared = this.snapshot.prepare(changes, this.alongside(changes, loaded.affected));
        await this.commit(changes, prepared, decidedAt);
        this.apply(prepared, changes);
        for (const change of changes) this.behind.delete(keyOf(change));
      } catch (error) {
        loaded.undo();
        throw error;
      }
      await this.onApplied(changes);
      if (this.behind.size > 0) await this.catchUp();
    });
  }

  ask(question: Question): readonly Json[] {
    return this.snapshot.ask(question);
  }

  rehearse(entity: Entity, row: Row): Promise<void> {
    return this.inTurn(async () => {
      const changes = [{ entity, id: row.id, row }];
      const loaded = await this.secrets.load(changes);
      try {
        await this.snapshot.discard(this.snapshot.prepare(changes));
      } finally {
        loaded.undo();
      }
    });
  }

  follow(changes: readonly Change[]): Promise<void> {
    return this.inTurn(async () => {
      const { affected } = await this.secrets.load(changes);
      await this.store.commit(changes);
      this.apply(this.snapshot.prepareInSpiteOfProblems([...changes, ...this.alongside(changes, affected)]), changes);
    });
  }

  async close(): Promise<void> {
    this.stopWatching();
    this.secrets.close();
    this.expiry.close();
    await this.inTurn(() => this.snapshot.close());
  }

  private async commit(changes: readonly Change[], prepared: Prepared, decidedAt: number): Promise<void> {
    try {
      await this.store.commit(changes, decidedAt);
    } catch (error) {
      await this.snapshot.discard(prepared);
      throw error;
    }
  }

  private apply(prepared: Prepared, changes: readonly Change[]): void {
    this.secrets.keep(changes);
    this.expiry.note(changes);
    for (const problem of this.snapshot.apply(prepared)) this.log.error('configuration that does not work', { problem });
  }

  /** The rows that are none of the changes. */
  private alongside(changes: readonly Change[], affected: readonly RowPointer[]): readonly Change[] {
    const own = new Set(changes.map(keyOf));
    return affected.filter(pointer => !own.has(keyOf(pointer))).map(pointer => this.latest(pointer));
  }

  private latest({ entity, id }: RowPointer): Change {
    return { entity, id, row: this.store.find(entity, id) ?? null };
  }

  private async renewSecrets(): Promise<void> {
    const take = await this.secrets.readDue();
    await this.inTurn(async () => {
      const rows = take().map(pointer => this.latest(pointer));
      if (rows.length > 0) this.apply(this.snapshot.prepareInSpiteOfProblems(rows), []);
    });
  }

  private *everything(): Iterable<Change> {
    for (const name of ENTITIES) {
      const entity = this.store.entities.get(name);
      if (entity !== undefined) for (const row of this.store.all(entity)) yield { entity, id: row.id, row };
    }
  }

  private async changedElsewhere(changes: readonly Change[]): Promise<void> {
    this.unreadableBecause = null;
    for (const { entity, id } of changes) this.behind.set(keyOf({ entity, id }), { entity, id });
    if (this.behind.size > 0) await this.catchUp();
  }

  private async catchUp(): Promise<void> {
    const pointers = [...this.behind.values()];
    const loaded = await this.secrets.load(pointers.map(pointer => this.latest(pointer)));
    // The rows as they are now: a write of our own, or another of somebody else, may have come after.
    const latest = pointers.map(pointer => this.latest(pointer));
    try {
      this.apply(this.snapshot.prepare(latest, this.alongside(latest, loaded.affected)), latest);
      this.behind.clear();
      this.behindBecause = null;
    } catch (error) {
      loaded.undo();
      this.behindBecause = `a change made elsewhere does not work, what was there before still serves: ${(error as Error).message}`;
      this.log.error(this.behindBecause);
      return;
    }
    await this.onApplied(latest);
  }

  private cannotRead(error: Error): void {
    this.unreadableBecause = `changes made elsewhere cannot be read: ${error.message}`;
    this.log.error(this.unreadableBecause);
  }
}

const asChange = (write: Write): Change =>
  write.kind === 'remove' ? { ...write, row: null } : { entity: write.entity, id: write.row.id, row: write.row };
