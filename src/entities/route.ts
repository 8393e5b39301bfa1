import { array, boolean, foreign, integer, map, record, set, string } from '../schema/field.ts';
import { name, PROTOCOLS, port, tags, timestamp, uuid } from '../schema/typedefs.ts';
import { defineEntity, type RowOf } from './entity.ts';

const address = record({ ip: string(), port }, { entity_checks: [{ at_least_one_of: ['ip', 'port'] }] });

/** Which requests go where. */
export const route = defineEntity({
  name: 'routes',
  endpointKey: 'name',
  schema: record(
    {
      id: uuid,
      created_at: timestamp,
      updated_at: timestamp,
      name,
      protocols: set(string({ one_of: PROTOCOLS }), { required: true, len_min: 1, default: ['http', 'https'] }),
      https_redirect_status_code: integer({ required: true, default: 426, one_of: [426, 301, 302, 307, 308] }),
      strip_path: boolean({ required: true, default: true }),
      preserve_host: boolean({ required: true, default: false }),
      request_buffering: boolean({ required: true, default: true }),
      response_buffering: boolean({ required: true, default: true }),
      tags,
      service: foreign('services'),
      snis: set(string()),
      sources: set(address),
      destinations: set(address),
      methods: set(string({ match: '^%u+$' })),
      hosts: array(string()),
      paths: array(string()),
      headers: map(string(), array(string())),
      regex_priority: integer({ default: 0 }),
      path_handling: string({ default: 'v0', one_of: ['v0', 'v1'] }),
    },
    { required: true },
  ),
});

export type Route = RowOf<typeof route>;
