import { consumerGroup } from '../entities/consumer-group.ts';
import { consumerGroupConsumer } from '../entities/consumer-group-consumer.ts';
import type { Store } from '../store/store.ts';

/** Which groups consumers are in: looked up when first asked for, and anew after a change. */
export class Memberships {
  private readonly store: Store;
  private readonly known = new Map<string, readonly string[]>();
  private knownAt = 0;

  constructor(store: Store) {
    this.store = store;
  }

  /** Ids of the consumer's groups in the order of their names, as of this version of the snapshot. */
  of(consumer: string, version: number): readonly string[] {
    if (version !== this.knownAt) this.known.clear();
    this.knownAt = version;
    const known = this.known.get(consumer) ?? this.read(consumer);
    this.known.set(consumer, known);
    return known;
  }

  private read(consumer: string): readonly string[] {
    const { rows } = this.store.page(consumerGroupConsumer, { size: 1000, where: { field: 'consumer', id: consumer } });
    const groups = rows.flatMap(row => this.store.find(consumerGroup, row.consumer_group.id) ?? []);
    return groups.sort((a, b) => (a.name < b.name ? -1 : 1)).map(({ id }) => id);
  }
}
