import { defineEntity, type RowOf } from '../../entities/entity.ts';
import { endOfRow, expiring } from '../../entities/expiring.ts';
import { foreign, record, string } from '../../schema/field.ts';
import { tags, timestamp, uuid } from '../../schema/typedefs.ts';

/** A key that a consumer proves its identity by, for good or for so many seconds. */
export const keyauthCredential = defineEntity({
  name: 'keyauth_credentials',
  adminApiName: 'key-auths',
  adminApiNestedName: 'key-auth',
  endpointKey: 'key',
  endpointIsSecret: true,
  schema: record(
    {
      id: uuid,
      created_at: timestamp,
      consumer: foreign('consumers', { required: true, on_delete: 'cascade' }),
      key: string({ required: false, unique: true, auto: true }),
      tags,
      ...expiring,
    },
    { required: true, ttl: true, transformations: [endOfRow] },
  ),
});

export type KeyauthCredential = RowOf<typeof keyauthCredential>;
