import type { Entity, Row } from '../entities/entity.ts';
import { EntityError } from '../entities/entity-error.ts';
import { ConfigurationError } from '../lib/configuration-error.ts';
import { isUuid } from '../lib/uuid.ts';
import type { FieldErrors } from '../schema/validate.ts';
import type { Store, Write } from '../store/store.ts';
import type { Body } from './body.ts';
import { asFields, changedRow, type Fields, findRow, newRow, readInput, replacedRow, schemaViolation } from './rows.ts';
import { createTurns } from './turns.ts';

/** The part of the gateway that takes changes. */
export interface Writable {
  write(writes: readonly Write[]): Promise<void>;
}

/** Changes rows, one change at a time, so that what a change read still holds when it is written. */
export interface Writer {
  insert(entity: Entity, body: Body, fixed?: Fields): Promise<Row>;
  /** Undefined: there is no such row. */
  update(entity: Entity, key: string, body: Body): Promise<Row | undefined>;
  /** Inserts or replaces. The key of the path decides about the id or the name. */
  upsert(entity: Entity, key: string, body: Body, fixed?: Fields): Promise<Row>;
  /** Inserts a row of `target` and points `field` of the row `id` at it. Undefined: that row has gone. */
  insertReferenced(target: Entity, body: Body, entity: Entity, id: string, field: string): Promise<Row | undefined>;
  /** Null: there was no such row. */
  remove(entity: Entity, key: string): Promise<Row | null>;
}

export function createWriter(store: Store, gateway: Writable, readOnly: boolean): Writer {
  const inTurn = createTurns();

  async function write(verb: string, entity: Entity, key: string | null, writes: readonly Write[]): Promise<void> {
    if (readOnly) throw unsupported(verb, entity, key);
    try {
      await gateway.write(writes);
    } catch (error) {
      throw error instanceof ConfigurationError ? configurationViolation(entity, error) : error;
    }
  }

  return {
    insert: (entity, body, fixed) =>
      inTurn(async () => {
        const row = newRow(store, entity, { ...readInput(entity, body), ...fixed });
        await write('create', entity, null, [{ kind: 'insert', entity, row }]);
        return row;
      }),

    update: (entity, key, body) =>
      inTurn(async () => {
        const old = findRow(store, entity, key);
        if (!old) return undefined;
        const row = changedRow(store, entity, old, readInput(entity, body, old));
        await write('update', entity, key, [{ kind: 'replace', entity, row }]);
        return row;
      }),

    upsert: (entity, key, body, fixed) =>
      inTurn(async () => {
        const old = findRow(store, entity, key);
        const named = entity.endpointKey !== undefined && !isUuid(key) ? { [entity.endpointKey]: key } : {};
        const id = old?.id ?? (isUuid(key) ? key.toLowerCase() : undefined);
        const row = replacedRow(store, entity, old, id, { ...readInput(entity, body), ...fixed, ...named });
        await write('create or update', entity, key, [{ kind: old ? 'replace' : 'insert', entity, row }]);
        return row;
      }),

    insertReferenced: (target, body, entity, id, field) =>
      inTurn(async () => {
        const old = findRow(store, entity, id);
        if (!old) return undefined;
        const row = newRow(store, target, readInput(target, body));
        const pointing = changedRow(store, entity, old, { [field]: { id: row.id } });
        await write('create or update', target, null, [
          { kind: 'insert', entity: target, row },
          { kind: 'replace', entity, row: pointing },
        ]);
        return row;
      }),

    remove: (entity, key) =>
      inTurn(async () => {
        const old = findRow(store, entity, key);
        if (!old) return null;
        await write('remove', entity, key, [{ kind: 'remove', entity, id: old.id }]);
        return old;
      }),
  };
}

/** Source: kong/db/strategies/off.lua of Kong 3.9. */
function unsupported(verb: string, entity: Entity, key: string | null): EntityError {
  const by = key !== null && !isUuid(key) && entity.endpointKey !== undefined ? ` by '${entity.endpointKey}'` : '';
  return new EntityError('operation unsupported', `cannot ${verb} '${entity.name}' entities${by} when not using a database`);
}

/** What a plugin's own check says, where the operator wrote it: below `config`. */
function configurationViolation({ schema }: Entity, error: ConfigurationError): EntityError {
  const abstract = Object.keys(schema.fields).filter(name => schema.fields[name]?.facts.abstract);
  const path = [...abstract, ...(error.field?.split('.') ?? [])];
  const nested = path.reduceRight<string | FieldErrors>((inner, name) => ({ [name]: inner }), error.message);
  return schemaViolation(typeof nested === 'string' ? { '@entity': [nested] } : nested);
}

export const referenceOf = (row: Row, field: string): string | null => {
  const value = asFields(row)[field] as { readonly id: string } | null | undefined;
  return value?.id ?? null;
};
