import * as v from 'valibot';

/** Kong's types of field. */
export type FieldType = 'string' | 'integer' | 'number' | 'boolean' | 'array' | 'set' | 'map' | 'record' | 'foreign' | 'json';

/** What any field may say about itself: Kong's own words, printed as they are at `GET /schemas/…`. */
export interface Facts {
  readonly required?: boolean;
  readonly default?: unknown;
  readonly unique?: boolean;
  /** Filled by the gateway when a row is inserted: ids and timestamps. */
  readonly auto?: boolean;
  readonly referenceable?: boolean;
  /** A secret: never in a log or an error. */
  readonly encrypted?: boolean;
  readonly [fact: string]: unknown;
}

/** A field: its facts as data, and the valibot schema that they make. */
export interface Field<T = unknown> {
  readonly type: FieldType;
  readonly facts: Facts;
  readonly schema: v.GenericSchema<unknown, T>;
  readonly elements?: Field;
  readonly keys?: Field;
  readonly values?: Field;
  readonly fields?: Readonly<Record<string, Field>>;
}

export interface RecordField<T = any> extends Field<T> {
  readonly type: 'record';
  readonly fields: Readonly<Record<string, Field>>;
}

export type Infer<F> = F extends Field<infer T> ? T : never;

/** A field that is not `required` may be null. */
type Value<T, F> = F extends { required: true } ? T : T | null;
type Literal<T, F> = F extends { one_of: readonly (infer L)[] } ? L : T;
type Entries = Readonly<Record<string, Field>>;
type RecordValue<E extends Entries> = { readonly [K in keyof E]: Infer<E[K]> };

export declare function string<const F extends Facts>(facts?: F): Field<Value<Literal<string, F>, F>>;
export declare function integer<const F extends Facts>(facts?: F): Field<Value<Literal<number, F>, F>>;
export declare function number<const F extends Facts>(facts?: F): Field<Value<number, F>>;
export declare function boolean<const F extends Facts>(facts?: F): Field<Value<boolean, F>>;
export declare function array<T, const F extends Facts>(elements: Field<T>, facts?: F): Field<Value<readonly NonNullable<T>[], F>>;
export declare function set<T, const F extends Facts>(elements: Field<T>, facts?: F): Field<Value<readonly NonNullable<T>[], F>>;
export declare function map<T, const F extends Facts>(keys: Field, values: Field<T>, facts?: F): Field<Value<Readonly<Record<string, NonNullable<T>>>, F>>;
export declare function foreign<const F extends Facts>(reference: string, facts?: F): Field<Value<{ readonly id: string }, F>>;
/** `required` as a type: a record that is not required may be null. */
export declare function record<const E extends Entries, const F extends Facts>(fields: E, facts?: F): RecordField<Value<RecordValue<E>, F>>;
