import { expect, test } from 'bun:test';
import { consumer } from '../../src/entities/consumer.ts';
import { consumerGroup } from '../../src/entities/consumer-group.ts';
import { consumerGroupConsumer } from '../../src/entities/consumer-group-consumer.ts';
import type { Entity, Row } from '../../src/entities/entity.ts';
import { Memberships } from '../../src/gateway/memberships.ts';
import { openStore } from '../../src/store/memory.ts';
import { id, rowOf } from '../store/rows.ts';

const ENTITIES = [consumer, consumerGroup, consumerGroupConsumer] as readonly Entity[];

test('the groups of a consumer come by name, and are those of the version asked for', async () => {
  const store = await openStore(ENTITIES);
  const insert = (entity: { readonly name: string }, row: Row) =>
    store.commit(store.stage([{ kind: 'insert', entity: entity as Entity, row }]));
  for (const [number, username] of [[1, 'ada'] as const, [2, 'bob'] as const]) {
    await insert(consumer, rowOf(consumer, { id: id(number), username }));
  }
  for (const [number, name] of [[11, 'silver'] as const, [12, 'gold'] as const]) {
    await insert(consumerGroup, rowOf(consumerGroup, { id: id(number), name }));
  }
  const join = (number: number, member: number, group: number) => {
    const row = { id: id(number), created_at: 1, consumer: { id: id(member) }, consumer_group: { id: id(group) } };
    return insert(consumerGroupConsumer, row);
  };
  await join(21, 1, 11);

  const memberships = new Memberships(store);
  expect([memberships.of(id(1), 1), memberships.of(id(2), 1)]).toEqual([[id(11)], []]);
  await join(22, 1, 12);
  await join(23, 2, 12);
  expect(memberships.of(id(1), 1)).toEqual([id(11)]);
  expect([memberships.of(id(1), 2), memberships.of(id(2), 2)]).toEqual([[id(12), id(11)], [id(12)]]);
});
