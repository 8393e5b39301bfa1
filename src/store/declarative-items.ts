import type { Entity } from '../entities/entity.ts';
import { isObject } from '../lib/json.ts';
import type { DeclarativeProblems, Path } from './declarative-problems.ts';
import { foreignFields } from './foreign-fields.ts';

export type Fields = Readonly<Record<string, unknown>>;

/** One entry of a declarative file. */
export interface Item {
  readonly entity: Entity;
  readonly path: Path;
  /** What names it in messages: `services 'my-api': `. */
  readonly label: string;
  /** What it says of itself; entries nested in it are items of their own. */
  readonly fields: Fields;
  /** The entry around it, and the field that points there. */
  readonly parent: { readonly item: Item; readonly field: string } | null;
}

/** Members that say something to people and other tools. */
const REMARKS = ['_comment', '_ignore'];

/** What all entries of a file are read with. */
export interface Reading {
  readonly entities: ReadonlyMap<string, Entity>;
  readonly problems: DeclarativeProblems;
  /** What an entry of this file says, in the words of today. */
  readonly rewrite: (entity: Entity, fields: Fields) => Fields;
}

/** Every entry of a section, each followed by those nested in it at any depth. */
export function itemsOf(section: unknown, entity: Entity, path: Path, reading: Reading): Item[] {
  return collect(section, { entity, path, parent: null }, reading);
}

type Place = Pick<Item, 'entity' | 'path' | 'parent'>;

function collect(section: unknown, place: Place, reading: Reading): Item[] {
  const { problems } = reading;
  if (section === null) return [];
  if (!Array.isArray(section)) {
    problems.add(place.path, `${place.entity.name}: `, 'expected an array');
    return [];
  }
  return section.flatMap((entry, index) => {
    const path = [...place.path, index];
    if (isObject(entry)) return expand(entry, { ...place, path }, reading);
    problems.add(path, `${place.entity.name}: `, 'expected a record');
    return [];
  });
}

function expand(entry: Fields, { entity, path, parent }: Place, reading: Reading): Item[] {
  const children = Object.keys(entry).flatMap(name => childOf(entity, name, reading.entities) ?? []);
  const apart = new Set([...REMARKS, ...children.map(({ child }) => child.name)]);
  const fields = reading.rewrite(entity, Object.fromEntries(Object.entries(entry).filter(([name]) => !apart.has(name))));
  const item = { entity, path, label: labelOf(entity, fields, path), fields, parent };
  const nested = children.flatMap(({ child, field }) =>
    collect(entry[child.name], { entity: child, path: [...path, child.name], parent: { item, field } }, reading),
  );
  return [item, ...nested];
}

/** The entity of that name whose rows belong to rows of this one. A field of the same name comes first. */
function childOf(entity: Entity, name: string, entities: Reading['entities']): { child: Entity; field: string } | undefined {
  const child = Object.hasOwn(entity.schema.fields, name) ? undefined : entities.get(name);
  const field = child && foreignFields(child).find(({ reference }) => reference === entity.name);
  return child && field && { child, field: field.name };
}

function labelOf(entity: Entity, fields: Fields, path: Path): string {
  const { name, id } = fields;
  const called = (entity.endpointKey && fields[entity.endpointKey]) ?? name ?? id;
  return typeof called === 'string' ? `${entity.name} '${called}': ` : `entry ${Number(path.at(-1)) + 1} of ${entity.name}: `;
}
