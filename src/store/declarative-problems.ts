import { EntityError } from '../entities/entity-error.ts';
import type { ParsedYaml } from '../lib/yaml.ts';
import type { FieldErrors } from '../schema/validate.ts';

/** Where something stands in a declarative file: `['services', 0, 'routes', 1, 'paths']`. */
export type Path = readonly (string | number)[];

interface Problem {
  readonly path: Path;
  /** The file and line, the entry, and what is wrong with it. */
  readonly text: string;
  readonly message: string;
}

const MAXIMUM_LINES = 20;

/** Gathers what is wrong with a declarative file, so that an operator hears of all of it at once. */
export class DeclarativeProblems {
  readonly #file: ParsedYaml;
  readonly #problems: Problem[] = [];

  constructor(file: ParsedYaml) {
    this.#file = file;
  }

  add(path: Path, entry: string, message: string): void {
    this.#problems.push({ path, message, text: `${this.#file.where(path)}: ${entry}${message}` });
  }

  /** What validation says about the entry at `path`. */
  addAll(path: Path, entry: string, errors: FieldErrors): void {
    for (const [within, message] of leaves(errors, [])) {
      const field = within.filter(step => step !== '@entity' && within[0] !== '@entity').join('.');
      this.add([...path, ...within], field ? `${entry}${field}: ` : entry, message);
    }
  }

  /** Throws an EntityError when there are any: its message has a line for each, its fields are nested as the file is. */
  throwIfAny(): void {
    if (this.#problems.length === 0) return;
    const lines = this.#problems.slice(0, MAXIMUM_LINES).map(({ text }) => text);
    const more = this.#problems.length - lines.length;
    if (more > 0) lines.push(`and ${more} more`);
    const fields: Tree = {};
    for (const { path, message } of this.#problems) plant(fields, path, message);
    throw new EntityError('invalid declarative configuration', lines.join('\n'), fields);
  }
}

function* leaves(errors: unknown, path: Path): Generator<[Path, string]> {
  if (typeof errors === 'string') yield [path, errors];
  else if (Array.isArray(errors)) for (const [index, error] of errors.entries()) yield* leaves(error, [...path, index]);
  else if (errors) for (const [name, error] of Object.entries(errors)) yield* leaves(error, [...path, name]);
}

type Tree = { [step: string | number]: unknown };

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
