import type { Entity, Row } from '../entities/entity.ts';
import { isObject } from '../lib/json.ts';
import { type ParsedYaml, parseYaml, toYaml } from '../lib/yaml.ts';
import type { Field, RecordField } from '../schema/field.ts';
import { fieldsOf } from '../schema/subschema.ts';
import { DECK_MEMBERS, readDeckFile } from './deck-file.ts';
import { type Environment, markTemplates } from './deck-templates.ts';
import { DeclarativeError } from './declarative-error.ts';
import type { Fields, Path } from './declarative-item.ts';
import { DeclarativeItems } from './declarative-items.ts';
import { DeclarativeProblems } from './declarative-problems.ts';
import { DeclarativeRows } from './declarative-rows.ts';
import type { Destination } from './entity-rows.ts';
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

export interface DeclarativeFile {
  /** What makes the store hold what the text says. What is the same already is not written. */
  readonly writes: readonly Write[];
  /** Throws a DeclarativeError about the entry that became the row with this id, if there is one: for what only shows when a row is put to work. */
  blame(row: string | undefined, within: Path, message: string): void;
}

/**
 * Requests are served meanwhile, but the store must not change. `merge` keeps rows that the text does not mention, `replace` removes them. Entries are known again by id or unique fields.
 * Throws a DeclarativeError with a line `FILE:LINE: ENTRY: message` for each thing that is wrong with the text.
 */
export async function readDeclarative(source: DeclarativeText, store: Store, mode: 'merge' | 'replace'): Promise<DeclarativeFile> {
  const entities = parentsFirst(store.entities.values());
  const file = parse(source);
  const problems = new DeclarativeProblems(file);
  const rows = await readRows(file.value, entities, problems, { store, keepsOthers: mode === 'merge' });
  const puts = entities.flatMap(entity => rows.of(entity).flatMap(row => put(store, entity, row)));
  const gone = mode === 'merge' ? [] : entities.toReversed().flatMap(entity => removals(store, entity, rows.of(entity)));
  const blame = (row: string | undefined, within: Path, message: string) => {
    const item = row === undefined ? undefined : rows.itemOf(row);
    if (!item) return;
    problems.addTo(item, within, message);
    problems.throwIfAny();
  };
  return { writes: [...puts, ...gone], blame };
}

/** The whole store as a declarative file. Read again, it gives the same rows, ids and times included. */
export function writeDeclarative(store: Store): string {
  const sections = parentsFirst(store.entities.values()).flatMap(entity => {
    const rows = [...store.all(entity)].sort((a, b) => (a.id < b.id ? -1 : 1));
    return rows.length > 0 ? [[entity.name, rows.map(row => entryOf(entity.schema, row as Row & Fields))] as const] : [];
  });
  return toYaml({ _format_version: '3.0', _transform: false, ...Object.fromEntries(sections) });
}

async function readRows(
  content: unknown,
  entities: readonly Entity[],
  problems: DeclarativeProblems,
  destination: Omit<Destination, 'transforms'>,
): Promise<DeclarativeRows> {
  if (!isObject(content)) problems.add([], '', 'expected an object');
  const file: Fields = isObject(content) ? content : {};
  const { _transform: transform } = file;
  const rows = new DeclarativeRows({ ...destination, transforms: transform !== false }, problems);
  const items = isObject(content) ? readItems(file, destination.store.entities, problems) : [];
  const byEntity = Map.groupBy(items, item => item.entity);
  for (const entity of entities) await rows.add(entity, byEntity.get(entity) ?? []);
  problems.throwIfAny();
  return rows;
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
