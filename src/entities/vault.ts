import { type Field, type Infer, type RecordField, record, string } from '../schema/field.ts';
import { tags, timestamp, uuid } from '../schema/typedefs.ts';
import { defineEntity, type Entity } from './entity.ts';

const fields = (prefixError: (prefix: string) => string | undefined) => ({
  id: uuid,
  prefix: string({
    required: true,
    unique: true,
    unique_across_ws: true,
    match: '^[a-z][a-z%d-]-[a-z%d]+$',
    custom_validator: prefixError,
  }),
  name: string({ required: true }),
  description: string(),
  config: record({}, { abstract: true }) as Field as Field<Readonly<Record<string, unknown>>>,
  created_at: timestamp,
  updated_at: timestamp,
  tags,
});
type Fields = ReturnType<typeof fields>;

/** A place where secrets are: `{vault://PREFIX/…}` refers to one of them. */
export type VaultRow = Infer<RecordField<{ readonly [K in keyof Fields]: Infer<Fields[K]> }>>;

/** The entity whose `config` is checked by the kind of vault that `name` names. Null from `configOf`: there is no such kind. */
export function vaultEntity(configOf: (name: string) => RecordField | null): Entity<VaultRow> {
  // The name of a kind stands for that kind with its defaults.
  const prefixError = (prefix: string) => (configOf(prefix) === null ? undefined : `must not be one of: ${prefix}`);
  const of = (name: string) => {
    const config = configOf(name);
    return config && { fields: { config: { ...config, facts: { ...config.facts, required: true } } }, facts: {} };
  };
  return defineEntity({
    name: 'vaults',
    endpointKey: 'prefix',
    cacheKey: ['prefix'],
    schema: record(fields(prefixError), {
      required: true,
      subschema: { key: 'name', of, error: name => `vault '${name}' is not installed` },
    }),
  });
}
