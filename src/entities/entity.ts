import type { RecordField } from '../schema/field.ts';
import type { FieldErrors } from '../schema/field-errors.ts';

/** What every row has: the rest is the entity's own schema. */
export interface Row {
  readonly id: string;
  readonly created_at?: number | null;
  readonly updated_at?: number | null;
  readonly tags?: readonly string[] | null;
  /** Seconds since 1970, with their fractions. From then on it is as if the row were not there; null: it stays. */
  readonly expires_at?: number | null;
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
  /**
   * The field an Admin API path may use in place of the id: `/services/my-api`. Either it is unique, or it is so among the rows
   * of one parent, as `cacheKey` says, and then only paths below that parent may use it.
   */
  readonly endpointKey?: string;
  /** The endpoint key is a secret by itself, such as an API key: no log and no error of a file shows it. */
  readonly endpointIsSecret?: true;
  /**
   * The field that a path below a parent may use in place of the id, of an entity that has paths of its own as well, by ids alone:
   * of `acls`, `group`. With the parent it is the `cacheKey`.
   */
  readonly keyBelowParent?: string;
  /** Fields that together must be unique, nulls counted as values: of `plugins`, name, route, service, consumer and consumer_group. */
  readonly cacheKey?: readonly string[];
  /** The collection's path where it is not `name`: `key-sets`. */
  readonly adminApiName?: string;
  /** Its path below another entity, where that is not the collection's: `/consumers/{c}/key-auth`. */
  readonly adminApiNestedName?: string;
  /** False: it has no paths of its own in the Admin API. */
  readonly generateAdminApi?: false;
  /** List fields whose members are ids of rows of another entity, by field: of `services`, `ca_certificates`. Those rows stay while pointed at. */
  readonly listReferences?: Readonly<Record<string, string>>;
  /** What is wrong with a row next to the rows that it points at. The Admin API asks before it writes the row. */
  checkAmong?(row: R, rows: Rows): FieldErrors | undefined;
}

/** The rows that are there. */
export interface Rows {
  find<R extends Row>(entity: Entity<R>, id: string): R | undefined;
  page<R extends Row>(
    entity: Entity<R>,
    query: { readonly size: number; readonly where: { readonly field: string; readonly id: string } },
  ): { readonly rows: readonly R[] };
}

export const defineEntity = <R extends Row>(entity: Entity<R>): Entity<R> => entity;

export type RowOf<E> = E extends Entity<infer R> ? R : never;
