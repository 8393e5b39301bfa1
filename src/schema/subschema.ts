import type { Field, RecordField } from './field.ts';
import type { FieldErrors } from './field-errors.ts';

type Values = Readonly<Record<string, unknown>>;

const specialized = new WeakMap<RecordField, Map<string, RecordField>>();

/** The record with what its subschema adds: fields in place of its own, checks and transformations after them. Undefined: none is chosen. */
export function specialize(record: RecordField, values: Values): RecordField | undefined {
  const { subschema } = record.facts;
  if (!subschema) return record;
  const known = specialized.get(record) ?? new Map<string, RecordField>();
  specialized.set(record, known);
  // When the key is a set, the first member that has a subschema chooses.
  for (const key of keysOf(record, values)) {
    const found = known.get(key) ?? specializedBy(record, key);
    if (!found) continue;
    known.set(key, found);
    return found;
  }
  return undefined;
}

function specializedBy(record: RecordField, key: string): RecordField | undefined {
  const { subschema, ...facts } = record.facts;
  const chosen = subschema?.of(key);
  if (!chosen) return undefined;
  return {
    ...record,
    fields: { ...record.fields, ...chosen.fields },
    facts: {
      ...facts,
      entity_checks: [...(facts.entity_checks ?? []), ...(chosen.facts.entity_checks ?? [])],
      transformations: [...(facts.transformations ?? []), ...(chosen.facts.transformations ?? [])],
    },
  };
}

/** The fields of the record, those of its subschema in front of its own. */
export function fieldsOf(record: RecordField, values: Values): Readonly<Record<string, Field>> {
  return (specialize(record, values) ?? record).fields;
}

/** Why nothing else can be said about the record: which subschema holds is not known. */
export function subschemaErrors(record: RecordField, values: Values): FieldErrors {
  const { subschema } = record.facts;
  if (!subschema) return {};
  const [first] = keysOf(record, values);
  return { [subschema.key]: first === undefined ? 'required field missing' : subschema.error(first) };
}

/** What the record says of its kind, or says by default. */
function keysOf({ fields, facts: { subschema } }: RecordField, values: Values): readonly string[] {
  const name = subschema?.key ?? '';
  const key = values[name] === undefined ? fields[name]?.facts.default : values[name];
  return (Array.isArray(key) ? key : [key]).filter(member => member !== undefined && member !== null).map(String);
}
