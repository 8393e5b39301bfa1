import * as v from 'valibot';
import type { Field, RecordField } from './field.ts';
import { fillRecord, isRecord } from './fill.ts';

/** Messages nested as the fields are; `@entity` holds those of the record as a whole. */
export type FieldErrors = { [field: string]: string | FieldErrors | (string | FieldErrors | null)[] };

export type Validation<T> = { readonly value: T } | { readonly errors: FieldErrors };

type FieldError = FieldErrors[string];

/** Fills defaults, expands shorthands, then checks every field and, when those hold, the record's entity checks. */
export function validate<T>(record: RecordField<T>, input: unknown): Validation<T> {
  if (!isRecord(input)) return { errors: { '@entity': ['expected a record'] } };
  const value = fillRecord(record, input);
  const errors = check(record, value) as FieldErrors | undefined;
  return errors ? { errors } : { value: value as T };
}

function check(field: Field, value: unknown): FieldError | undefined {
  if (value === null || value === undefined) {
    return field.facts.required && !field.facts.auto ? 'required field missing' : undefined;
  }
  const issue = v.safeParse(field.schema, value, { abortPipeEarly: true }).issues?.[0];
  if (issue?.kind === 'schema') return issue.message;
  return contents(field, value) ?? issue?.message;
}

function contents(field: Field, value: unknown): FieldError | undefined {
  if (field.elements) return ofList(field.elements, value as readonly unknown[]);
  if (field.values && field.keys) return ofMap(field.keys, field.values, value as Readonly<Record<string, unknown>>);
  if (field.fields) return ofRecord(field as RecordField, value as Readonly<Record<string, unknown>>);
  return undefined;
}

const required = (field: Field): Field => ({ ...field, facts: { ...field.facts, required: true } });

function ofList(elements: Field, values: readonly unknown[]): FieldError | undefined {
  const errors = values.map(value => (check(required(elements), value) ?? null) as string | FieldErrors | null);
  return errors.some(error => error !== null) ? errors : undefined;
}

function ofMap(keys: Field, values: Field, value: Readonly<Record<string, unknown>>): FieldErrors | undefined {
  const errors: FieldErrors = {};
  for (const [key, member] of Object.entries(value)) {
    const error = check(keys, key) ?? check(required(values), member);
    if (error) errors[key] = error;
  }
  return Object.keys(errors).length > 0 ? errors : undefined;
}

function ofRecord(record: RecordField, value: Readonly<Record<string, unknown>>): FieldErrors | undefined {
  const errors: FieldErrors = {};
  for (const [name, member] of Object.entries(value)) {
    const field = Object.hasOwn(record.fields, name) ? record.fields[name] : undefined;
    const error = field ? check(field, member) : 'unknown field';
    if (error) errors[name] = error;
  }
  return Object.keys(errors).length > 0 ? errors : undefined;
}
