import { record, string } from '../schema/field.ts';
import { tag } from '../schema/typedefs.ts';

/** That a row carries a tag, as `/tags` says it. Kong has an entity of it; here tags stand in the rows alone. */
export const tagged = record({
  tag,
  entity_name: string({ required: true }),
  entity_id: string({ required: true, uuid: true, auto: true }),
});
