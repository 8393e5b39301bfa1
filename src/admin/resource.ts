import type { Entity, Row } from '../entities/entity.ts';
import { withTimeLeft } from '../entities/expiring.ts';
import { withDeprecatedNames } from '../schema/deprecated-names.ts';
import { withoutTransient } from '../store/complete-row.ts';
import type { Store, Write } from '../store/store.ts';
import { asFields, type Fields, findRow } from './rows.ts';

/** A row that somebody wants written, and what they said of it. */
export interface WantedRow {
  readonly verb: 'insert' | 'update' | 'upsert';
  readonly row: Row;
  /** The row that is there now. */
  readonly old: Row | undefined;
  /** What the request said itself: an update says little, the others say all that shall be. */
  readonly given: Fields;
}

/** An entity as the Admin API has it: how its rows are named in paths, written and shown. */
export interface Resource {
  readonly entity: Entity;
  /** The row that a key of a path names. `toUpsert`: it need not be there. Throws where a key cannot name one. */
  find(key: string, toUpsert: boolean): Row | undefined;
  /** What the key of an upsert, when it is no id, says of the row. */
  named(key: string, given: Fields): Fields;
  /** All that has to be written. Transient fields are not in the rows, but may come to rows of their own. */
  writes(wanted: WantedRow): readonly Write[];
  /** All that has to be removed with the row, itself included: what a foreign field does not say. */
  removal(row: Row): readonly Write[];
  /** The row as it is answered. */
  show(row: Row): object;
}

/** What Kong's kong/api/endpoints.lua makes of every schema. */
export function plainResource(store: Store, entity: Entity): Resource {
  return {
    entity,
    find: key => findRow(store, entity, key),
    named: key => (entity.endpointKey === undefined ? {} : { [entity.endpointKey]: key }),
    writes: ({ row, old }) => [{ kind: old ? 'replace' : 'insert', entity, row: withoutTransient(entity, row) }],
    removal: ({ id }) => [{ kind: 'remove', entity, id }],
    show: entity.schema.facts.ttl ? withTimeLeft : row => withDeprecatedNames(entity.schema, asFields(row)),
  };
}
