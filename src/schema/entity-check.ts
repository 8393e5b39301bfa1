import type { Facts } from './facts.ts';

/** Facts that a value meets or not; those of the field itself hold as well. */
export type Match = Facts & { readonly elements?: Facts };

export interface Conditional {
  readonly if_field: string;
  readonly if_match: Match;
  readonly then_field: string;
  readonly then_match: Match;
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
  /** What is wrong with the record, or undefined. */
  // biome-ignore lint/suspicious/noExplicitAny: each record has its own shape
  fn(record: any): string | undefined;
}

/** A rule across the fields of a record: one word of Kong's and what it says. Fields in records are named with dots. */
export type EntityCheck =
  | { readonly at_least_one_of: readonly string[] }
  | { readonly conditional_at_least_one_of: ConditionalAtLeastOneOf }
  | { readonly only_one_of: readonly string[] }
  | { readonly distinct: readonly string[] }
  | { readonly conditional: Conditional }
  | { readonly mutually_required: readonly string[] }
  | { readonly mutually_exclusive: readonly string[] }
  | { readonly custom_entity_check: CustomEntityCheck };
