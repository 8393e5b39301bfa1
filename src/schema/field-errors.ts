/** Messages nested as the fields are; `@entity` holds those of the record as a whole. */
export type FieldErrors = { [field: string]: FieldError };

/** Those of a list stand where its members do, null where one is right. */
export type FieldError = string | FieldErrors | (string | FieldErrors | null)[];
