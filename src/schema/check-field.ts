import * as v from 'valibot';
import { isEmpty, isObject } from '../lib/json.ts';
import { TYPES } from './fact-checks.ts';
import type { Field, RecordField } from './field.ts';
import type { FieldError, FieldErrors } from './field-errors.ts';
import { runEntityChecks } from './run-entity-checks.ts';
import { shorthandErrors } from './shorthand.ts';

type Values = Readonly<Record<string, unknown>>;

/** What is wrong with a filled value: its type, then what it contains, then its facts. Source: kong/db/schema/init.lua of Kong 3.9, `validate_field`. */
export function check(field: Field, value: unknown, required = field.facts.required === true): FieldError | undefined {
  const { facts } = field;
  if (value === null || value === undefined) return nullError(field, required);
  if (facts.eq === null) return facts.err ?? 'value must be null';
  if (field.type === 'foreign') return foreignError(value) ?? messageOf(field.schema, value);
  const content = isWhole(field) ? undefined : (messageOf(TYPES[field.type], value) ?? contentError(field, value));
  return content ?? messageOf(field.schema, value);
}

/** Nothing in its values has a field of its own. */
const isWhole = ({ elements, values, fields }: Field) => !elements && !values && !fields;

const messageOf = (schema: v.GenericSchema, value: unknown) => v.safeParse(schema, value, { abortPipeEarly: true }).issues?.[0].message;

function nullError({ facts }: Field, required: boolean): string | undefined {
  if (facts.ne === null) return facts.err ?? 'value must not be null';
  if (facts.eq !== undefined && facts.eq !== null) return `value must be ${facts.eq}`;
  return required ? 'required field missing' : undefined;
}

function contentError(field: Field, value: unknown): FieldError | undefined {
  if (field.elements) return listError(field.elements, value as readonly unknown[]);
  if (field.keys && field.values) return mapError(field.keys, field.values, value as Values);
  return field.fields && !field.facts.abstract ? recordErrors(field as RecordField, value as Values) : undefined;
}

function listError(elements: Field, members: readonly unknown[]): FieldError | undefined {
  const errors = members.map(member => (check(elements, member, true) ?? null) as string | FieldErrors | null);
  const last = errors.findLastIndex(error => error !== null);
  return last < 0 ? undefined : errors.slice(0, last + 1);
}

/** Of a map Kong names no more than the first error, and not where it is. */
function mapError(keys: Field, values: Field, map: Values): FieldError | undefined {
  for (const [key, value] of Object.entries(map)) {
    const error = check(keys, key, true) ?? check(values, value, true);
    if (error !== undefined) return error;
  }
  return undefined;
}

const REFERENCE = v.pipe(v.string('expected a string'), v.uuid('expected a valid UUID'));

function foreignError(value: unknown): FieldErrors | undefined {
  const { id } = (isObject(value) ? value : {}) as Values;
  if (id === undefined) return { id: 'missing primary key' };
  if (id === null) return { id: 'required field missing' };
  const message = messageOf(REFERENCE, id);
  return message === undefined ? undefined : { id: message };
}

/** Every field's error, and those of the record as a whole. */
export function recordErrors(record: RecordField, values: Values): FieldErrors | undefined {
  const early = shorthandErrors(record, values, check);
  if (!isEmpty(early)) return early;
  const errors: FieldErrors = {};
  for (const name in record.fields) {
    const field = record.fields[name] as Field;
    const value = values[name] ?? null;
    const error = value === null && field.facts.required ? 'required field missing' : check(field, value);
    if (error !== undefined) errors[name] = error;
  }
  for (const name of Object.keys(values)) if (!Object.hasOwn(record.fields, name)) setOwn(errors, name, 'unknown field');
  runEntityChecks(record, { record: values, errors, check });
  return isEmpty(errors) ? undefined : errors;
}

// An input may have a member `__proto__`, which a plain assignment would take for something else.
const setOwn = (errors: FieldErrors, name: string, error: FieldError) =>
  Object.defineProperty(errors, name, { value: error, enumerable: true, writable: true, configurable: true });
