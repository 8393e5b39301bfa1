import { boolean, type Field, foreign, type Infer, type RecordField, record, set, string } from '../schema/field.ts';
import { name, PROTOCOLS, tags, timestamp, uuid } from '../schema/typedefs.ts';
import { defineEntity, type Entity } from './entity.ts';

const schema = record(
  {
    id: uuid,
    name: string({ required: true }),
    instance_name: name,
    created_at: timestamp,
    updated_at: timestamp,
    route: foreign('routes', { default: null, on_delete: 'cascade' }),
    service: foreign('services', { default: null, on_delete: 'cascade' }),
    consumer: foreign('consumers', { default: null, on_delete: 'cascade' }),
    config: record({}, { abstract: true }) as Field as Field<Readonly<Record<string, unknown>>>,
    protocols: set(string({ one_of: PROTOCOLS }), { required: true, default: ['grpc', 'grpcs', 'http', 'https'] }),
    enabled: boolean({ required: true, default: true }),
    tags,
  },
  { required: true },
);

/** The plugins entity, whose `config` is checked by the schema of the plugin that `name` names; null: not enabled. */
export function pluginEntity(subschemaOf: (name: string) => RecordField | null): Entity<PluginRow> {
  return defineEntity({
    name: 'plugins',
    endpointKey: 'instance_name',
    cacheKey: ['name', 'route', 'service', 'consumer'],
    schema,
    subschema: {
      key: 'name',
      field: 'config',
      of: subschemaOf,
      error: value => `plugin '${value}' not enabled; add it to the 'plugins' configuration property`,
    },
  });
}

export type PluginRow = Infer<typeof schema>;
