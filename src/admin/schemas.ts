import type { Entity } from '../entities/entity.ts';
import { tagged } from '../entities/tagged.ts';
import { describe } from '../schema/describe.ts';
import type { RecordField } from '../schema/field.ts';
import type { Store } from '../store/store.ts';
import { type AdminContext, type Endpoint, segment } from './admin-context.ts';
import { readBody } from './body.ts';
import type { Writer } from './writer.ts';

/** `/schemas/…`: what rows may say, and a trial of one. */
export function schemaEndpoints(store: Store, writer: Pick<Writer, 'rehearse'>): Endpoint[] {
  const unknown = (context: AdminContext, name: string) => context.json({ message: `No entity named '${name}'` }, 404);
  return [
    {
      path: '/schemas/:name/validate',
      methods: {
        POST: async context => {
          const entity = store.entities.get(segment(context, 'name'));
          if (!entity) return unknown(context, segment(context, 'name'));
          await writer.rehearse(entity, await readBody(context.req.raw));
          return context.json({ message: 'schema validation successful' });
        },
      },
    },
    ...[...store.entities.values()].filter(entity => entity.schema.facts.subschema).flatMap(subschemas),
    {
      path: '/schemas/:name',
      methods: {
        GET: context => {
          const name = segment(context, 'name');
          const schema = name === 'tags' ? tagged : store.entities.get(name)?.schema;
          return schema ? context.json(print(schema)) : unknown(context, name);
        },
      },
    },
  ];
}

/** `/schemas/plugins/{name}`: what this kind of row says itself, and what Kong has every kind say again. */
function subschemas({ name: entityName, schema }: Entity): Endpoint[] {
  const { protocols } = schema.fields;
  const chosen = (context: AdminContext) => schema.facts.subschema?.of(segment(context, 'name')) ?? null;
  const unknown = (context: AdminContext) =>
    context.json({ message: `No ${entityName.replace(/s$/, '')} named '${segment(context, 'name')}'` }, 404);
  return [
    {
      path: `/schemas/${entityName}/:name`,
      methods: {
        GET: context => {
          const kind = chosen(context);
          if (!kind) return unknown(context);
          return context.json(print({ ...schema, facts: kind.facts, fields: { ...(protocols && { protocols }), ...kind.fields } }));
        },
      },
    },
    {
      // Deprecated in Kong: the schema of `config` alone.
      path: `/${entityName}/schema/:name`,
      methods: {
        GET: context => {
          const config = chosen(context)?.fields['config'];
          return config ? context.json(print(config as RecordField)) : unknown(context);
        },
      },
    },
  ];
}

/** A schema is printed as a record that does not say it is one. */
function print(schema: RecordField): object {
  const { type: _type, required: _required, ...printed } = describe(schema);
  return printed;
}
