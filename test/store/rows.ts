import { consumer } from '../../src/entities/consumer.ts';
import { consumerGroup } from '../../src/entities/consumer-group.ts';
import { consumerGroupConsumer } from '../../src/entities/consumer-group-consumer.ts';
import { defineEntity, type Entity, type Row } from '../../src/entities/entity.ts';
import { pluginEntity } from '../../src/entities/plugin-entity.ts';
import { route } from '../../src/entities/route.ts';
import { service } from '../../src/entities/service.ts';
import { array, foreign, integer, type RecordField, record, set, string } from '../../src/schema/field.ts';
import { timestamp, uuid } from '../../src/schema/typedefs.ts';
import { validate } from '../../src/schema/validate.ts';
import type { Write } from '../../src/store/store.ts';

const configs = new Map<string, RecordField>([
  ['limiter', record({ limit: integer({ default: 10 }), note: string() }, { required: true })],
  ['logger', record({ path: string({ required: true }) }, { required: true })],
]);

export const plugin = pluginEntity(name => {
  const config = configs.get(name);
  return config ? { config } : null;
});

const ids = { id: uuid, created_at: timestamp, updated_at: timestamp };

/** What other rows list. */
export const anchor = defineEntity({
  name: 'test_anchors',
  endpointKey: 'name',
  schema: record({ ...ids, name: string({ unique: true }), notes: set(string(), { transient: true }) }, { required: true }),
});

/** Named among the rows of one parent only, and listing others. */
export const client = defineEntity({
  name: 'test_clients',
  endpointKey: 'name',
  cacheKey: ['owner', 'name'],
  listReferences: { trusted: 'test_anchors' },
  schema: record(
    {
      ...ids,
      name: string({ required: true }),
      owner: foreign('services', { on_delete: 'cascade' }),
      trusted: array(string({ uuid: true })),
    },
    { required: true },
  ),
});

/** In no useful order: a store has to find parents by itself. */
export const entities: readonly Entity[] = [client, plugin, consumerGroupConsumer, route, anchor, consumerGroup, consumer, service];

/** Numbers as ids, so that tests may speak of their order. */
export const id = (number: number) => `00000000-0000-4000-8000-${String(number).padStart(12, '0')}`;

/** A whole row of an entity, made from what a test cares about. */
export function rowOf<R extends Row>(entity: Entity<R>, fields: object): R {
  const validation = validate(entity.schema, { created_at: 1, updated_at: 1, ...fields });
  if ('errors' in validation) throw new Error(JSON.stringify(validation.errors));
  return validation.value;
}

export const serviceRow = (number: number, fields: object = {}) => rowOf(service, { id: id(number), host: 'upstream.test', ...fields });
export const routeRow = (number: number, fields: object = {}) => rowOf(route, { id: id(number), paths: [`/${number}`], ...fields });
export const consumerRow = (number: number, fields: object = {}) =>
  rowOf(consumer, { id: id(number), username: `user-${number}`, ...fields });
export const anchorRow = (number: number, fields: object = {}) => {
  const { notes: _, ...row } = rowOf(anchor, { id: id(number), ...fields });
  return row;
};
export const clientRow = (number: number, fields: object = {}) => rowOf(client, { id: id(number), name: 'one', ...fields });
export const pluginRow = (number: number, fields: object = {}) => ({
  ...rowOf(plugin, { id: id(number), name: 'limiter', ...fields }),
  config: { limit: number, note: null },
});

export const insert = (entity: Entity, row: Row): Write => ({ kind: 'insert', entity, row });
export const replace = (entity: Entity, row: Row): Write => ({ kind: 'replace', entity, row });
export const remove = (entity: Entity, removed: string): Write => ({ kind: 'remove', entity, id: removed });
