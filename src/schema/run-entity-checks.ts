import { fieldAt, setError, valueAt } from './dotted-name.ts';
import type { EntityCheck, EntityCheckArguments, Match } from './entity-check.ts';
import { type Field, narrow } from './field.ts';
import type { FieldError, FieldErrors } from './field-errors.ts';
import { isReference } from './vault-reference.ts';

type CheckField = (field: Field, value: unknown) => FieldError | undefined;

/** What a check sees: the record, its fields, and how to ask about one value. */
interface Subject {
  readonly record: Readonly<Record<string, unknown>>;
  readonly fields: Readonly<Record<string, Field>>;
  /** A check may add messages of fields to the one it returns. */
  readonly errors: FieldErrors;
  readonly check: CheckField;
}

/** One word of the vocabulary. */
interface Checker<Argument> {
  /** The fields it looks at. It says nothing when one of them holds a reference to a vault. */
  names(argument: Argument): readonly string[];
  /** Those of them that must be there, if only as null. */
  needs?(argument: Argument): readonly string[];
  /** It speaks though a field has an error of its own. */
  readonly withInvalidFields?: boolean;
  /** It speaks though none of its fields is there. */
  readonly withMissingFields?: boolean;
  /** The message, or undefined when all is well. */
  run(argument: Argument, subject: Subject): string | undefined;
}

const own = (names: readonly string[]) => names;

/** In Kong's words and with Kong's conditions. Source: kong/db/schema/init.lua of Kong 3.9, `entity_checkers`. */
const CHECKERS: { readonly [W in keyof EntityCheckArguments]: Checker<EntityCheckArguments[W]> } = {
  at_least_one_of: {
    names: own,
    withInvalidFields: true,
    withMissingFields: true,
    run: (names, { record }) =>
      filled(record, names) > 0 ? undefined : `at least one of these fields must be non-empty: ${quoted(names)}`,
  },
  conditional_at_least_one_of: {
    names: check => [check.if_field, ...check.then_at_least_one_of, ...(check.else_then_at_least_one_of ?? [])],
    withInvalidFields: true,
    withMissingFields: true,
    run: (check, subject) => {
      if (matches(check.if_field, check.if_match, subject)) return oneOf(check.then_at_least_one_of, check.then_err, subject);
      const { else_match: otherwise, else_then_at_least_one_of: names } = check;
      return otherwise && names && matches(check.if_field, otherwise, subject) ? oneOf(names, check.else_then_err, subject) : undefined;
    },
  },
  only_one_of: {
    names: own,
    needs: own,
    withInvalidFields: true,
    run: (names, { record }) =>
      filled(record, names) === 1 ? undefined : `exactly one of these fields must be non-empty: ${quoted(names)}`,
  },
  distinct: {
    names: own,
    needs: own,
    withInvalidFields: true,
    run: (names, { record }) => {
      const values = names.map(name => valueAt(record, name)).filter(isFilled);
      return new Set(values).size === values.length ? undefined : `values of these fields must be distinct: ${quoted(names)}`;
    },
  },
  conditional: {
    names: check => [check.if_field, check.then_field],
    needs: check => [check.if_field],
    withInvalidFields: true,
    run: (check, subject) => {
      if (!matches(check.if_field, check.if_match, subject)) return undefined;
      const error = errorOf(check.then_field, check.then_match, subject);
      if (error === undefined) return undefined;
      setError(subject.errors, check.then_field, error);
      return check.then_err?.replace('%s', check.if_field) ?? `failed conditional validation given value of field '${check.if_field}'`;
    },
  },
  custom_entity_check: {
    names: check => check.field_sources,
    needs: check => (check.run_with_missing_fields ? [] : check.field_sources),
    run: (check, { record }) => check.fn(record as never),
  },
  mutually_required: {
    names: own,
    withMissingFields: true,
    run: (names, { record }) => {
      const count = filled(record, names);
      return count === 0 || count === names.length ? undefined : `all or none of these fields must be set: ${quoted(names)}`;
    },
  },
  mutually_exclusive: {
    names: own,
    withMissingFields: true,
    run: (names, { record }) => (filled(record, names) < 2 ? undefined : `only one or none of these fields must be set: ${quoted(names)}`),
  },
};

/** Adds to `subject.errors` what the checks have to say: under `@entity`, and under the fields that they find at fault. */
export function runEntityChecks(checks: readonly EntityCheck[], subject: Subject): void {
  for (const check of checks) {
    for (const [word, argument] of Object.entries(check)) {
      const message = runChecker(CHECKERS[word as keyof EntityCheckArguments] as Checker<unknown>, argument, subject);
      if (message === undefined) continue;
      const others = (subject.errors['@entity'] ?? []) as string[];
      subject.errors['@entity'] = [...others, message];
    }
  }
}

function runChecker(checker: Checker<unknown>, argument: unknown, subject: Subject): string | undefined {
  const { record, fields, errors } = subject;
  const names = checker.names(argument);
  const present = names.filter(name => valueAt(record, name) !== undefined);
  if (present.some(name => fieldAt(fields, name).facts.referenceable && isReference(valueAt(record, name)))) return undefined;
  const heedless = checker.withInvalidFields || (argument as { run_with_invalid_fields?: boolean }).run_with_invalid_fields;
  if (!heedless && names.some(name => errors[name] !== undefined)) return undefined;
  if (present.length === 0 && !checker.withMissingFields) return undefined;
  const missing = (checker.needs?.(argument) ?? []).filter(name => !present.includes(name));
  for (const name of missing) setError(errors, name, 'field required for entity check');
  return missing.length > 0 ? undefined : checker.run(argument, subject);
}

const quoted = (names: readonly string[]) => names.map(name => `'${name}'`).join(', ');

function isFilled(value: unknown): boolean {
  if (value === undefined || value === null || value === '') return false;
  return typeof value !== 'object' || Object.keys(value).length > 0;
}

const filled = (record: unknown, names: readonly string[]) => names.filter(name => isFilled(valueAt(record, name))).length;

function oneOf(names: readonly string[], err: string | undefined, { record }: Subject): string | undefined {
  if (filled(record, names) > 0) return undefined;
  return (err ?? 'at least one of these fields must be non-empty: %s').replace('%s', () => quoted(names));
}

function matches(name: string, match: Match, subject: Subject): boolean {
  return valueAt(subject.record, name) !== undefined && errorOf(name, match, subject) === undefined;
}

function errorOf(name: string, match: Match, { record, fields, check }: Subject): FieldError | undefined {
  return check(narrowed(fieldAt(fields, name), match), valueAt(record, name) ?? null);
}

const narrowedFields = new WeakMap<Field, WeakMap<Match, Field>>();

/** Each pair is narrowed once: an import checks thousands of rows. */
function narrowed(field: Field, match: Match): Field {
  const byMatch = narrowedFields.get(field) ?? new WeakMap<Match, Field>();
  narrowedFields.set(field, byMatch);
  const known = byMatch.get(match) ?? narrow(field, match);
  byMatch.set(match, known);
  return known;
}
