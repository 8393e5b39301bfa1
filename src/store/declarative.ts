import type { Entity, Row } from '../entities/entity.ts';
import { isObject } from '../lib/json.ts';
import { type ParsedYaml, parseYaml, toYaml } from '../lib/yaml.ts';
import type { Field, RecordField } from '../schema/field.ts';
import { fieldsOf } from '../schema/subschema.ts';
import { DECK_MEMBERS, readDeckFile } from './deck-file.ts';
import { type Environment, markTemplates } from './deck-templates.ts';
import { DeclarativeError } from './declarative-error.ts';
import type { Fields } from './declarative-item.ts';
import { DeclarativeItems } from './declarative-items.ts';
import { DeclarativeProblems } from './declarative-problems.ts';
import { DeclarativeRows } from './declarative-rows.ts';
import { parentsFirst } from './foreign-fields.ts';
import { withPathsOfToday } from './older-paths.ts';
import type { Store, Write } from './store.ts';

const FORMAT_VERSIONS = ['1.1', '2.1', '3.0'];
/** Members of the file that hold no entities. */
const REMARKS = ['_format_version', '_transform', '_comment', '_ignore', ...DECK_MEMBERS];

/** A configuration in Kong's declarative format, be it YAML or JSON, with what decK may add to it. */
export interface DeclarativeText {
  readonly text: string;
  /** The file's, for messages. */
  readonly name: string;
  /** What fills the templates of decK. Null refuses them: who sends a text must not read our environment. */
  readonly environment: Environment | null;
}

/**
 * What makes a store hold what a text says: `merge` keeps rows that the text does not mention, `replace` removes them.
 * Entries are known again by id or unique fields; what is the same already is not written. Throws a DeclarativeError with a
 * line `FILE:LINE: ENTRY: message` for each thing that is wrong with the text.
 */
export function declarativeWrites(source: DeclarativeText, store: Store, mode: 'merge' | 'replace'): readonly Write[] {
  const entities = parentsFirst(store.entities.values());
  const rows = read(source, entities, store, mode);
  const puts = entities.flatMap(entity => (rows.get(entity.name) ?? []).flatMap(row => put(store, entity, row)));
  return mode === 'merge'
    ? puts
    : [...puts, ...entities.toReversed().flatMap(entity => removals(store, entity, rows.get(entity.name) ?? []))];
}

/** The whole store as a declarative file. Read again, it gives the same rows, ids and times included. */
export function writeDeclarative(store: Store): string {
  const sections = parentsFirst(store.entities.values()).flatMap(entity => {
    const rows = [...store.all(entity)].sort((a, b) => (a.id < b.id ? -1 : 1));
    return rows.length > 0 ? [[entity.name, rows.map(row => entryOf(entity.schema, row as Row & Fields))] as const] : [];
  });
  return toYaml({ _format_version: '3.0', _transform: false, ...Object.fromEntries(sections) });
}

function read(source: DeclarativeText, entities: readonly Entity[], store: Store, mode: 'merge' | 'replace') {
  const file = parse(source);
  const problems = new DeclarativeProblems(file);
  const content = isObject(file.value) ? file.value : {};
  if (content !== file.value) problems.add([], '', 'expected an object');
  const destination = { store, keepsOthers: mode === 'merge', transforms: content['_transform'] !== false };
  const rows = new DeclarativeRows(destination, problems);
  const items = Map.groupBy(content === file.value ? readItems(content, store.entities, problems) : [], item => item.entity);
  for (const entity of entities) rows.add(entity, items.get(entity) ?? []);
  problems.throwIfAny();
  return rows.rows;
}

function parse({ text, name, environment }: DeclarativeText): ParsedYaml {
  try {
    const marked = markTemplates(text, environment);
    return parseYaml(marked.text, name, marked.replace);
  } catch (error) {
    const { message } = error as Error;
    throw new DeclarativeError(message, { error: `failed parsing declarative configuration: ${message}` });
  }
}

function readItems(file: Fields, entities: ReadonlyMap<string, Entity>, problems: DeclarativeProblems) {
  const { _format_version: version, _transform: transform } = file;
  if (typeof version !== 'string') {
    problems.add(['_format_version'], '_format_version: ', version === undefined ? 'required field missing' : 'expected a string');
  } else if (!FORMAT_VERSIONS.includes(version)) {
    problems.add(['_format_version'], '_format_version: ', `expected one of: ${FORMAT_VERSIONS.join(', ')}`);
  }
  if (!['boolean', 'undefined'].includes(typeof transform)) problems.add(['_transform'], '_transform: ', 'expected a boolean');
  const fill = readDeckFile(file, entities, problems);
  const reader = new DeclarativeItems(entities, problems, (entity, fields, path) => {
    const filled = fill(entity, fields, path);
    return version === '3.0' ? filled : withPathsOfToday(entity, filled);
  });
  reader.checkRemarks(file, []);
  for (const [name, section] of Object.entries(file)) {
    const entity = entities.get(name);
    if (entity) reader.add(section, { entity, path: [name] });
    else if (!REMARKS.includes(name)) problems.add([name], `${name}: `, 'unknown field');
  }
  return reader.items;
}

function put(store: Store, entity: Entity, row: Row): Write[] {
  const found = store.find(entity, row.id);
  if (found?.id !== row.id) return [{ kind: 'insert', entity, row }];
  return Bun.deepEquals(found, row) ? [] : [{ kind: 'replace', entity, row }];
}

function removals(store: Store, entity: Entity, kept: readonly Row[]): Write[] {
  const ids = new Set(kept.map(({ id }) => id));
  return [...store.all(entity)].flatMap(({ id }) => (ids.has(id) ? [] : [{ kind: 'remove', entity, id }]));
}

/** A row as an entry: without the nulls that reading fills in again, and with references as plain ids. */
function entryOf(record: RecordField, values: Fields): Fields {
  const fields = Object.entries(fieldsOf(record, values));
  return Object.fromEntries(
    fields.flatMap(([name, field]) => (isImplied(field, values[name]) ? [] : [[name, entryValue(field, values[name])]])),
  );
}

const isImplied = ({ facts }: Field, value: unknown) => value === undefined || (value === null && (facts.default ?? null) === null);

function entryValue(field: Field, value: unknown): unknown {
  if (!isObject(value)) return value;
  const { id } = value;
  if (field.type === 'foreign') return id;
  return field.type === 'record' && !field.facts.abstract ? entryOf(field as RecordField, value) : value;
}
