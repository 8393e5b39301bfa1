import type { Entity, Row } from '../entities/entity.ts';
import type { Field } from '../schema/field.ts';

export type SqlValue = string | number | null;

/** What stands in one row of a table, by column. */
export type SqlValues = Readonly<Record<string, SqlValue>>;

/** A column of a table, and how the field's values go in and come out. */
export interface Column {
  readonly name: string;
  readonly definition: string;
  readonly field: string;
  readonly default: SqlValue;
  encode(value: unknown): SqlValue;
  decode(value: SqlValue): unknown;
}

/** An index, and the SQL that makes it as SQLite keeps it in its schema. */
export interface Index {
  readonly name: string;
  readonly create: string;
}

/** The SQL that keeps the rows of one entity. */
export interface Table {
  readonly name: string;
  readonly columns: readonly Column[];
  readonly create: string;
  readonly indexes: readonly Index[];
  readonly select: string;
  readonly insert: string;
  readonly remove: string;
}

/** `tables` are the names of all tables: a column refers to another table only when there is one. */
export function defineTable(entity: Entity, tables: ReadonlySet<string>): Table {
  const name = quote(entity.name);
  const kept = Object.entries(entity.schema.fields).filter(([, { facts }]) => !facts.transient);
  const columns = kept.map(([fieldName, field]) => defineColumn(fieldName, field, tables));
  const names = columns.map(column => quote(column.name));
  return {
    name: entity.name,
    columns,
    create: `CREATE TABLE ${name} (${columns.map(column => column.definition).join(', ')}) STRICT`,
    indexes: [...columnIndexes(entity, columns), ...cacheKeyIndex(entity, columns)],
    select: `SELECT ${names.join(', ')} FROM ${name}`,
    insert: `INSERT INTO ${name} (${names.join(', ')}) VALUES (${names.map(() => '?').join(', ')})`,
    remove: `DELETE FROM ${name} WHERE "id" = ?`,
  };
}

export const encodeRow = ({ columns }: Table, row: Row): SqlValue[] =>
  columns.map(({ field, encode }) => encode((row as unknown as Readonly<Record<string, unknown>>)[field]));

export const decodeRow = ({ columns }: Table, values: SqlValues): Row =>
  Object.fromEntries(columns.map(({ name, field, decode }) => [field, decode(values[name] ?? null)])) as unknown as Row;

export const quote = (identifier: string) => `"${identifier.replaceAll('"', '""')}"`;

interface Storage {
  readonly type: 'TEXT' | 'INTEGER' | 'REAL';
  encode(value: unknown): SqlValue;
  decode(value: SqlValue): unknown;
}

const as = (type: Storage['type']): Storage => ({ type, encode: value => value as SqlValue, decode: value => value });
const BOOLEAN: Storage = { type: 'INTEGER', encode: value => (value ? 1 : 0), decode: value => value === 1 };
const REFERENCE: Storage = { type: 'TEXT', encode: value => (value as { id: string }).id, decode: id => ({ id }) };
const JSON_TEXT: Storage = { type: 'TEXT', encode: value => JSON.stringify(value), decode: text => JSON.parse(String(text)) };

const STORAGE: Readonly<Record<Field['type'], Storage>> = {
  string: as('TEXT'),
  integer: as('INTEGER'),
  number: as('REAL'),
  boolean: BOOLEAN,
  foreign: REFERENCE,
  array: JSON_TEXT,
  set: JSON_TEXT,
  map: JSON_TEXT,
  record: JSON_TEXT,
  json: JSON_TEXT,
};

function defineColumn(fieldName: string, field: Field, tables: ReadonlySet<string>): Column {
  const { type, encode, decode } = STORAGE[field.type];
  const { reference, default: initial } = field.facts;
  const name = reference === undefined ? fieldName : `${fieldName}_id`;
  const encodeOrNull = (value: unknown) => (value === null || value === undefined ? null : encode(value));
  return {
    name,
    definition: [quote(name), type, ...constraints(fieldName, reference, tables)].join(' '),
    field: fieldName,
    default: encodeOrNull(initial),
    encode: encodeOrNull,
    decode: value => (value === null ? null : decode(value)),
  };
}

function constraints(fieldName: string, reference: string | undefined, tables: ReadonlySet<string>): string[] {
  if (fieldName === 'id') return ['NOT NULL PRIMARY KEY'];
  // Rows are replaced by a deletion and an insertion, so references are looked at when all is done. The store does cascades.
  if (reference !== undefined && tables.has(reference)) return [`REFERENCES ${quote(reference)} ("id") DEFERRABLE INITIALLY DEFERRED`];
  return [];
}

function columnIndexes(entity: Entity, columns: readonly Column[]): Index[] {
  return columns.flatMap(({ name, field }) => {
    const facts = entity.schema.fields[field]?.facts;
    if (facts?.unique) return [index('UNIQUE INDEX', entity, name, quote(name))];
    return facts?.reference === undefined ? [] : [index('INDEX', entity, name, quote(name))];
  });
}

function cacheKeyIndex(entity: Entity, columns: readonly Column[]): Index[] {
  if (!entity.cacheKey) return [];
  const parts = entity.cacheKey.map(key => `ifnull(${quote(columns.find(({ field }) => field === key)?.name ?? key)}, '')`);
  return [index('UNIQUE INDEX', entity, 'key', parts.join(', '))];
}

function index(kind: string, entity: Entity, suffix: string, on: string): Index {
  const name = `${entity.name}_${suffix}`;
  return { name, create: `CREATE ${kind} ${quote(name)} ON ${quote(entity.name)} (${on})` };
}
