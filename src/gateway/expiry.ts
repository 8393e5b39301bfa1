import type { Clock } from '../lib/clock.ts';
import type { Log } from '../lib/log.ts';
import type { Change, Store } from '../store/store.ts';
import { keyOf, type RowPointer } from './row-pointer.ts';

export interface ExpiryOptions {
  readonly store: Store;
  readonly clock: Clock;
  readonly log: Log;
  remove(ended: readonly RowPointer[]): Promise<void>;
}

interface End {
  readonly pointer: RowPointer;
  /** Milliseconds since 1970. */
  readonly at: number;
}

/** A timer takes no longer time than about 24 days; and the system's clock may be set. */
const LONGEST_SLEEP_MS = 60 * 60 * 1000;
const RETRY_MS = 60 * 1000;

/** Removes rows whose time is over. Who looks one up before it is gone sees itself that it has ended. */
export class Expiry {
  private readonly options: ExpiryOptions;
  private readonly ends = new Map<string, End>();
  private wakesAt = Number.POSITIVE_INFINITY;
  private stopSleeping = () => {};

  constructor(options: ExpiryOptions) {
    this.options = options;
  }

  /** Learns of all rows there are. */
  open(): void {
    const { store } = this.options;
    for (const entity of store.entities.values()) {
      if (entity.schema.facts.ttl) this.note([...store.all(entity)].map(row => ({ entity, id: row.id, row })));
    }
  }

  note(changes: readonly Change[]): void {
    for (const { entity, id, row } of changes) {
      if (!entity.schema.facts.ttl) continue;
      const pointer = { entity, id };
      if (row?.expires_at == null) {
        this.ends.delete(keyOf(pointer));
      } else {
        this.ends.set(keyOf(pointer), { pointer, at: row.expires_at * 1000 });
        this.sleepUntil(row.expires_at * 1000);
      }
    }
  }

  close(): void {
    this.stopSleeping();
    this.ends.clear();
  }

  private sleepUntil(time: number): void {
    if (time >= this.wakesAt) return;
    this.stopSleeping();
    this.wakesAt = time;
    const milliseconds = Math.min(Math.max(time - Date.now(), 0), LONGEST_SLEEP_MS);
    this.stopSleeping = this.options.clock.after(milliseconds, () => void this.wake());
  }

  private async wake(): Promise<void> {
    this.wakesAt = Number.POSITIVE_INFINITY;
    const now = Date.now();
    const ended = [...this.ends.values()].filter(({ at }) => at <= now).map(({ pointer }) => pointer);
    try {
      if (ended.length > 0) await this.options.remove(ended);
    } catch (error) {
      this.options.log.error('rows whose time is over cannot be removed yet', { error: (error as Error).message });
      this.sleepUntil(now + RETRY_MS);
      return;
    }
    let next = Number.POSITIVE_INFINITY;
    for (const { at } of this.ends.values()) next = Math.min(next, at);
    this.sleepUntil(next);
  }
}
