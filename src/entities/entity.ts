import type { RecordField } from '../schema/field.ts';

/** What every row has: the rest is the entity's own schema. */
export interface Row {
  readonly id: string;
  readonly created_at?: number | null;
  readonly updated_at?: number | null;
  readonly tags?: readonly string[] | null;
}

/** A row points at another by its id. */
export interface Reference {
  readonly id: string;
}

/**
 * A thing operators configure. Its validation, TypeScript type, `/schemas` JSON, SQL table, Admin API paths and
 * declarative section all follow from this one declaration.
 */
export interface Entity<R extends Row = Row> {
  /** Kong's plural name: the collection's path, its table and its declarative section. */
  readonly name: string;
  /** Fields, defaults and checks. Facts `unique`, `reference`, `on_delete` and `encrypted` are read off the fields, `subschema` off the whole. */
  readonly schema: RecordField<R>;
  /** The unique field an Admin API path may use in place of the id: `/services/my-api`. */
  readonly endpointKey?: string;
  /** Fields that together must be unique, nulls counted as values: of `plugins`, name, route, service and consumer. */
  readonly cacheKey?: readonly string[];
}

export const defineEntity = <R extends Row>(entity: Entity<R>): Entity<R> => entity;

export type RowOf<E> = E extends Entity<infer R> ? R : never;
