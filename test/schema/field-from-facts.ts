import {
  array,
  boolean,
  type Field,
  foreign,
  integer,
  map,
  number,
  type RecordField,
  record,
  set,
  string,
} from '../../src/schema/field.ts';

/** A field as Kong's schemas hold it as data. `"<fn>"` stands for code. */
export interface FieldFacts {
  readonly [fact: string]: unknown;
  readonly type: string;
  readonly reference?: string;
  readonly elements?: FieldFacts;
  readonly keys?: FieldFacts;
  readonly values?: FieldFacts;
  readonly fields?: readonly NamedFacts[];
  readonly shorthand_fields?: readonly NamedFacts[];
}

export type NamedFacts = Readonly<Record<string, FieldFacts>>;

const FUNCTION = '<fn>';

/** The field that says what the data says; what is code in Kong agrees to everything. */
export function fieldFromFacts({ type, elements, keys, values, fields, shorthand_fields, reference, ...data }: FieldFacts): Field {
  const facts = withFunctions(data) as Record<string, unknown>;
  if (type === 'record') return recordFromFacts(fields ?? [], shorthand_fields, facts);
  if (type === 'map' && keys && values) return map(fieldFromFacts(keys), fieldFromFacts(values), facts);
  if (type === 'array' && elements) return array(fieldFromFacts(elements), facts);
  if (type === 'set' && elements) return set(fieldFromFacts(elements), facts);
  if (type === 'foreign') return foreign(String(reference), facts);
  const make = { string, integer, number, boolean }[type];
  if (!make) throw new Error(`no such type of field: ${type}`);
  return make(facts);
}

export function recordFromFacts(
  fields: readonly NamedFacts[],
  shorthands: readonly NamedFacts[] | undefined,
  facts: Readonly<Record<string, unknown>>,
): RecordField {
  const shorthand = ([name, { func: _, ...own }]: [string, FieldFacts]) =>
    [name, { field: fieldFromFacts(own), func: () => ({}) }] as const;
  return record(Object.fromEntries(entriesOf(fields).map(([name, own]) => [name, fieldFromFacts(own)])), {
    ...(withFunctions(facts) as object),
    ...(shorthands && { shorthand_fields: Object.fromEntries(entriesOf(shorthands).map(shorthand)) }),
  });
}

const entriesOf = (named: readonly NamedFacts[]) => named.flatMap(field => Object.entries(field));

function withFunctions(data: unknown): unknown {
  if (data === FUNCTION) return () => undefined;
  if (Array.isArray(data)) return data.map(withFunctions);
  if (typeof data !== 'object' || data === null) return data;
  return Object.fromEntries(Object.entries(data).map(([name, fact]) => [name, withFunctions(fact)]));
}

/** The data as JSON can say it again: without what is code. */
export function withoutFunctions(data: unknown): unknown {
  if (Array.isArray(data)) return data.map(withoutFunctions);
  if (typeof data !== 'object' || data === null) return data;
  const entries = Object.entries(data).filter(([, fact]) => fact !== FUNCTION);
  return Object.fromEntries(entries.map(([name, fact]) => [name, withoutFunctions(fact)]));
}

const LISTS: readonly string[] = ['fields', 'one_of'];

/** A member of a file, empty lists as lists: Lua does not tell them from records. */
export const withLists = (name: string, fact: unknown): unknown => (LISTS.includes(name) && isEmpty(fact) ? [] : fact);

const isEmpty = (fact: unknown) => typeof fact === 'object' && fact !== null && Object.keys(fact).length === 0;
