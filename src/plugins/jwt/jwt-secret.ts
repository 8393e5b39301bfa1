import { defineEntity, type RowOf } from '../../entities/entity.ts';
import { publicKeyOf } from '../../lib/pem.ts';
import { foreign, record, string } from '../../schema/field.ts';
import { tags, timestamp, uuid } from '../../schema/typedefs.ts';
import { ALGORITHMS } from './algorithms.ts';

const keyError = (pem: string) => (publicKeyOf(pem) === null ? 'invalid key' : undefined);

/** What tokens of a consumer are signed with: a secret that both sides know, or a key pair whose public half is here. */
export const jwtSecret = defineEntity({
  name: 'jwt_secrets',
  adminApiName: 'jwts',
  adminApiNestedName: 'jwt',
  endpointKey: 'key',
  schema: record(
    {
      id: uuid,
      created_at: timestamp,
      consumer: foreign('consumers', { required: true, on_delete: 'cascade' }),
      key: string({ required: false, unique: true, auto: true }),
      secret: string({ auto: true }),
      rsa_public_key: string(),
      algorithm: string({ default: 'HS256', one_of: ALGORITHMS }),
      tags,
    },
    {
      required: true,
      entity_checks: [
        {
          conditional: {
            if_field: 'algorithm',
            if_match: { match_any: { patterns: ['^RS256$', '^RS384$', '^RS512$', '^PS256$', '^PS384$', '^PS512$', '^EdDSA$'] } },
            then_field: 'rsa_public_key',
            then_match: { required: true, custom_validator: keyError },
          },
        },
      ],
    },
  ),
});

export type JwtSecret = RowOf<typeof jwtSecret>;
