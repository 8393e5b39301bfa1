import type { EntityCheck } from '../schema/entity-check.ts';
import type { Field, Infer, RecordField } from '../schema/field.ts';
import { boolean, foreign, record, string } from '../schema/field.ts';
import { protocols, tags, timestamp, utf8Name, uuid } from '../schema/typedefs.ts';
import { defineEntity, type Entity, type Rows } from './entity.ts';
import { type Route, route } from './route.ts';

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
  consumer_group: owner('consumer_groups'),
  config: record({}, { abstract: true }) as Field as Field<Readonly<Record<string, unknown>>>,
  protocols,
  enabled: boolean({ required: true, default: true }),
  tags,
};

/** A plugin as it is configured, for everybody or for one route, service, consumer or group of consumers. */
export type PluginRow = Infer<RecordField<{ readonly [K in keyof typeof fields]: Infer<(typeof fields)[K]> }>>;

/** What a plugin says of the rows that name it. */
export interface PluginSchema {
  readonly config: RecordField;
  /** Fields of the row that it takes otherwise than plugins do: `{ consumer: noConsumer }`. */
  readonly fields?: Readonly<Record<string, Field>>;
  /** Checks of the row as a whole; those of `config` alone are its own. */
  readonly entity_checks?: readonly EntityCheck[];
}

/** The entity whose rows are checked by the schema of the plugin that `name` names. Null from `schemaOf`: not enabled. */
export function pluginEntity(schemaOf: (name: string) => PluginSchema | null): Entity<PluginRow> {
  const error = (name: string) => `plugin '${name}' not enabled; add it to the 'plugins' configuration property`;
  const of = (name: string) => {
    const schema = schemaOf(name);
    if (!schema) return null;
    const { config, fields: own, entity_checks = [] } = schema;
    return { fields: { ...own, config: { ...config, facts: { ...config.facts, required: true } } }, facts: { entity_checks } };
  };
  return defineEntity({
    name: 'plugins',
    endpointKey: 'instance_name',
    cacheKey: ['name', 'route', 'service', 'consumer', 'consumer_group'],
    schema: record(fields, {
      required: true,
      subschema: { key: 'name', of, error },
      // No step of the precedence has both.
      entity_checks: [{ mutually_exclusive: ['consumer', 'consumer_group'] }],
    }),
    checkAmong: protocolErrors,
  });
}

/** A plugin that no request of its route or service could meet. Source: kong/db/dao/plugins.lua of Kong 3.9. */
function protocolErrors(plugin: PluginRow, rows: Rows) {
  const meets = ({ protocols }: Route) => protocols.some(protocol => plugin.protocols.includes(protocol));
  if (plugin.route) {
    const own = rows.find(route, plugin.route.id);
    return own && !meets(own) ? { protocols: "must match the associated route's protocols" } : undefined;
  }
  if (!plugin.service) return undefined;
  const { rows: routes } = rows.page(route, { size: 1000, where: { field: 'service', id: plugin.service.id } });
  if (routes.length === 0 || routes.some(meets)) return undefined;
  return { protocols: "must match the protocols of at least one route pointing to this Plugin's service" };
}
