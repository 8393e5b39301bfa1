import { isObject } from '../lib/json.ts';
import { valueAt } from './dotted-name.ts';
import type { Field, RecordFacts, RecordField, Shorthand } from './field.ts';
import type { FieldError, FieldErrors } from './field-errors.ts';

type Values = Readonly<Record<string, unknown>>;
type CheckField = (field: Field, value: unknown) => FieldError | undefined;

/**
 * What is given with each shorthand, at any depth, replaced by the fields it stands for. One that is wrong stays, for the
 * checks to name.
 */
export function expandShorthands<T>(field: Field, value: T, check: CheckField): T {
  return (mayHold(field) ? expand(field, value, check) : value) as T;
}

function expand(field: Field, value: unknown, check: CheckField): unknown {
  const { elements, values } = field;
  if (elements && Array.isArray(value)) return value.map(member => expandShorthands(elements, member, check));
  if (!isObject(value)) return value;
  const inner = field.fields ? expandOwn(field.facts, value, check) : value;
  // `Object.fromEntries` makes `__proto__` a member like any other.
  return Object.fromEntries(
    Object.entries(inner).map(([name, member]) => {
      const of = values ?? (field.fields && Object.hasOwn(field.fields, name) ? field.fields[name] : undefined);
      return [name, of ? expandShorthands(of, member, check) : member];
    }),
  );
}

const holders = new WeakMap<Field, boolean>();

/** Whether there is a shorthand in the field at all: most have none, and are passed by. */
function mayHold(field: Field): boolean {
  const known = holders.get(field);
  if (known !== undefined) return known;
  const { shorthand_fields: own }: RecordFacts = field.facts;
  const inner = [field.elements, field.values, ...Object.values(field.fields ?? {})];
  const found = own !== undefined || inner.some(part => part && mayHold(part));
  holders.set(field, found);
  return found;
}

function expandOwn(facts: RecordFacts, values: Values, check: CheckField): Values {
  let expanded = values;
  for (const [name, shorthand] of Object.entries(facts.shorthand_fields ?? {})) {
    if (!Object.hasOwn(expanded, name) || shorthandError(name, shorthand, expanded, check) !== undefined) continue;
    const { [name]: value, ...others } = expanded;
    expanded = { ...others, ...standIns(shorthand, value, others) };
  }
  return expanded;
}

/** What is wrong with the shorthands that are still there. */
export function shorthandErrors({ facts }: RecordField, values: Values, check: CheckField): FieldErrors {
  const errors: FieldErrors = {};
  for (const [name, shorthand] of Object.entries(facts.shorthand_fields ?? {})) {
    const error = Object.hasOwn(values, name) ? shorthandError(name, shorthand, values, check) : undefined;
    if (error !== undefined) errors[name] = error;
  }
  return errors;
}

function shorthandError(name: string, { field }: Shorthand, values: Values, check: CheckField): FieldError | undefined {
  const value = values[name];
  return check(field, value) ?? (value === null ? undefined : disagreement(name, field, values));
}

/** A deprecated name and the one that took its place may both be given, if they say the same. */
function disagreement(name: string, { facts: { deprecation } }: Field, values: Values): string | undefined {
  for (const { path } of deprecation?.replaced_with ?? []) {
    const current = valueAt(values, path.join('.'));
    if (current === undefined || current === null || Bun.deepEquals(current, values[name])) continue;
    return `both deprecated and new field are used but their values mismatch: ${name} = ${values[name]} vs ${path.join('.')} = ${current}`;
  }
  return undefined;
}

/** Of a deprecated shorthand the fields given win, unless they are null; of any other the shorthand does. */
function standIns({ field, func }: Shorthand, value: unknown, given: Values): Values {
  const { deprecation } = field.facts;
  const result: Record<string, unknown> = {};
  for (const [name, stand] of Object.entries(func(value as never))) {
    const current = given[name] ?? null;
    if (isObject(stand)) {
      const inner = isObject(current) ? current : {};
      result[name] = deprecation ? { ...inner, ...stand, ...notNull(inner) } : { ...inner, ...stand };
    } else result[name] = deprecation && current !== null ? current : stand;
  }
  return result;
}

const notNull = (values: Values): Values => Object.fromEntries(Object.entries(values).filter(([, member]) => member !== null));
