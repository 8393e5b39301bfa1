import { foreign, record } from '../schema/field.ts';
import { timestamp, uuid } from '../schema/typedefs.ts';
import { defineEntity, type RowOf } from './entity.ts';

/** A consumer is in a group. */
export const consumerGroupConsumer = defineEntity({
  name: 'consumer_group_consumers',
  cacheKey: ['consumer_group', 'consumer'],
  generateAdminApi: false,
  schema: record(
    {
      id: uuid,
      created_at: timestamp,
      consumer_group: foreign('consumer_groups', { required: true, on_delete: 'cascade' }),
      consumer: foreign('consumers', { required: true, on_delete: 'cascade' }),
    },
    { required: true },
  ),
});

export type ConsumerGroupConsumer = RowOf<typeof consumerGroupConsumer>;
