import type { RecordField } from './field.ts';

/** Messages nested as the fields are; `@entity` holds those of the record as a whole. */
export type FieldErrors = { [field: string]: string | FieldErrors | (string | FieldErrors | null)[] };

export type Validation<T> = { readonly value: T } | { readonly errors: FieldErrors };

/** Fills defaults, expands shorthands, then checks every field and, when those hold, the record's entity checks. */
export declare function validate<T>(record: RecordField<T>, input: unknown): Validation<T>;
