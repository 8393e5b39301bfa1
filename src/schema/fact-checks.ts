import * as v from 'valibot';
import { isObject } from '../lib/json.ts';
import { luaPattern } from '../lib/lua-pattern.ts';
import { compilePcre } from '../lib/regex.ts';
import { isUuid } from '../lib/uuid.ts';
import type { Facts, FieldType } from './facts.ts';
import { isReference } from './vault-reference.ts';

export type Checked<T> = v.GenericSchema<unknown, T>;
/** What is wrong with a value of the right type, or undefined. */
type Check = (value: never) => string | undefined;
type Vocabulary = { readonly [F in keyof Facts]?: (fact: NonNullable<Facts[F]>) => Check };

/** The facts that decide about values, in the order in which Kong asks them. Source: kong/db/schema/init.lua of Kong 3.9, `validators_order`. */
const VOCABULARY: Vocabulary = {
  eq: wanted => value => (value === wanted ? undefined : `value must be ${wanted}`),
  ne: refused => value => (value === refused ? `value must not be ${refused}` : undefined),
  not_one_of: refused => value => (refused.includes(value) ? `must not be one of: ${refused.join(', ')}` : undefined),
  one_of: allowed => value => (allowed.includes(value) ? undefined : `expected one of: ${allowed.join(', ')}`),
  gt: limit => value => (value > limit ? undefined : `value must be greater than ${limit}`),
  timestamp: () => value => (value > 0 ? undefined : 'expected a valid timestamp'),
  uuid: () => value => (isUuid(value) ? undefined : 'expected a valid UUID'),
  is_regex: () => value => (isRegex(value) ? undefined : `not a valid regex: ${value}`),
  between: limits => value => between(value, limits),
  len_eq: wanted => value => (length(value) === wanted ? undefined : `length must be ${wanted}`),
  len_min: least => value => (length(value) >= least ? undefined : `length must be at least ${least}`),
  len_max: most => value => (length(value) <= most ? undefined : `length must be at most ${most}`),
  starts_with: start => (value: string) => (value.startsWith(start) ? undefined : `should start with: ${start}`),
  not_match: pattern => matching(pattern, invalid, false),
  match_none: patterns => first(patterns.map(({ pattern, err }) => matching(pattern, value => err ?? invalid(value), false))),
  match: pattern => matching(pattern, invalid, true),
  match_all: patterns => first(patterns.map(({ pattern, err }) => matching(pattern, value => err ?? invalid(value), true))),
  match_any: ({ patterns, err }) => {
    const expressions = patterns.map(luaPattern);
    return value => (expressions.some(expression => expression.test(value)) ? undefined : (err ?? invalid(value)));
  },
  contains: wanted => (value: readonly unknown[]) => (value.includes(wanted) ? undefined : `expected to contain: ${wanted}`),
  custom_validator: validate => validate,
  mutually_exclusive_subsets: subsets => value => exclusive(subsets, value),
};

const invalid = (value: string) => `invalid value: ${value}`;

/** Kong prints the bounds as integers: 0.001 is 0. */
function between(value: number, [low, high]: readonly [number, number]): string | undefined {
  return value >= low && value <= high ? undefined : `value should be between ${Math.trunc(low)} and ${Math.trunc(high)}`;
}

/** Bytes of a string, members of a list or a map. */
function length(value: string | object): number {
  return typeof value === 'string' ? Buffer.byteLength(value) : Object.keys(value).length;
}

function isRegex(pattern: string): boolean {
  try {
    compilePcre(pattern);
    return true;
  } catch {
    return false;
  }
}

function matching(pattern: string, message: (value: string) => string, wanted: boolean): Check {
  const expression = luaPattern(pattern);
  return value => (expression.test(value) === wanted ? undefined : message(value));
}

function first(checks: readonly Check[]): Check {
  return value => {
    for (const check of checks) {
      const message = check(value);
      if (message !== undefined) return message;
    }
    return undefined;
  };
}

function exclusive(subsets: readonly (readonly string[])[], value: readonly string[]): string | undefined {
  const found = new Set(value.flatMap(member => subsets.filter(subset => subset.includes(member))));
  if (found.size < 2) return undefined;
  return `these sets are mutually exclusive: ${[...found].map(subset => `('${subset.join("', '")}')`).join(', ')}`;
}

/** The byte, counted from one, where a surrogate lacks its other half: JSON can say that, UTF-8 cannot. */
const illFormedAt = (text: string) => Buffer.byteLength(text.slice(0, text.search(/\p{Surrogate}/u))) + 1;

/** What a value of each type is, whatever its facts and its contents. */
export const TYPES: Readonly<Record<FieldType, Checked<unknown>>> = {
  string: v.pipe(
    v.string('expected a string'),
    v.check(
      text => text.isWellFormed(),
      issue => `invalid utf-8 character sequence detected at position ${illFormedAt(issue.input)}`,
    ),
  ),
  // Beyond 2^53 a number is no longer the one that was written.
  integer: v.pipe(v.number('expected an integer'), v.safeInteger('expected an integer')),
  number: v.pipe(v.number('expected a number'), v.finite('expected a number')),
  boolean: v.boolean('expected a boolean'),
  array: v.array(v.unknown(), 'expected an array'),
  set: v.array(v.unknown(), 'expected a set'),
  map: v.custom(isObject, 'expected a map'),
  record: v.custom(isObject, 'expected a record'),
  foreign: v.custom(isObject, 'expected a record'),
  json: v.unknown(),
};

/** The valibot schema of a value that is not null: of this type, and no fact speaks against it. The first that does is the issue. */
export function checked(type: FieldType, facts: Facts): Checked<unknown> {
  const stated: Facts = type === 'string' && facts.len_min === undefined ? { ...facts, len_min: 1 } : facts;
  const words = Object.entries(VOCABULARY) as [keyof Facts, (fact: unknown) => Check][];
  const made = words.filter(([word]) => stated[word] !== undefined && stated[word] !== null).map(([word, make]) => make(stated[word]));
  const check = first(made) as (value: unknown) => string | undefined;
  return v.pipe(
    TYPES[type],
    v.rawCheck(({ dataset, addIssue }) => {
      if (!dataset.typed || (facts.referenceable && isReference(dataset.value))) return;
      const message = check(dataset.value);
      if (message !== undefined) addIssue({ message: facts.err ?? message });
    }),
  );
}
