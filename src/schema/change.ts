import { isObject } from '../lib/json.ts';
import type { RecordField } from './field.ts';
import type { FieldErrors } from './field-errors.ts';

type Values = Readonly<Record<string, unknown>>;

/** The values with what `changes` says: records member by member, all else as a whole. Source: kong/db/schema/init.lua of Kong 3.9, `merge_values`. */
export function merge(record: RecordField, current: Values, changes: Values): Values {
  const changed = Object.entries(changes).map(([name, value]) => {
    const field = Object.hasOwn(record.fields, name) ? record.fields[name] : undefined;
    const old = current[name];
    const inner = field?.type === 'record' && isObject(value) && isObject(old) ? merge(field as RecordField, old, value) : value;
    return [name, inner] as const;
  });
  // `Object.fromEntries` makes `__proto__` a member like any other.
  return Object.fromEntries([...Object.entries(current), ...changed]);
}

/** What changes a field that takes no other value. A list says the same in any order. */
export function immutableErrors({ fields }: RecordField, current: Values, changes: Values): FieldErrors {
  const immutable = Object.keys(fields).filter(name => fields[name]?.facts.immutable && changes[name] !== undefined);
  const changed = immutable.filter(name => current[name] !== undefined && !isSame(changes[name], current[name]));
  return Object.fromEntries(changed.map(name => [name, 'immutable field cannot be updated']));
}

function isSame(value: unknown, current: unknown): boolean {
  if (!Array.isArray(value) || !Array.isArray(current)) return Bun.deepEquals(value, current);
  return value.length === current.length && Bun.deepEquals(value.toSorted(), current.toSorted());
}

/** The messages of a change, which may leave out what the row says already. Source: kong/db/schema/init.lua of Kong 3.9, `validate_update`. */
export function errorsWhenUpdating(errors: FieldErrors): FieldErrors {
  return reworded(errors) as FieldErrors;
}

function reworded(error: FieldErrors[string] | null): FieldErrors[string] | null {
  if (typeof error === 'string') {
    if (error === 'field required for entity check') return `${error} when updating`;
    return error.startsWith('at least one of these fields must be non-empty: ') ? `when updating, ${error}` : error;
  }
  if (Array.isArray(error)) return error.map(member => reworded(member) as typeof member);
  return error && (Object.fromEntries(Object.entries(error).map(([name, inner]) => [name, reworded(inner)])) as FieldErrors);
}
