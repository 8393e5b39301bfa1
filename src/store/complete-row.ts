import type { Entity, Row } from '../entities/entity.ts';
import { fillRecord } from '../schema/fill.ts';

/** A row that an earlier version wrote: what that did not know of, at any depth, is there as if it had been left out. */
export const completeRow = (entity: Entity, row: Row): Row =>
  withoutTransient(entity, fillRecord(entity.schema, { ...row }) as unknown as Row);

/** The row as a store keeps it. */
export function withoutTransient(entity: Entity, row: Row): Row {
  const transient = Object.keys(entity.schema.fields).filter(name => entity.schema.fields[name]?.facts.transient);
  if (transient.length === 0) return row;
  return Object.fromEntries(Object.entries(row).filter(([name]) => !transient.includes(name))) as unknown as Row;
}
