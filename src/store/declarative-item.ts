import type { Entity } from '../entities/entity.ts';

export type Fields = Readonly<Record<string, unknown>>;

/** Where something stands in a declarative file: `['services', 0, 'routes', 1, 'paths']`. */
export type Path = readonly (string | number)[];

/** One entry of a declarative file. */
export interface Item {
  readonly entity: Entity;
  readonly path: Path;
  /** What it says of itself; entries nested in it are items of their own. */
  readonly fields: Fields;
  /** The fields that the place of the entry decides, and the entries they point at. */
  readonly around: ReadonlyMap<string, Item>;
  /** It asks for a row to be there, and says no more of it: whoever describes that row elsewhere describes it no second time. */
  readonly mention: boolean;
}

/** What names an entry in messages: `services 'my-api': `. */
export function labelOf({ entity, fields, path }: Pick<Item, 'entity' | 'fields' | 'path'>): string {
  const { name, id } = fields;
  const called = (entity.endpointKey && !entity.endpointIsSecret && fields[entity.endpointKey]) || (name ?? id);
  return typeof called === 'string' ? `${entity.name} '${called}': ` : `entry ${Number(path.at(-1)) + 1} of ${entity.name}: `;
}
