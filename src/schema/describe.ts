import type { Field } from './field.ts';

/** The field as Kong prints it at `GET /schemas/…`. */
export function describe(field: Field): Record<string, unknown> {
  return { type: field.type, ...field.facts };
}
