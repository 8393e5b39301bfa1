import type { Entity, Row } from '../entities/entity.ts';
import { EntityError } from '../entities/entity-error.ts';
import { ConfigurationError } from '../lib/configuration-error.ts';
import { createTurns } from '../lib/turns.ts';
import { isUuid } from '../lib/uuid.ts';
import type { FieldErrors } from '../schema/validate.ts';
import { untilUpToDate } from '../store/outdated.ts';
import type { Store, Write } from '../store/store.ts';
import type { Body } from './body.ts';
import type { Resource } from './resource.ts';
import { asFields, changedRow, type Fields, findById, newRow, readInput, replacedRow, schemaViolation } from './rows.ts';

/** The part of the gateway that takes changes. */
export interface Writable {
  write(writes: readonly Write[]): Promise<void>;
  rehearse(entity: Entity, row: Row): Promise<void>;
}

/** Changes rows, one change at a time, so that what a change read still holds when it is written. */
export interface Writer {
  insert(resource: Resource, body: Body, fixed?: Fields): Promise<Row>;
  /** Undefined: there is no such row. */
  update(resource: Resource, key: string, body: Body, fixed?: Fields): Promise<Row | undefined>;
  /** Inserts or replaces. The key of the path decides about the id or the name. */
  upsert(resource: Resource, key: string, body: Body, fixed?: Fields): Promise<Row>;
  /** Inserts a row of `target` and points `field` of the row `id` at it. Undefined: that row has gone. */
  insertReferenced(target: Resource, body: Body, entity: Entity, id: string, field: string): Promise<Row | undefined>;
  /** Null: there was no such row. */
  remove(resource: Resource, key: string): Promise<Row | null>;
  /** A row that could be inserted, were there no others: nothing is written. */
  rehearse(entity: Entity, body: Body): Promise<void>;
  /** What `decide` wants of rows of the entity, once its turn has come. */
  write(verb: Verb, entity: Entity, decide: () => readonly Write[]): Promise<void>;
}

type Verb = 'create' | 'update' | 'create or update' | 'remove';

export function createWriter(store: Store, gateway: Writable, readOnly: boolean): Writer {
  const turns = createTurns();
  const inTurn = <T>(job: () => Promise<T>) => turns(() => untilUpToDate(job));

  async function write(verb: Verb, entity: Entity, key: string | null, writes: readonly Write[]): Promise<void> {
    if (readOnly) throw unsupported(verb, entity, key);
    for (const change of writes) if (change.kind !== 'remove') refuseMisfit(store, change.entity, change.row);
    await inWordsOf(entity, gateway.write(writes));
  }

  /** The row as it was stored. */
  const written = (entity: Entity, row: Row): Row => findById(store, entity, row.id) ?? row;

  return {
    insert: (resource, body, fixed) =>
      inTurn(async () => {
        const { entity } = resource;
        const given = { ...readInput(entity, body), ...fixed };
        const row = newRow(store, entity, given);
        await write('create', entity, null, resource.writes({ verb: 'insert', row, old: undefined, given }));
        return written(entity, row);
      }),

    update: (resource, key, body, fixed) =>
      inTurn(async () => {
        const { entity } = resource;
        const old = resource.find(key, false);
        if (!old) return undefined;
        const given = { ...fixed, ...readInput(entity, body, old) };
        const row = changedRow(store, entity, old, given);
        await write('update', entity, key, resource.writes({ verb: 'update', row, old, given }));
        return written(entity, row);
      }),

    upsert: (resource, key, body, fixed) =>
      inTurn(async () => {
        const { entity } = resource;
        const old = resource.find(key, true);
        const input = { ...readInput(entity, body), ...fixed };
        const given = isUuid(key) ? input : { ...input, ...resource.named(key, input) };
        const row = replacedRow(store, entity, old, old?.id ?? (isUuid(key) ? key.toLowerCase() : undefined), given);
        await write('create or update', entity, key, resource.writes({ verb: 'upsert', row, old, given }));
        return written(entity, row);
      }),

    insertReferenced: (target, body, entity, id, field) =>
      inTurn(async () => {
        const old = findById(store, entity, id);
        if (!old) return undefined;
        const given = readInput(target.entity, body);
        const row = newRow(store, target.entity, given);
        const pointing = changedRow(store, entity, old, { [field]: { id: row.id } });
        await write('create or update', target.entity, null, [
          ...target.writes({ verb: 'insert', row, old: undefined, given }),
          { kind: 'replace', entity, row: pointing },
        ]);
        return written(target.entity, row);
      }),

    remove: (resource, key) =>
      inTurn(async () => {
        const { entity } = resource;
        const old = resource.find(key, false);
        if (!old) return null;
        await write('remove', entity, key, resource.removal(old));
        return old;
      }),

    rehearse: (entity, body) => inWordsOf(entity, gateway.rehearse(entity, newRow(store, entity, readInput(entity, body)))),

    write: (verb, entity, decide) => inTurn(() => write(verb, entity, null, decide())),
  };
}

function refuseMisfit(store: Store, entity: Entity, row: Row): void {
  const errors = entity.checkAmong?.(row, store);
  if (errors) throw schemaViolation(errors);
}

/** Source: kong/db/strategies/off.lua of Kong 3.9. */
function unsupported(verb: string, entity: Entity, key: string | null): EntityError {
  const by = key !== null && !isUuid(key) && entity.endpointKey !== undefined ? ` by '${entity.endpointKey}'` : '';
  return new EntityError('operation unsupported', `cannot ${verb} '${entity.name}' entities${by} when not using a database`);
}

async function inWordsOf(entity: Entity, work: Promise<void>): Promise<void> {
  try {
    await work;
  } catch (error) {
    throw error instanceof ConfigurationError ? configurationViolation(entity, error) : error;
  }
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
