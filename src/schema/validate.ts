import { isObject } from '../lib/json.ts';
import { errorsWhenUpdating, immutableErrors, merge } from './change.ts';
import { check, recordErrors } from './check-field.ts';
import type { RecordField } from './field.ts';
import type { FieldErrors } from './field-errors.ts';
import { fillRecord } from './fill.ts';
import { expandShorthands } from './shorthand.ts';
import { specialize, subschemaErrors } from './subschema.ts';
import { transform, transformationErrors } from './transform.ts';

export type { FieldErrors } from './field-errors.ts';

export type Validation<T> = { readonly value: T } | { readonly errors: FieldErrors };

type Values = Readonly<Record<string, unknown>>;

/** Expands shorthands, fills defaults, then checks every field and the record as a whole. A value that passes is transformed. */
export function validate<T>(record: RecordField<T>, input: unknown): Validation<T> {
  if (!isObject(input)) return { errors: { '@entity': ['expected a record'] } };
  const whole = specialize(record, input);
  if (!whole) return { errors: subschemaErrors(record, input) };
  return settle<T>(whole, { given: input, row: expandShorthands(whole, input, check) });
}

/** The same for a row that is there and what should change of it; a null unsets. The row itself stays as it was. */
export function validateChange<T>(record: RecordField<T>, old: Values, changes: Values): Validation<T> {
  const whole = specialize(record, { ...old, ...changes });
  if (!whole) return { errors: subschemaErrors(record, { ...old, ...changes }) };
  // Expanded before they are merged: an old name must not meet what the row says under the new one.
  const given = expandShorthands(whole, changes, check);
  const immutable = immutableErrors(whole, old, given);
  if (Object.keys(immutable).length > 0) return { errors: immutable };
  const result = settle<T>(whole, { given: changes, row: merge(whole, old, given), old });
  return 'errors' in result ? { errors: errorsWhenUpdating(result.errors) } : result;
}

interface Settling {
  readonly given: Values;
  readonly row: Values;
  readonly old?: Values;
}

function settle<T>(record: RecordField, { given, row, old }: Settling): Validation<T> {
  const value = fillRecord(record, row);
  const errors = recordErrors(record, value);
  const whole = transformationErrors(record, given, value, old);
  if (!errors && whole.length === 0) return { value: transform(record, given, value) as T };
  if (whole.length === 0) return { errors: errors ?? {} };
  return { errors: { ...errors, '@entity': [...((errors?.['@entity'] ?? []) as string[]), ...whole] } };
}
