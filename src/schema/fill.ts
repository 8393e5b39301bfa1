import { isObject } from '../lib/json.ts';
import type { Field, RecordField } from './field.ts';
import { fieldsOf } from './subschema.ts';

type Values = Readonly<Record<string, unknown>>;

/**
 * The record as Kong completes it: every field there, given or by default or null. Only a required field without default stays
 * away. What is unknown or ill-typed stays as it is, for the checks to name.
 */
export function fillRecord(record: RecordField, values: Values): Values {
  const fields = fieldsOf(record, values);
  const filled: Record<string, unknown> = {};
  for (const name in fields) {
    const value = fill(fields[name] as Field, values[name]);
    if (value !== undefined) filled[name] = value;
  }
  const unknown = Object.keys(values).filter(name => !Object.hasOwn(fields, name));
  // `Object.fromEntries` makes `__proto__` a member like any other.
  return unknown.length === 0 ? filled : Object.fromEntries([...Object.entries(filled), ...unknown.map(name => [name, values[name]])]);
}

/** A null that was given stays null. */
function fill(field: Field, value: unknown): unknown {
  if (value === undefined) return missing(field);
  if (value === null) return null;
  if (field.elements) return fillList(field, field.elements, value);
  if (field.values) return fillMap(field.values, value);
  if (field.fields && !field.facts.abstract) return fillMembers(field as RecordField, value);
  if (field.type === 'foreign') return fillReference(value);
  return field.facts.uuid && typeof value === 'string' ? value.toLowerCase() : value;
}

function missing(field: Field): unknown {
  const { default: initial, required, abstract } = field.facts;
  if (initial !== undefined) return fill(field, typeof initial === 'object' ? structuredClone(initial) : initial);
  if (!required) return null;
  return field.fields && !abstract ? fillRecord(field as RecordField, {}) : undefined;
}

// Lua has one kind of table: what is empty is a list and a record alike.
const isEmptyList = (value: unknown) => Array.isArray(value) && value.length === 0;
const isEmptyRecord = (value: unknown) => isObject(value) && Object.keys(value).length === 0;

function fillList(field: Field, elements: Field, value: unknown): unknown {
  if (isEmptyRecord(value)) return [];
  if (!Array.isArray(value)) return value;
  const members = value.map(member => fill(elements, member));
  return field.type === 'set' ? [...new Set(members)] : members;
}

function fillMap(values: Field, value: unknown): unknown {
  if (isEmptyList(value)) return {};
  return isObject(value) ? Object.fromEntries(Object.entries(value).map(([key, member]) => [key, fill(values, member)])) : value;
}

function fillMembers(record: RecordField, value: unknown): unknown {
  if (isEmptyList(value)) return fillRecord(record, {});
  return isObject(value) ? fillRecord(record, value) : value;
}

/** Of what is pointed at, only the id is kept. */
function fillReference(value: unknown): unknown {
  if (!isObject(value)) return value;
  const { id } = value;
  return typeof id === 'string' ? { id: id.toLowerCase() } : value;
}
