import type { Entity, Row } from '../entities/entity.ts';
import { automaticValue } from '../schema/automatic.ts';
import type { Field, RecordField } from '../schema/field.ts';
import { type FieldErrors, validate } from '../schema/validate.ts';
import { withoutTransient } from './complete-row.ts';
import type { Fields } from './declarative-item.ts';

/** All of a row but its id and, where one was there before, its times. */
interface Made {
  readonly row: Row & Fields;
  /** The row itself. One that was there keeps its times while nothing else changes: so loading a file again changes nothing. */
  finish(id: string, old: Row | undefined): Row;
}

/** Stands for an id that is not known before the row is. */
export const NO_ID = '00000000-0000-0000-0000-000000000000';

/** What makes entries into rows of an entity; `transforms`: whether values are as people write them, and not as rows keep them. */
export function rowMaker(entity: Entity, transforms: boolean): (entry: Fields) => Made | { readonly errors: FieldErrors } {
  const { transformations = [], ...facts } = entity.schema.facts;
  const kept = transformations.filter(({ always }) => transforms || always);
  const schema: RecordField<Row> = { ...entity.schema, facts: { ...facts, transformations: kept } };
  const automatic = Object.entries(schema.fields).filter(([name, field]) => field.facts.auto && name !== 'id');
  const now = automaticValues(automatic.filter(([, { facts }]) => facts.timestamp));
  const random = automatic.filter(([, { facts }]) => !facts.timestamp);

  return entry => {
    const made = { ...now, ...automaticValues(random) };
    const { id = NO_ID, ...given } = withoutNulls(entry, ['id', ...Object.keys(made)]);
    const result = validate(schema, { ...made, ...given, id });
    if ('errors' in result) return result;
    const row = withoutTransient(entity, result.value) as Row & Fields;
    const finish = (rowId: string, old: Row | undefined): Row => {
      const before = Object.entries(old ?? {}).filter(([name]) => name in made && !(name in given));
      const same = { ...row, ...Object.fromEntries(before), id: rowId };
      const isTouched = old !== undefined && 'updated_at' in now && !('updated_at' in given) && !Bun.deepEquals(same, old);
      return isTouched ? { ...same, updated_at: row.updated_at ?? null } : same;
    };
    return { row, finish };
  };
}

const automaticValues = (fields: readonly (readonly [string, Field])[]): Fields =>
  Object.fromEntries(fields.map(([name, field]) => [name, automaticValue(field)]));

/** A null for a field the gateway fills means: fill it. */
const withoutNulls = (fields: Fields, automatic: readonly string[]): Fields =>
  Object.fromEntries(Object.entries(fields).filter(([name, value]) => value !== null || !automatic.includes(name)));
