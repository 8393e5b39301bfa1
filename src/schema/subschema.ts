import type { EntityCheck } from './entity-check.ts';
import type { Field, RecordField } from './field.ts';
import type { FieldErrors } from './field-errors.ts';

type Schema = Pick<RecordField, 'fields' | 'facts'>;
type Values = Readonly<Record<string, unknown>>;

/** The fields of the record, those of its subschema in front of its own. */
export function fieldsOf(record: Schema, values: Values): Readonly<Record<string, Field>> {
  const chosen = chosenBy(record, values);
  return chosen ? { ...record.fields, ...chosen.fields } : record.fields;
}

/** The checks of the record, then those of its subschema. */
export function entityChecksOf(record: Schema, values: Values): readonly EntityCheck[] {
  return [...(record.facts.entity_checks ?? []), ...(chosenBy(record, values)?.facts.entity_checks ?? [])];
}

/** Why nothing else can be said about the record: which subschema holds is not known. */
export function subschemaErrors(record: Schema, values: Values): FieldErrors | undefined {
  const { subschema } = record.facts;
  if (!subschema || chosenBy(record, values)) return undefined;
  const [first] = keysOf(values[subschema.key]);
  return { [subschema.key]: first === undefined ? 'required field missing' : subschema.error(first) };
}

/** When the key is a set, the first member that has a subschema chooses. */
function chosenBy({ facts: { subschema } }: Schema, values: Values): Schema | null {
  if (!subschema) return null;
  for (const key of keysOf(values[subschema.key])) {
    const chosen = subschema.of(key);
    if (chosen) return chosen;
  }
  return null;
}

const keysOf = (value: unknown): readonly string[] =>
  (Array.isArray(value) ? value : [value]).filter(member => member !== undefined && member !== null).map(String);
