import { record, string } from '../schema/field.ts';
import { tags, timestamp, uuid } from '../schema/typedefs.ts';
import { defineEntity } from './entity.ts';

/** Consumers for whom plugins are configured alike. Source: https://developer.konghq.com/gateway/entities/consumer-group/ */
export const consumerGroup = defineEntity({
  name: 'consumer_groups',
  endpointKey: 'name',
  schema: record(
    {
      id: uuid,
      created_at: timestamp,
      updated_at: timestamp,
      name: string({ required: true, unique: true }),
      tags,
    },
    { required: true },
  ),
});
