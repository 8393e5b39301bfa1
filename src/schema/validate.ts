import { isObject } from '../lib/json.ts';
import { recordErrors } from './check-field.ts';
import type { RecordField } from './field.ts';
import type { FieldErrors } from './field-errors.ts';
import { fillRecord } from './fill.ts';

export type { FieldErrors } from './field-errors.ts';

export type Validation<T> = { readonly value: T } | { readonly errors: FieldErrors };

/** Fills defaults, expands shorthands, then checks every field and, when those hold, the record's entity checks. */
export function validate<T>(record: RecordField<T>, input: unknown): Validation<T> {
  if (!isObject(input)) return { errors: { '@entity': ['expected a record'] } };
  const value = fillRecord(record, input);
  const errors = recordErrors(record, value);
  return errors ? { errors } : { value: value as T };
}
