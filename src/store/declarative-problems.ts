import { isUuid } from '../lib/uuid.ts';
import type { ParsedYaml } from '../lib/yaml.ts';
import type { FieldErrors } from '../schema/validate.ts';
import { DeclarativeError, type FlattenedError } from './declarative-error.ts';
import { type Item, labelOf, type Path } from './declarative-item.ts';

interface Problem {
  readonly path: Path;
  /** The file and line, the entry, and what is wrong with it. */
  readonly text: string;
  readonly message: string;
  /** The entry, and where in it. */
  readonly item?: Item;
  readonly within: Path;
}

const MAXIMUM_LINES = 20;

/** Gathers what is wrong with a declarative file, so that an operator hears of all of it at once. */
export class DeclarativeProblems {
  readonly #file: ParsedYaml;
  readonly #problems: Problem[] = [];

  constructor(file: ParsedYaml) {
    this.#file = file;
  }

  /** What is wrong outside of entries; `label` says where. */
  add(path: Path, label: string, message: string): void {
    this.#problems.push({ path, message, text: `${this.#file.where(path)}: ${label}${message}`, within: [] });
  }

  addTo(item: Item, within: Path, message: string): void {
    const path = [...item.path, ...within];
    const field = within.filter(step => step !== '@entity' && within[0] !== '@entity').join('.');
    const label = labelOf(item) + (field ? `${field}: ` : '');
    this.#problems.push({ path, message, text: `${this.#file.where(path)}: ${label}${message}`, item, within });
  }

  /** What validation says about an entry. */
  addAll(item: Item, errors: FieldErrors): void {
    for (const [within, message] of leaves(errors, [])) this.addTo(item, within, message);
  }

  /** Throws a DeclarativeError when there are any: its fields are nested as the file is. */
  throwIfAny(): void {
    const problems = this.#problems;
    if (problems.length === 0) return;
    const lines = problems.slice(0, MAXIMUM_LINES).map(({ text }) => text);
    if (problems.length > lines.length) lines.push(`and ${problems.length - lines.length} more`);
    const others = treeOf(problems.filter(({ item }) => item === undefined));
    throw new DeclarativeError(lines.join('\n'), treeOf(problems), flatten(problems), others);
  }
}

function* leaves(errors: unknown, path: Path): Generator<[Path, string]> {
  if (typeof errors === 'string') yield [path, errors];
  else if (Array.isArray(errors)) for (const [index, error] of errors.entries()) yield* leaves(error, [...path, index]);
  else if (errors) for (const [name, error] of Object.entries(errors)) yield* leaves(error, [...path, name]);
}

type Tree = { [step: string | number]: unknown };

function treeOf(problems: readonly Problem[]): Tree {
  const tree: Tree = {};
  for (const { path, message } of problems) plant(tree, path, message);
  return tree;
}

/** Makes the lists and records on the way to a message; places in lists without one are null, as JSON has them. */
function plant(tree: Tree, path: Path, message: string): void {
  let place = tree;
  for (const [index, step] of path.entries()) {
    const next = path[index + 1];
    if (Array.isArray(place)) for (let hole = place.length; hole < Number(step); hole++) place[hole] = null;
    if (next === undefined) place[step] = message;
    else if (typeof place[step] !== 'object' || place[step] === null) place[step] = typeof next === 'number' ? [] : {};
    place = place[step] as Tree;
  }
}

/** Source: kong/db/errors.lua of Kong 3.9, `declarative_config_flattened`. */
function flatten(problems: readonly Problem[]): FlattenedError[] {
  const byItem = new Map<Item, Problem[]>();
  for (const problem of problems) {
    if (problem.item) byItem.set(problem.item, [...(byItem.get(problem.item) ?? []), problem]);
  }
  return [...byItem].map(([item, own]) => {
    const { id, name, tags } = item.fields;
    return {
      entity_type: item.entity.name.replace(/s$/, ''),
      ...(typeof id === 'string' && isUuid(id) && { entity_id: id }),
      ...(typeof name === 'string' && name !== '' && { entity_name: name }),
      ...(Array.isArray(tags) && tags.every(tag => typeof tag === 'string') && { entity_tags: tags }),
      entity: { ...item.fields, ...statedParents(item) },
      errors: own.map(({ within, message }) => {
        const isOfEntity = within.length === 0 || within.includes('@entity');
        // Lua counts from one.
        const field = within.map(step => (typeof step === 'number' ? step + 1 : step)).join('.');
        return isOfEntity ? { type: 'entity', message } : { type: 'field', field, message };
      }),
    };
  });
}

/** The entries around one by the ids that they say themselves. */
function statedParents({ around, fields }: Item): Tree {
  const stated = [...around].flatMap(([field, { fields: parent }]) => {
    const { id } = parent;
    return fields[field] === undefined && typeof id === 'string' && isUuid(id) ? [[field, { id }] as const] : [];
  });
  return Object.fromEntries(stated);
}
