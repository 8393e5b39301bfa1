import { isObject } from '../lib/json.ts';
import { valueAt } from './dotted-name.ts';
import type { Field, RecordFacts, Shorthand } from './field.ts';
import type { FieldError, FieldErrors } from './field-errors.ts';

type Values = Readonly<Record<string, unknown>>;
type CheckField = (field: Field, value: unknown) => FieldError | undefined;

/** The values with each shorthand replaced by the fields it stands for. One that is wrong stays, for the checks to name. */
export function expandShorthands(facts: RecordFacts, values: Values, check: CheckField): Values {
  let expanded = values;
  for (const [name, shorthand] of Object.entries(facts.shorthand_fields ?? {})) {
    if (!Object.hasOwn(expanded, name) || shorthandError(name, shorthand, expanded, check) !== undefined) continue;
    const { [name]: value, ...others } = expanded;
    expanded = value === null ? others : { ...others, ...standIns(shorthand, value, others) };
  }
  return expanded;
}

/** What is wrong with the shorthands that are still there. */
export function shorthandErrors(facts: RecordFacts, values: Values, check: CheckField): FieldErrors {
  const errors: FieldErrors = {};
  for (const [name, shorthand] of Object.entries(facts.shorthand_fields ?? {})) {
    const error = Object.hasOwn(values, name) ? shorthandError(name, shorthand, values, check) : undefined;
    if (error !== undefined) errors[name] = error;
  }
  return errors;
}

function shorthandError(name: string, shorthand: Shorthand, values: Values, check: CheckField): FieldError | undefined {
  const value = values[name];
  return check(shorthand.field, value) ?? (value === null ? undefined : disagreement(name, shorthand, values));
}

/** A deprecated name and the one that took its place may both be given, if they say the same. */
function disagreement(name: string, { deprecation }: Shorthand, values: Values): string | undefined {
  for (const { path } of deprecation?.replaced_with ?? []) {
    const current = valueAt(values, path.join('.'));
    if (current === undefined || current === null || Bun.deepEquals(current, values[name])) continue;
    return `both deprecated and new field are used but their values mismatch: ${name} = ${values[name]} vs ${path.join('.')} = ${current}`;
  }
  return undefined;
}

/** Of a deprecated shorthand the fields given win, of any other the shorthand does. */
function standIns({ func, deprecation }: Shorthand, value: unknown, given: Values): Values {
  const result: Record<string, unknown> = {};
  for (const [name, stand] of Object.entries(func(value as never))) {
    const current = given[name] ?? null;
    if (isObject(stand)) result[name] = deprecation ? { ...stand, ...set(current) } : { ...set(current), ...stand };
    else result[name] = deprecation && current !== null ? current : stand;
  }
  return result;
}

/** Members that are not null. */
const set = (value: unknown): Values =>
  isObject(value) ? Object.fromEntries(Object.entries(value).filter(([, member]) => member !== null)) : {};
