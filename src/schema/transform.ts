import { valueAt } from './dotted-name.ts';
import type { RecordField } from './field.ts';
import { isFilled, mutuallyRequired } from './run-entity-checks.ts';

type Values = Readonly<Record<string, unknown>>;

/**
 * What is wrong with the fields of transformations. `given` is what the write says, `row` what it comes to, `old` the row that it
 * changes. Source: kong/db/schema/init.lua of Kong 3.9, `run_transformation_checks`.
 */
export function transformationErrors({ facts }: RecordField, given: Values, row: Values, old?: Values): string[] {
  return (facts.transformations ?? []).flatMap(({ input, needs = [] }) => {
    const moved = old !== undefined && needs.some(name => valueAt(given, name) !== valueAt(old, name));
    if (!moved && !input.some(name => isFilled(valueAt(given, name)))) return [];
    return mutuallyRequired(moved ? given : row, [...input, ...needs]) ?? mutuallyRequired(given, input) ?? [];
  });
}

/** The row with what its transformations make of it: of those alone whose input is given, so that a digest is not digested again. */
export function transform({ facts }: RecordField, given: Values, row: Values): Values {
  let made = row;
  for (const { input, needs = [], on_write } of facts.transformations ?? []) {
    const values = [...input, ...needs].map(name => valueAt(made, name));
    const isAsked = values.every(isFilled) && input.every(name => isFilled(valueAt(given, name)));
    if (isAsked) made = { ...made, ...on_write(...(values as never[])) };
  }
  return made;
}
