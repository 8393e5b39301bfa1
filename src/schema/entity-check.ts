import type { Facts, FieldType } from './facts.ts';

/** Facts that a value meets or not; those of the field itself hold as well. */
export type Match = Facts & { readonly elements?: Facts & { readonly type: FieldType } };

export interface Conditional {
  readonly if_field: string;
  readonly if_match: Match;
  readonly then_field: string;
  readonly then_match: Match;
  /** Kong's words in place of its usual ones; `%s` is the name of the field, or the list of them. */
  readonly then_err?: string;
}

export interface ConditionalAtLeastOneOf {
  readonly if_field: string;
  readonly if_match: Match;
  readonly then_at_least_one_of: readonly string[];
  readonly then_err?: string;
  readonly else_match?: Match;
  readonly else_then_at_least_one_of?: readonly string[];
  readonly else_then_err?: string;
}

export interface CustomEntityCheck {
  readonly field_sources: readonly string[];
  readonly run_with_missing_fields?: boolean;
  readonly run_with_invalid_fields?: boolean;
  /** What is wrong with the record, or undefined. */
  readonly fn: (record: never) => string | undefined;
}

/** What each word of Kong's takes. Fields within records are named with dots. */
export interface EntityCheckArguments {
  readonly at_least_one_of: readonly string[];
  readonly conditional_at_least_one_of: ConditionalAtLeastOneOf;
  readonly only_one_of: readonly string[];
  readonly distinct: readonly string[];
  readonly conditional: Conditional;
  readonly custom_entity_check: CustomEntityCheck;
  readonly mutually_required: readonly string[];
  readonly mutually_exclusive: readonly string[];
  readonly mutually_exclusive_sets: { readonly set1: readonly string[]; readonly set2: readonly string[] };
}

/** A rule across the fields of a record: one word, and what it takes. */
export type EntityCheck = {
  [W in keyof EntityCheckArguments]: { readonly [word in W]: EntityCheckArguments[W] };
}[keyof EntityCheckArguments];
