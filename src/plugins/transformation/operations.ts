import { compileLuaTemplate, type Lookup, type LuaTemplate, render } from '../../lib/lua-template.ts';
import { pairOf } from './pairs.ts';

interface Change {
  readonly name: string;
  readonly value: LuaTemplate;
}

export interface Operations {
  readonly remove: readonly string[];
  readonly rename: readonly Change[];
  readonly replace: readonly Change[];
  readonly add: readonly Change[];
  readonly append: readonly Change[];
  /** Some value is not the same for all. */
  readonly isFilledIn: boolean;
}

/** The lists of a configuration that are about one part of a request. */
type Lists = { readonly [word in Exclude<keyof Operations, 'isFilledIn'>]: { readonly [part in Part]: readonly string[] } };
type Part = 'headers' | 'querystring' | 'body';

/** Null: there is nothing to do. */
export function compileOperations(config: Lists, part: Part, tables: readonly string[]): Operations | null {
  const compile = (entries: readonly string[]) =>
    entries.map(entry => {
      const [name, value] = pairOf(entry);
      return { name, value: compileLuaTemplate(value, tables) };
    });
  const remove = config.remove[part].map(entry => (part === 'headers' ? pairOf(entry)[0] : entry));
  const { rename, replace, add, append } = config;
  const operations = {
    remove,
    rename: compile(rename[part]),
    replace: compile(replace[part]),
    add: compile(add[part]),
    append: compile(append[part]),
  };
  if (Object.values(operations).every(entries => entries.length === 0)) return null;
  const changes = [operations.rename, operations.replace, operations.add, operations.append].flat();
  return { ...operations, isFilledIn: changes.some(({ value }) => typeof value !== 'string') };
}

/** What is transformed, by the names of its members. */
export interface Members {
  has(name: string): boolean;
  remove(name: string): void;
  rename(before: string, after: string): void;
  set(name: string, value: string): void;
  append(name: string, value: string): void;
}

/** In Kong's order. */
export function transform(members: Members, { remove, rename, replace, add, append }: Operations, lookup: Lookup): void {
  for (const name of remove) if (members.has(name)) members.remove(name);
  for (const { name, value } of rename) {
    const after = render(value, lookup);
    if (after !== name && members.has(name)) members.rename(name, after);
  }
  for (const { name, value } of replace) if (members.has(name)) members.set(name, render(value, lookup));
  for (const { name, value } of add) if (!members.has(name)) members.set(name, render(value, lookup));
  for (const { name, value } of append) members.append(name, render(value, lookup));
}
