import { record, string } from '../schema/field.ts';
import { tags, timestamp, uuid } from '../schema/typedefs.ts';
import { defineEntity, type RowOf } from './entity.ts';

/** Somebody who calls. */
export const consumer = defineEntity({
  name: 'consumers',
  endpointKey: 'username',
  schema: record(
    {
      id: uuid,
      created_at: timestamp,
      updated_at: timestamp,
      username: string({ unique: true }),
      custom_id: string({ unique: true }),
      tags,
    },
    { required: true, entity_checks: [{ at_least_one_of: ['custom_id', 'username'] }] },
  ),
});

export type Consumer = RowOf<typeof consumer>;
