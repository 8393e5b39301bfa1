import type { Field, RecordFacts } from './field.ts';

export type Description = { readonly [fact: string]: unknown };

/** The field as Kong prints it at `GET /schemas/…`: its facts without functions, and what it contains. */
export function describe(field: Field): Description {
  const { shorthand_fields: shorthands, subschema: _, transformations = [], ...facts }: RecordFacts = field.facts;
  const declared = transformations.filter(({ always }) => !always);
  return {
    type: field.type,
    ...withoutFunctions({ ...facts, ...(declared.length > 0 && { transformations: declared }) }),
    ...(field.elements && { elements: describe(field.elements) }),
    ...(field.keys && { keys: describe(field.keys) }),
    ...(field.values && { values: describe(field.values) }),
    ...(field.fields && !facts.abstract && { fields: describeAll(Object.entries(field.fields)) }),
    ...(shorthands && {
      shorthand_fields: describeAll(Object.entries(shorthands).map(([name, shorthand]) => [name, shorthand.field])),
    }),
  };
}

const describeAll = (fields: readonly (readonly [string, Field])[]) =>
  fields.filter(([, { facts }]) => !facts.hidden).map(([name, field]) => ({ [name]: describe(field) }));

// JSON has no functions: it leaves them out.
const withoutFunctions = (facts: RecordFacts): Description => JSON.parse(JSON.stringify(facts));
