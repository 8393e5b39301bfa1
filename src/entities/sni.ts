import { foreign, record, string } from '../schema/field.ts';
import { tags, timestamp, uuid, wildcardHostError } from '../schema/typedefs.ts';
import { defineEntity, type RowOf } from './entity.ts';

/** A name by which clients ask for a certificate. */
export const sni = defineEntity({
  name: 'snis',
  endpointKey: 'name',
  schema: record(
    {
      id: uuid,
      name: string({ required: true, unique: true, unique_across_ws: true, custom_validator: wildcardHostError }),
      created_at: timestamp,
      updated_at: timestamp,
      tags,
      certificate: foreign('certificates', { required: true }),
    },
    { required: true },
  ),
});

export type Sni = RowOf<typeof sni>;
