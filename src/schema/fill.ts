import type { Field, RecordField } from './field.ts';

export const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** The record with every field in its place: given, else its default, else null. What is unknown or ill-typed stays, for the checks to name. */
export function fillRecord(record: RecordField, input: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const filled: Record<string, unknown> = { ...input };
  for (const [name, field] of Object.entries(record.fields)) filled[name] = fill(field, input[name]);
  return filled;
}

export function fill(field: Field, value: unknown): unknown {
  if (value === undefined) return missing(field);
  if (value === null) return missing({ ...field, facts: field.facts.required ? field.facts : { ...field.facts, default: null } });
  if (field.elements && Array.isArray(value)) {
    const elements = field.elements;
    const members = value.map(member => (member === null ? null : fill(elements, member)));
    return field.type === 'set' ? [...new Map(members.map(member => [JSON.stringify(member), member])).values()] : members;
  }
  if (!isRecord(value)) return value;
  if (field.type === 'record' && field.fields) return fillRecord(field as RecordField, value);
  if (field.values) {
    const values = field.values;
    return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, member === null ? null : fill(values, member)]));
  }
  return value;
}

function missing(field: Field): unknown {
  if (field.facts.default !== undefined) return structuredClone(field.facts.default);
  if (field.facts.required && field.type === 'record' && field.fields) return fillRecord(field as RecordField, {});
  return null;
}
