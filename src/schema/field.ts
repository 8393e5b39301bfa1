import type * as v from 'valibot';
import type { EntityCheck } from './entity-check.ts';
import { type Checked, checked } from './fact-checks.ts';
import type { Facts, FieldType } from './facts.ts';

export type { Facts, FieldType } from './facts.ts';

/** A field: its facts as data, and the valibot schema that they make of its own value, what it contains left aside. */
export interface Field<T = unknown> {
  readonly type: FieldType;
  readonly facts: Facts;
  readonly schema: v.GenericSchema<unknown, T>;
  readonly elements?: Field;
  readonly keys?: Field;
  readonly values?: Field;
  readonly fields?: Readonly<Record<string, Field>>;
}

/** A field that may be written but is not kept: it stands for others, such as `url` for protocol, host, port and path. */
export interface Shorthand {
  readonly field: Field;
  /** The fields that a value stands for, null included. They win over those given, unless the shorthand is deprecated. */
  readonly func: (value: never) => Readonly<Record<string, unknown>>;
}

/** What becomes of a row that has passed every check: fields made of others, such as the digest of a certificate. */
export interface Transformation {
  /** The fields it is made of, dotted within records. It runs when a write gives all of them, and refuses one that gives some. */
  readonly input: readonly string[];
  /** Fields that it takes besides, which the row may have already. */
  readonly needs?: readonly string[];
  /**
   * It is no digest, but says what the write asks for in the words of rows: so it runs for rows too that come as they are kept, and is not
   * printed at `/schemas/…`.
   */
  readonly always?: true;
  /** Gets the values of `input`, then those of `needs`; answers with the fields to set. */
  readonly on_write: (...values: never[]) => Readonly<Record<string, unknown>>;
}

/** Fields and checks that one field's value adds to the record or puts in the place of its own. */
export interface Subschema {
  readonly key: string;
  /** Null means that there is none for this value, and `error` says so. */
  of(value: string): Pick<RecordField, 'fields' | 'facts'> | null;
  error(value: string): string;
}

/** What only records say. */
export interface RecordFacts extends Facts {
  readonly entity_checks?: readonly EntityCheck[];
  readonly shorthand_fields?: Readonly<Record<string, Shorthand>>;
  readonly transformations?: readonly Transformation[];
  readonly subschema?: Subschema;
  /** Rows may end by themselves: they have the fields of `expiring`. */
  readonly ttl?: true;
}

export interface RecordField<T = unknown> extends Field<T> {
  readonly type: 'record';
  readonly facts: RecordFacts;
  readonly fields: Readonly<Record<string, Field>>;
}

export type Infer<F> = F extends Field<infer T> ? T : never;

/** A field may be null unless it is `required`, or `auto`: the gateway fills those. */
type Value<T, F> = F extends { required: true } | { auto: true } ? T : T | null;
type Literal<T, F> = F extends { one_of: readonly (infer L)[] } ? L : T;
type Entries = Readonly<Record<string, Field>>;
type RecordValue<E extends Entries> = { readonly [K in keyof E]: Infer<E[K]> };

function field<T>(type: FieldType, facts: Facts, parts: Pick<Field, 'elements' | 'keys' | 'values' | 'fields'> = {}): Field<T> {
  let schema: Checked<T> | undefined;
  return {
    type,
    facts,
    // There are thousands of fields, and most gateways meet few values of them.
    get schema() {
      schema ??= checked(type, facts) as Checked<T>;
      return schema;
    },
    ...parts,
  };
}

export function string<const F extends Facts>(facts: F = {} as F): Field<Value<Literal<string, F>, F>> {
  return field('string', facts);
}

export function integer<const F extends Facts>(facts: F = {} as F): Field<Value<Literal<number, F>, F>> {
  return field('integer', facts);
}

export function number<const F extends Facts>(facts: F = {} as F): Field<Value<Literal<number, F>, F>> {
  return field('number', facts);
}

export function boolean<const F extends Facts>(facts: F = {} as F): Field<Value<boolean, F>> {
  return field('boolean', facts);
}

/** Any JSON value, kept as it is. */
export function json<const F extends Facts>(facts: F = {} as F): Field {
  return field('json', facts);
}

export function array<T, const F extends Facts>(elements: Field<T>, facts: F = {} as F): Field<Value<readonly NonNullable<T>[], F>> {
  return field('array', facts, { elements });
}

/** An array whose duplicates are dropped. */
export function set<T, const F extends Facts>(elements: Field<T>, facts: F = {} as F): Field<Value<readonly NonNullable<T>[], F>> {
  return field('set', facts, { elements });
}

export function map<T, const F extends Facts>(
  keys: Field,
  values: Field<T>,
  facts: F = {} as F,
): Field<Value<Readonly<Record<string, NonNullable<T>>>, F>> {
  return field('map', facts, { keys, values });
}

/** A pointer at a row of another entity, by its id. */
export function foreign<const F extends Facts>(reference: string, facts: F = {} as F): Field<Value<{ readonly id: string }, F>> {
  return field('foreign', { ...facts, reference });
}

export function record<const E extends Entries, const F extends RecordFacts>(
  fields: E,
  facts: F = {} as F,
): RecordField<Value<RecordValue<E>, F>> {
  return field('record', facts, { fields }) as RecordField<Value<RecordValue<E>, F>>;
}

/** The field with more to say: as Kong's tables inherit, so that `match` alone may narrow what a field takes. */
export function narrow(base: Field, facts: Facts & { readonly elements?: ElementFacts }): Field {
  const { elements, ...own } = facts;
  const { type, facts: inherited, schema: _, ...parts } = base;
  return field(type, { ...inherited, ...own }, { ...parts, ...(elements && { elements: field(elements.type, elements) }) });
}

/** The elements of a list, as facts alone. */
export type ElementFacts = Facts & { readonly type: FieldType };
