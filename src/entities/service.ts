import { array, boolean, foreign, integer, record, string } from '../schema/field.ts';
import { name, PROTOCOLS, tags, timestamp, uuid } from '../schema/typedefs.ts';
import { defineEntity, type RowOf } from './entity.ts';

const timeout = integer({ between: [1, 2147483646], default: 60000 });

/** An upstream API. */
export const service = defineEntity({
  name: 'services',
  endpointKey: 'name',
  schema: record(
    {
      id: uuid,
      created_at: timestamp,
      updated_at: timestamp,
      name,
      retries: integer({ between: [0, 32767], default: 5 }),
      protocol: string({ required: true, default: 'http', one_of: PROTOCOLS }),
      host: string({ required: true }),
      port: integer({ required: true, between: [0, 65535], default: 80 }),
      path: string({ starts_with: '/', match_none: [{ pattern: '//', err: 'must not have empty segments' }] }),
      connect_timeout: timeout,
      write_timeout: timeout,
      read_timeout: timeout,
      tags,
      client_certificate: foreign('certificates'),
      tls_verify: boolean(),
      tls_verify_depth: integer({ default: null, between: [0, 64] }),
      ca_certificates: array(string({ uuid: true })),
      enabled: boolean({ required: true, default: true }),
    },
    { required: true },
  ),
});

export type Service = RowOf<typeof service>;
