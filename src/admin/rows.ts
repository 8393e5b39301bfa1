import type { Entity, Row } from '../entities/entity.ts';
import { EntityError } from '../entities/entity-error.ts';
import { isObject } from '../lib/json.ts';
import { isUuid } from '../lib/uuid.ts';
import { automaticValue } from '../schema/automatic.ts';
import { check } from '../schema/check-field.ts';
import type { Field, RecordField } from '../schema/field.ts';
import { fieldsOf } from '../schema/subschema.ts';
import { type FieldErrors, type Validation, validate, validateChange } from '../schema/validate.ts';
import { violation } from '../schema/violation.ts';
import { foreignFields } from '../store/foreign-fields.ts';
import type { Store } from '../store/store.ts';
import type { Body } from './body.ts';

export type Fields = Readonly<Record<string, unknown>>;

export const asFields = (row: Row): Fields => row as Row & Fields;

/** The row that a key of a path names: by id when it looks like one, else by the entity's endpoint key. */
export function findRow(store: Store, entity: Entity, key: string): Row | undefined {
  if (isUuid(key)) return findById(store, entity, key);
  if (entity.endpointKey !== undefined) {
    refuseInvalidName(entity.schema.fields[entity.endpointKey], key, entity.endpointKey);
    return store.findBy(entity, entity.endpointKey, key);
  }
  throw new EntityError('invalid primary key', `invalid primary key: '{id="expected a valid UUID"}'`, { id: 'expected a valid UUID' });
}

/** A 400 for what a field could never say: no row can be found by it. Source: kong/db/dao/init.lua of Kong 3.9. */
export function refuseInvalidName(field: Field | undefined, value: string, name: string): void {
  const error = field && check(field, value);
  if (typeof error === 'string') throw new EntityError('invalid unique', error, undefined, name);
}

export function findById(store: Store, entity: Entity, key: string): Row | undefined {
  const id = key.toLowerCase();
  const row = store.find(entity, id);
  return row?.id === id ? row : undefined;
}

/** The entity's schema for rows whose `subschema` key has this value: the fields that it chooses are in. */
function schemaFor({ schema }: Entity, key: unknown): RecordField {
  const { subschema } = schema.facts;
  return subschema ? { ...schema, fields: fieldsOf(schema, { [subschema.key]: key }) } : schema;
}

/** What a body says about a row of the entity; `current` is the row it will change. */
export function readInput(entity: Entity, body: Body, current?: Row): Fields {
  const key = entity.schema.facts.subschema?.key;
  const input = body.read(schemaFor(entity, key && (body.text(key) ?? (current && asFields(current)[key]))));
  if (entity.schema.facts.ttl) refuseInvalidTtl(entity, input);
  return input;
}

/** To Kong the time that a row has is no field, but an option of the write. */
function refuseInvalidTtl({ schema }: Entity, { ttl }: Fields): void {
  const { ttl: field } = schema.fields;
  if (!field || ttl === undefined || ttl === null || check(field, ttl) === undefined) return;
  const reason = String(field.facts.err);
  throw new EntityError('invalid options', `invalid option (ttl: ${reason})`, { ttl: reason });
}

/** A row to insert. Ids, times and defaults are filled in; foreign keys may name what they point at. */
export function newRow(store: Store, entity: Entity, input: Fields): Row {
  const given = { ...automatic(entity), ...withoutNulls(entity, input), ...touched(entity) };
  return passed(validate(entity.schema, resolveReferences(store, entity, given)));
}

/** `row` with what `input` changes: records member by member, all else as a whole. */
export function changedRow(store: Store, entity: Entity, row: Row, input: Fields): Row {
  refuseOtherId(row.id, input);
  const changes = { ...resolveReferences(store, entity, input), id: row.id, ...touched(entity) };
  return passed(validateChange(entity.schema, asFields(row), changes));
}

/** What a PUT at `id` leaves there: nothing of the old row but its birthday. */
export function replacedRow(store: Store, entity: Entity, old: Row | undefined, id: string | undefined, input: Fields): Row {
  if (id !== undefined) refuseOtherId(id, input);
  const kept = { ...(id !== undefined && { id }), ...(old?.created_at != null && { created_at: old.created_at }) };
  return newRow(store, entity, { ...kept, ...withoutNulls(entity, input), ...(id !== undefined && { id }) });
}

function passed(result: Validation<Row>): Row {
  if ('errors' in result) throw schemaViolation(result.errors);
  return result.value;
}

export const schemaViolation = (errors: FieldErrors): EntityError => new EntityError('schema violation', violation(errors), errors);

function refuseOtherId(id: string, input: Fields): void {
  const given = input['id'];
  if (given === undefined || given === null || String(given).toLowerCase() === id) return;
  throw schemaViolation({ id: 'immutable field cannot be updated' });
}

/** Values of the fields that the gateway fills when a row is inserted. */
function automatic(entity: Entity): Fields {
  const filled = Object.entries(entity.schema.fields).filter(([, field]) => field.facts.auto);
  return Object.fromEntries(filled.map(([name, field]) => [name, automaticValue(field)]));
}

/** A null for a field the gateway fills means: fill it. */
function withoutNulls(entity: Entity, input: Fields): Fields {
  const { fields } = entity.schema;
  const isFilled = (name: string) => Object.hasOwn(fields, name) && fields[name]?.facts.auto === true;
  return Object.fromEntries(Object.entries(input).filter(([name, value]) => value !== null || !isFilled(name)));
}

/** The time of this write, which no client decides. */
function touched({ schema }: Entity): Fields {
  const { updated_at: field } = schema.fields;
  return field ? { updated_at: automaticValue(field) } : {};
}

/** Foreign keys as ids: a row may be named by any of its unique fields, such as `{"name": "my-api"}`. */
function resolveReferences(store: Store, entity: Entity, input: Fields): Fields {
  const resolved = foreignFields(entity).flatMap(({ name, reference }) => {
    const target = store.entities.get(reference);
    const value = input[name];
    return target && isObject(value) ? [[name, resolveReference(store, target, name, value)] as const] : [];
  });
  return { ...input, ...Object.fromEntries(resolved) };
}

function resolveReference(store: Store, target: Entity, name: string, value: Fields): Fields {
  if (value['id'] !== undefined) return value;
  const errors: Record<string, string> = {};
  for (const [unique, field] of Object.entries(target.schema.fields)) {
    const wanted = value[unique];
    if (typeof wanted !== 'string' || !field.facts.unique) continue;
    const found = store.findBy(target, unique, wanted);
    if (found) return { id: found.id };
    errors[unique] = `the foreign key cannot be resolved with '{${unique}="${wanted}"}' for an existing '${target.name}' entity`;
  }
  const messages = Object.entries(errors).map(([unique, message]) => `${name}.${unique}: ${message}`);
  if (messages.length === 0) return value;
  const count = messages.length === 1 ? 'foreign key unresolved' : `${messages.length} foreign keys unresolved`;
  throw new EntityError('foreign keys unresolved', `${count} (${messages.join('; ')})`, { [name]: errors });
}
