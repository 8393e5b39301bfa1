import type { Entity } from '../entities/entity.ts';
import type { Log } from '../lib/log.ts';
import type { Plugin } from '../plugins/plugin.ts';
import type { Change, Store, Write } from '../store/store.ts';
import { LiveSnapshot } from './live-snapshot.ts';
import { PluginConfigurations } from './plugin-configurations.ts';
import type { Snapshot } from './snapshot.ts';

export interface GatewayOptions {
  readonly store: Store;
  /** Those that are enabled. */
  readonly plugins: readonly Plugin[];
  readonly log: Log;
  /** What relative paths of plugin configurations start from. */
  readonly prefix: string;
}

/** Keeps the snapshot in step with the store. */
export interface Gateway {
  readonly snapshot: Snapshot;
  /**
   * Makes changes durable and serves them: the next request sees what was written when it resolves. Writes wait for each
   * other. Throws an EntityError, or the ConfigurationError of a plugin; nothing changed then.
   */
  write(writes: readonly Write[]): Promise<void>;
  /**
   * Why the snapshot is not what the store holds, or what of it does not work; null when all is well. Rows found broken
   * when the gateway opens let no request pass; changes made elsewhere that cannot be compiled leave the old ones serving.
   */
  readonly fault: string | null;
  /** Waits for the writes under way, then closes every plugin configuration. The store stays open. */
  close(): Promise<void>;
}

export async function openGateway(options: GatewayOptions): Promise<Gateway> {
  return new StoreGateway(options);
}

const ENTITIES = ['services', 'routes', 'plugins'];

class StoreGateway implements Gateway {
  readonly snapshot: LiveSnapshot;
  private readonly store: Store;
  private readonly log: Log;
  private readonly stopWatching: () => void;
  private turn: Promise<unknown> = Promise.resolve();
  /** Rows changed elsewhere that the snapshot does not show yet. */
  private readonly behind = new Map<string, { readonly entity: Entity; readonly id: string }>();
  private behindBecause: string | null = null;
  private unreadableBecause: string | null = null;

  constructor({ store, plugins, log, prefix }: GatewayOptions) {
    this.store = store;
    this.log = log;
    this.snapshot = new LiveSnapshot(store, new PluginConfigurations({ store, plugins, log, prefix }));
    this.snapshot.apply(this.snapshot.prepareInSpiteOfProblems([...this.everything()]));
    for (const problem of this.snapshot.problems) log.error('configuration that does not work lets no request pass', { problem });
    this.stopWatching = store.watch(
      changes => void this.inTurn(async () => this.changedElsewhere(changes)),
      error => void this.inTurn(async () => this.cannotRead(error)),
    );
  }

  get fault(): string | null {
    const faults = [this.unreadableBecause, this.behindBecause, ...this.snapshot.problems].filter(fault => fault !== null);
    return faults.length > 0 ? faults.join('; ') : null;
  }

  write(writes: readonly Write[]): Promise<void> {
    return this.inTurn(async () => {
      const changes = this.store.stage(writes);
      const prepared = this.snapshot.prepare(changes);
      try {
        await this.store.commit(changes);
      } catch (error) {
        await this.snapshot.discard(prepared);
        throw error;
      }
      this.snapshot.apply(prepared);
      if (this.behind.size === 0) return;
      for (const change of changes) this.behind.delete(keyOf(change));
      this.catchUp();
    });
  }

  async close(): Promise<void> {
    this.stopWatching();
    await this.inTurn(() => this.snapshot.close());
  }

  private *everything(): Iterable<Change> {
    for (const name of ENTITIES) {
      const entity = this.store.entities.get(name);
      if (entity === undefined) throw new Error(`the store has no entity '${name}'`);
      for (const row of this.store.all(entity)) yield { entity, id: row.id, row };
    }
  }

  private changedElsewhere(changes: readonly Change[]): void {
    this.unreadableBecause = null;
    for (const { entity, id } of changes) this.behind.set(keyOf({ entity, id }), { entity, id });
    if (this.behind.size > 0) this.catchUp();
  }

  private catchUp(): void {
    // The rows as they are now: a write of our own may have come after.
    const latest = [...this.behind.values()].map(({ entity, id }) => ({ entity, id, row: this.store.find(entity, id) ?? null }));
    try {
      this.snapshot.apply(this.snapshot.prepare(latest));
      this.behind.clear();
      this.behindBecause = null;
    } catch (error) {
      this.behindBecause = `a change made elsewhere does not work, what was there before still serves: ${(error as Error).message}`;
      this.log.error(this.behindBecause);
    }
  }

  private cannotRead(error: Error): void {
    this.unreadableBecause = `changes made elsewhere cannot be read: ${error.message}`;
    this.log.error(this.unreadableBecause);
  }

  private inTurn<T>(work: () => Promise<T>): Promise<T> {
    const result = this.turn.then(work);
    this.turn = result.catch(() => undefined);
    return result;
  }
}

const keyOf = ({ entity, id }: { readonly entity: Entity; readonly id: string }) => `${entity.name} ${id}`;
