import { defineEntity, type RowOf } from '../../entities/entity.ts';
import { foreign, record, string } from '../../schema/field.ts';
import { tags, timestamp, uuid } from '../../schema/typedefs.ts';

/** As Kong keeps passwords. Source: kong/plugins/basic-auth/crypto.lua of Kong 3.9. */
export const digestOf = (password: string, consumer: string): string => Bun.SHA1.hash(password + consumer, 'hex');

/** A name and a password that a consumer proves its identity by. */
export const basicauthCredential = defineEntity({
  name: 'basicauth_credentials',
  adminApiName: 'basic-auths',
  adminApiNestedName: 'basic-auth',
  endpointKey: 'username',
  schema: record(
    {
      id: uuid,
      created_at: timestamp,
      consumer: foreign('consumers', { required: true, on_delete: 'cascade' }),
      username: string({ required: true, unique: true }),
      password: string({ required: true, encrypted: true }),
      tags,
    },
    {
      required: true,
      transformations: [
        {
          input: ['password'],
          needs: ['consumer.id'],
          on_write: (password: string, consumer: string) => ({ password: digestOf(password, consumer) }),
        },
      ],
    },
  ),
});

export type BasicauthCredential = RowOf<typeof basicauthCredential>;
