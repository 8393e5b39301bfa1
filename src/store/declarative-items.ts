import type { Entity } from '../entities/entity.ts';
import { isObject } from '../lib/json.ts';
import type { Fields, Item, Path } from './declarative-item.ts';
import type { DeclarativeProblems } from './declarative-problems.ts';
import { foreignFields } from './foreign-fields.ts';

/** Members that say something to people and other tools. */
const REMARKS = ['_comment', '_ignore'];

/** Who is in which group is an entity of its own, which decK writes as lists below either side: `name` below entries of the key. */
const MEMBERSHIP = 'consumer_group_consumers';
const MEMBER_LISTS: Readonly<Record<string, { readonly name: string; readonly field: string; readonly other: string }>> = {
  consumers: { name: 'groups', field: 'consumer', other: 'consumer_group' },
  consumer_groups: { name: 'consumers', field: 'consumer_group', other: 'consumer' },
};

type Place = Pick<Item, 'entity' | 'path'> & Partial<Pick<Item, 'around' | 'mention'>>;

/** What an entry says, in the words of today. */
export type Rewrite = (entity: Entity, fields: Fields, path: Path) => Fields;

/** An entity whose rows may stand below those of another, and their field that points there. */
interface Nest {
  readonly child: Entity;
  readonly field: string;
}

/** Finds the entries of a file, those nested in others at any depth. */
export class DeclarativeItems {
  readonly items: Item[] = [];
  readonly #entities: ReadonlyMap<string, Entity>;
  readonly #problems: DeclarativeProblems;
  readonly #rewrite: Rewrite;
  readonly #nests: ReadonlyMap<string, ReadonlyMap<string, Nest>>;

  constructor(entities: ReadonlyMap<string, Entity>, problems: DeclarativeProblems, rewrite: Rewrite) {
    this.#entities = entities;
    this.#problems = problems;
    this.#rewrite = rewrite;
    this.#nests = new Map([...entities.values()].map(entity => [entity.name, nestsOf(entity, entities)]));
  }

  /** Every entry of a list, each followed by those nested in it. */
  add(section: unknown, place: Place): void {
    for (const [entry, path] of this.#entries(section, place)) this.#expand(entry, { ...place, path });
  }

  /** Checks what a record says beside its fields. */
  checkRemarks({ _comment: comment = null, _ignore: ignore = null }: Fields, path: Path): void {
    if (comment !== null && typeof comment !== 'string') this.#problems.add([...path, '_comment'], '_comment: ', 'expected a string');
    if (ignore !== null && !Array.isArray(ignore)) this.#problems.add([...path, '_ignore'], '_ignore: ', 'expected an array');
  }

  *#entries(section: unknown, { entity, path }: Place): Generator<[Fields, Path]> {
    // As in Lua, what is empty is a list and a record alike.
    if (section === null || section === undefined || (isObject(section) && Object.keys(section).length === 0)) return;
    if (!Array.isArray(section)) {
      this.#problems.add(path, `${entity.name}: `, 'expected an array');
      return;
    }
    for (const [index, entry] of section.entries()) {
      if (isObject(entry)) yield [entry, [...path, index]];
      else this.#problems.add([...path, index], `${entity.name}: `, 'expected a record');
    }
  }

  #expand(entry: Fields, { entity, path, around = new Map(), mention = false }: Place): Item {
    this.checkRemarks(entry, path);
    const nests = this.#nests.get(entity.name);
    const own: [string, unknown][] = [];
    const nested: [string, unknown, Nest][] = [];
    const members = this.#entities.has(MEMBERSHIP) ? MEMBER_LISTS[entity.name] : undefined;
    for (const [name, value] of Object.entries(entry)) {
      const nest = nests?.get(name);
      if (nest) nested.push([name, value, nest]);
      else if (!REMARKS.includes(name) && name !== members?.name) own.push([name, value]);
    }
    const item: Item = { entity, path, fields: this.#rewrite(entity, Object.fromEntries(own), path), around, mention };
    this.items.push(item);
    for (const [name, value, { child, field }] of nested) {
      this.add(value, { entity: child, path: [...path, name], around: new Map([[field, item]]) });
    }
    if (members) this.#addMembers(entry[members.name], item, members);
    return item;
  }

  /** A consumer below a group may be described nowhere else; a group below a consumer has to be. */
  #addMembers(list: unknown, item: Item, { name, field, other }: { name: string; field: string; other: string }): void {
    const entity = this.#entities.get(MEMBERSHIP);
    const otherEntity = this.#entities.get(`${other}s`);
    if (!entity || !otherEntity) return;
    for (const [entry, path] of this.#entries(list, { entity: otherEntity, path: [...item.path, name] })) {
      const isDescription = otherEntity.name === 'consumers';
      const member = isDescription ? this.#expand(entry, { entity: otherEntity, path, mention: true }) : undefined;
      const around = new Map([[field, item], ...(member ? [[other, member] as const] : [])]);
      const { id, name: called } = entry;
      const fields = member ? {} : { [other]: id ?? called ?? entry };
      this.items.push({ entity, path, fields, around, mention: true });
    }
  }
}

/** By the names under which they stand. A field of the same name comes first, unless it is none that a row keeps. */
function nestsOf(entity: Entity, entities: ReadonlyMap<string, Entity>): ReadonlyMap<string, Nest> {
  const nests = new Map<string, Nest>();
  for (const child of entities.values()) {
    const own = Object.hasOwn(entity.schema.fields, child.name) ? entity.schema.fields[child.name] : undefined;
    const field = foreignFields(child).find(({ reference }) => reference === entity.name);
    if (field && (!own || own.facts.transient)) nests.set(child.name, { child, field: field.name });
  }
  return nests;
}
