import { isObject } from '../lib/json.ts';
import type { Field } from './field.ts';
import type { FieldErrors } from './field-errors.ts';

/** The value at a dotted name; undefined where a record on the way is missing. */
export function valueAt(record: unknown, name: string): unknown {
  let value = record;
  for (const part of name.includes('.') ? name.split('.') : [name]) {
    if (!isObject(value) || !Object.hasOwn(value, part)) return undefined;
    value = value[part];
  }
  return value;
}

/** The field at a dotted name. A check that names a field which is not there is a mistake in a schema. */
export function fieldAt(fields: Readonly<Record<string, Field>>, name: string): Field {
  const [first = '', ...rest] = name.split('.');
  const field = fields[first];
  if (!field) throw new Error(`no field '${name}' to check`);
  return rest.length === 0 ? field : fieldAt(field.fields ?? {}, rest.join('.'));
}

/** Puts a message at a dotted name, unless something on the way is wrong as a whole. */
export function setError(errors: FieldErrors, name: string, message: FieldErrors[string]): void {
  const [first = '', ...rest] = name.split('.');
  if (rest.length === 0) {
    errors[first] = message;
    return;
  }
  errors[first] ??= {};
  const inner = errors[first];
  if (typeof inner === 'object' && !Array.isArray(inner)) setError(inner, rest.join('.'), message);
}
