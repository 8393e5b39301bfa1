import { record, string } from '../schema/field.ts';
import { tags, timestamp, uuid } from '../schema/typedefs.ts';
import { defineEntity } from './entity.ts';

/** Keys that belong together. */
export const keySet = defineEntity({
  name: 'key_sets',
  adminApiName: 'key-sets',
  endpointKey: 'name',
  schema: record(
    {
      id: uuid,
      name: string({ required: false, unique: true }),
      tags,
      created_at: timestamp,
      updated_at: timestamp,
    },
    { required: true },
  ),
});
