import { defineEntity } from '../../entities/entity.ts';
import { foreign, record, string } from '../../schema/field.ts';
import { tags, timestamp, uuid } from '../../schema/typedefs.ts';

/** A consumer is in a group, in the sense of access control lists. */
export const aclEntity = defineEntity({
  name: 'acls',
  cacheKey: ['consumer', 'group'],
  keyBelowParent: 'group',
  schema: record(
    {
      id: uuid,
      created_at: timestamp,
      consumer: foreign('consumers', { required: true, on_delete: 'cascade' }),
      group: string({ required: true }),
      tags,
    },
    { required: true },
  ),
});
