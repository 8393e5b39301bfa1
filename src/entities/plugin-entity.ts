import type { Field, Infer, RecordField } from '../schema/field.ts';
import { boolean, foreign, record, set, string } from '../schema/field.ts';
import { HTTP_PROTOCOLS, protocol, tags, timestamp, utf8Name, uuid } from '../schema/typedefs.ts';
import { defineEntity, type Entity } from './entity.ts';

const owner = (entity: string) => foreign(entity, { default: null, on_delete: 'cascade' });

const fields = {
  id: uuid,
  name: string({ required: true }),
  instance_name: utf8Name,
  created_at: timestamp,
  updated_at: timestamp,
  route: owner('routes'),
  service: owner('services'),
  consumer: owner('consumers'),
  config: record({}, { abstract: true }) as Field as Field<Readonly<Record<string, unknown>>>,
  protocols: set(protocol, { required: true, default: HTTP_PROTOCOLS }),
  enabled: boolean({ required: true, default: true }),
  tags,
};

/** A plugin as it is configured, for everybody or for one route, service or consumer. */
export type PluginRow = Infer<RecordField<{ readonly [K in keyof typeof fields]: Infer<(typeof fields)[K]> }>>;

/** The entity whose `config` is checked by the schema of the plugin that `name` names. Null from `subschemaOf`: not enabled. */
export function pluginEntity(subschemaOf: (name: string) => RecordField | null): Entity<PluginRow> {
  const error = (name: string) => `plugin '${name}' not enabled; add it to the 'plugins' configuration property`;
  const of = (name: string) => {
    const config = subschemaOf(name);
    return config && { fields: { config: { ...config, facts: { ...config.facts, required: true } } }, facts: {} };
  };
  return defineEntity({
    name: 'plugins',
    endpointKey: 'instance_name',
    cacheKey: ['name', 'route', 'service', 'consumer'],
    schema: record(fields, { required: true, subschema: { key: 'name', of, error } }),
  });
}
