import { defineEntity, type RowOf } from '../../entities/entity.ts';
import { foreign, record, string } from '../../schema/field.ts';
import { tags, timestamp, uuid } from '../../schema/typedefs.ts';

/** A name and a secret by which a consumer signs its requests. */
export const hmacauthCredential = defineEntity({
  name: 'hmacauth_credentials',
  adminApiName: 'hmac-auths',
  adminApiNestedName: 'hmac-auth',
  endpointKey: 'username',
  schema: record(
    {
      id: uuid,
      created_at: timestamp,
      consumer: foreign('consumers', { required: true, on_delete: 'cascade' }),
      username: string({ required: true, unique: true }),
      secret: string({ auto: true }),
      tags,
    },
    { required: true },
  ),
});

export type HmacauthCredential = RowOf<typeof hmacauthCredential>;
