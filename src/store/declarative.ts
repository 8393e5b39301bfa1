import type { Entity, Row } from '../entities/entity.ts';
import { EntityError } from '../entities/entity-error.ts';
import { isObject } from '../lib/json.ts';
import { normalizePath } from '../lib/path-normalization.ts';
import { type ParsedYaml, parseYaml, toYaml } from '../lib/yaml.ts';
import type { Field, RecordField } from '../schema/field.ts';
import { fieldsOf } from '../schema/subschema.ts';
import { type Fields, type Item, itemsOf, type Reading } from './declarative-items.ts';
import { DeclarativeProblems, type Path } from './declarative-problems.ts';
import { DeclarativeRows, type Destination } from './declarative-rows.ts';
import { parentsFirst } from './foreign-fields.ts';
import type { Store, Write } from './store.ts';

const FORMAT_VERSIONS = ['1.1', '2.1', '3.0'];
/** Members of the file that hold no entities. */
const REMARKS = ['_format_version', '_transform', '_comment', '_ignore', '_info'];

/**
 * What makes a store hold what a file in Kong's declarative format says, be it YAML or JSON: `merge` keeps rows that the
 * file does not mention, `replace` removes them. Entries are known again by id or unique fields; what is the same already
 * is not written. Throws an EntityError `invalid declarative configuration` with a line `FILE:LINE: ENTRY: message` for
 * each thing that is wrong with the text; `name` is the file's.
 */
export function declarativeWrites(text: string, name: string, store: Store, mode: 'merge' | 'replace'): readonly Write[] {
  const entities = parentsFirst(store.entities.values());
  const rows = read(text, name, entities, { store, referable: mode === 'merge' });
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

function read(text: string, name: string, entities: readonly Entity[], destination: Destination): ReadonlyMap<string, readonly Row[]> {
  const file = parse(text, name);
  const problems = new DeclarativeProblems(file);
  const items = isObject(file.value) ? readItems(file.value, entities, problems) : [];
  if (!isObject(file.value)) problems.add([], '', 'expected an object');
  const rows = new DeclarativeRows(destination, problems);
  for (const entity of entities)
    rows.add(
      entity,
      items.filter(item => item.entity === entity),
    );
  problems.throwIfAny();
  return rows.rows;
}

function parse(text: string, name: string): ParsedYaml {
  try {
    return parseYaml(text, name);
  } catch (error) {
    const { message } = error as Error;
    throw new EntityError('invalid declarative configuration', message, { error: `failed parsing declarative configuration: ${message}` });
  }
}

function readItems(file: Fields, entities: readonly Entity[], problems: DeclarativeProblems): readonly Item[] {
  const { _format_version: version, _transform: transform } = file;
  if (typeof version !== 'string') {
    problems.add(['_format_version'], '_format_version: ', version === undefined ? 'required field missing' : 'expected a string');
  } else if (!FORMAT_VERSIONS.includes(version)) {
    problems.add(['_format_version'], '_format_version: ', `expected one of: ${FORMAT_VERSIONS.join(', ')}`);
  }
  if (!['boolean', 'undefined'].includes(typeof transform)) problems.add(['_transform'], '_transform: ', 'expected a boolean');
  refuseDeckOnly(file, problems);
  const tags = selectTags(file, problems);
  const byName = new Map(entities.map(entity => [entity.name, entity]));
  const reading: Reading = {
    entities: byName,
    problems,
    rewrite: (entity, fields) => tagged(entity, version === '3.0' ? fields : withPathsOfToday(entity, fields), tags),
  };
  return Object.entries(file).flatMap(([name, section]) => {
    if (REMARKS.includes(name)) return [];
    const entity = byName.get(name);
    if (entity) return itemsOf(section, entity, [name], reading);
    problems.add([name], `${name}: `, 'unknown field');
    return [];
  });
}

// What decK does with a file before Kong sees it: developer.konghq.com/deck/gateway/ defaults, tags and environment variables.

function refuseDeckOnly(file: Fields, problems: DeclarativeProblems): void {
  const { _info: info } = file;
  const { defaults } = isObject(info) ? info : {};
  if (isObject(defaults) && Object.keys(defaults).length > 0) {
    problems.add(['_info', 'defaults'], '_info.defaults: ', 'not supported: write the values on each entry');
  }
  for (const path of deckTemplates(file, [])) {
    problems.add(
      path,
      `${path.at(-1)}: `,
      'templates of decK are not supported: write the value, or {vault://env/NAME} in place of all of it',
    );
  }
}

/** The tags that a file gives to all of its entries. */
function selectTags({ _info: info }: Fields, problems: DeclarativeProblems): readonly string[] {
  const { select_tags: tags = null } = isObject(info) ? info : {};
  if (tags === null) return [];
  if (Array.isArray(tags) && tags.every(tag => typeof tag === 'string')) return tags;
  problems.add(['_info', 'select_tags'], '_info.select_tags: ', 'expected an array of strings');
  return [];
}

function tagged(entity: Entity, fields: Fields, added: readonly string[]): Fields {
  const { tags } = fields;
  if (added.length === 0 || !('tags' in entity.schema.fields) || !(tags == null || Array.isArray(tags))) return fields;
  return { ...fields, tags: [...new Set([...(tags ?? []), ...added])] };
}

/** Where a value has a place for decK to fill in, which would else go to a vendor as the key. */
function* deckTemplates(value: unknown, path: Path): Generator<Path> {
  if (typeof value === 'string' && /\$\{\{\s*env\s/.test(value)) yield path;
  if (Array.isArray(value)) for (const [index, element] of value.entries()) yield* deckTemplates(element, [...path, index]);
  else if (isObject(value)) for (const [name, member] of Object.entries(value)) yield* deckTemplates(member, [...path, name]);
}

/**
 * Before format 3.0 paths were decoded when they were matched, and those that no plain path looks like were regular
 * expressions. Source: kong/db/migrations/migrate_path_280_300.lua of Kong 3.9.
 */
function withPathsOfToday(entity: Entity, fields: Fields): Fields {
  const { paths } = fields;
  if (entity.name !== 'routes' || !Array.isArray(paths)) return fields;
  return { ...fields, paths: paths.map(path => (typeof path === 'string' ? pathOfToday(path) : path)) };
}

function pathOfToday(path: string): string {
  return /^[a-zA-Z0-9.\-_~/%]*$/.test(path) ? normalizePath(path) : `~${path}`;
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
