import { fieldAt, setError, valueAt } from './dotted-name.ts';
import type { EntityCheckArguments, Match } from './entity-check.ts';
import { type Field, narrow, type RecordField } from './field.ts';
import type { FieldError, FieldErrors } from './field-errors.ts';
import { isReference } from './vault-reference.ts';

type CheckField = (field: Field, value: unknown) => FieldError | undefined;

/** What a check sees: the values of the record, and how to ask about one of them. */
interface Subject {
  readonly record: Readonly<Record<string, unknown>>;
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
  run(argument: Argument, subject: Subject, fields: Fields): string | undefined;
}

type Fields = Readonly<Record<string, Field>>;

/** A check of a schema with all that no row decides. */
interface Prepared {
  readonly checker: Checker<unknown>;
  readonly argument: unknown;
  readonly names: readonly string[];
  readonly needs: readonly string[];
  readonly referenceable: readonly string[];
  readonly withInvalidFields: boolean;
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
    run: (check, subject, fields) => {
      const { if_field: name, else_match: otherwise, else_then_at_least_one_of: others } = check;
      if (matches(name, check.if_match, subject, fields)) return oneOf(check.then_at_least_one_of, check.then_err, subject);
      return otherwise && others && matches(name, otherwise, subject, fields) ? oneOf(others, check.else_then_err, subject) : undefined;
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
    run: (check, subject, fields) => {
      if (!matches(check.if_field, check.if_match, subject, fields)) return undefined;
      const error = errorOf(check.then_field, check.then_match, subject, fields);
      if (error === undefined) return undefined;
      setError(subject.errors, check.then_field, error);
      // Of a field that is missing Kong says so in its own words only.
      const words = error === 'required field missing' ? undefined : check.then_err;
      return words?.replace('%s', check.if_field) ?? `failed conditional validation given value of field '${check.if_field}'`;
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
    run: (names, { record }) => mutuallyRequired(record, names),
  },
  mutually_exclusive: {
    names: own,
    withMissingFields: true,
    run: (names, { record }) => (filled(record, names) < 2 ? undefined : `only one or none of these fields must be set: ${quoted(names)}`),
  },
  mutually_exclusive_sets: {
    names: ({ set1, set2 }) => [...set1, ...set2],
    withMissingFields: true,
    run: (sets, { record }) => {
      const [first, second] = [sets.set1, sets.set2].map(names => names.filter(name => isFilled(valueAt(record, name))));
      if (!first?.length || !second?.length) return undefined;
      return `these sets are mutually exclusive: (${quoted(first)}), (${quoted(second)})`;
    },
  },
};

/** Adds to `subject.errors` what the checks have to say: under `@entity`, and under the fields that they find at fault. */
export function runEntityChecks(schema: RecordField, subject: Subject): void {
  for (const prepared of preparedChecks(schema)) {
    const message = runPrepared(prepared, subject, schema.fields);
    if (message === undefined) continue;
    const others = (subject.errors['@entity'] ?? []) as string[];
    subject.errors['@entity'] = [...others, message];
  }
}

const checksOf = new WeakMap<RecordField, readonly Prepared[]>();

function preparedChecks(schema: RecordField): readonly Prepared[] {
  const known = checksOf.get(schema);
  if (known) return known;
  const checks = (schema.facts.entity_checks ?? []).flatMap(check => Object.entries(check));
  const prepared = checks.map(([word, argument]) => prepare(CHECKERS[word as keyof EntityCheckArguments], argument, schema.fields));
  checksOf.set(schema, prepared);
  return prepared;
}

function prepare(checker: Checker<unknown>, argument: unknown, fields: Fields): Prepared {
  const names = checker.names(argument);
  const { run_with_invalid_fields: asked } = argument as { run_with_invalid_fields?: boolean };
  return {
    checker,
    argument,
    names,
    needs: checker.needs?.(argument) ?? [],
    referenceable: names.filter(name => fieldAt(fields, name).facts.referenceable),
    withInvalidFields: (checker.withInvalidFields || asked) === true,
  };
}

function runPrepared(prepared: Prepared, subject: Subject, fields: Fields): string | undefined {
  const { checker, argument, names, needs, referenceable, withInvalidFields } = prepared;
  const { record, errors } = subject;
  if (referenceable.some(name => isReference(valueAt(record, name)))) return undefined;
  if (!withInvalidFields && names.some(name => errors[name] !== undefined)) return undefined;
  if (!checker.withMissingFields && names.every(name => valueAt(record, name) === undefined)) return undefined;
  const missing = needs.filter(name => valueAt(record, name) === undefined);
  for (const name of missing) setError(errors, name, 'field required for entity check');
  return missing.length > 0 ? undefined : checker.run(argument, subject, fields);
}

const quoted = (names: readonly string[]) => names.map(name => `'${name}'`).join(', ');

/** Whether there is anything in the value. */
export function isFilled(value: unknown): boolean {
  if (value === undefined || value === null || value === '') return false;
  return typeof value !== 'object' || Object.keys(value).length > 0;
}

const filled = (record: unknown, names: readonly string[]) => names.filter(name => isFilled(valueAt(record, name))).length;

/** What is wrong when some of the fields are set and some are not. */
export function mutuallyRequired(record: unknown, names: readonly string[]): string | undefined {
  const count = filled(record, names);
  return count === 0 || count === names.length ? undefined : `all or none of these fields must be set: ${quoted(names)}`;
}

function oneOf(names: readonly string[], err: string | undefined, { record }: Subject): string | undefined {
  if (filled(record, names) > 0) return undefined;
  return (err ?? 'at least one of these fields must be non-empty: %s').replace('%s', () => quoted(names));
}

function matches(name: string, match: Match, subject: Subject, fields: Fields): boolean {
  return valueAt(subject.record, name) !== undefined && errorOf(name, match, subject, fields) === undefined;
}

function errorOf(name: string, match: Match, { record, check }: Subject, fields: Fields): FieldError | undefined {
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
