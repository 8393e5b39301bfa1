import { headerText, toHeader } from '../../lib/header-syntax.ts';
import { isObject, type Json } from '../../lib/json.ts';
import { field, type Part, renamed } from '../../lib/multipart.ts';
import type { Argument, Arguments } from '../../lib/query.ts';
import type { Members } from './operations.ts';

/** Headers of a request. A client's line ends must not become theirs. */
export class HeaderMembers implements Members {
  private readonly headers: Record<string, string>;

  constructor(headers: Record<string, string>) {
    this.headers = headers;
  }

  /** There is always a Host: it can be replaced, and not be added. */
  has(name: string): boolean {
    return this.headers[name.toLowerCase()] !== undefined || name.toLowerCase() === 'host';
  }

  remove(name: string): void {
    if (name.toLowerCase() !== 'host') delete this.headers[name.toLowerCase()];
  }

  rename(before: string, after: string): void {
    const value = this.headers[before.toLowerCase()];
    if (value === undefined || before.toLowerCase() === 'host') return;
    delete this.headers[before.toLowerCase()];
    this.headers[after.toLowerCase()] = value;
  }

  set(name: string, value: string): void {
    this.headers[name.toLowerCase()] = headerText(value);
  }

  append(name: string, value: string): void {
    const before = this.headers[name.toLowerCase()];
    this.headers[name.toLowerCase()] = before === undefined ? headerText(value) : `${before}, ${headerText(value)}`;
  }
}

/** The arguments of a query or a form. */
export class ArgumentMembers implements Members {
  readonly members: Arguments;
  isChanged = false;

  constructor(members: Arguments) {
    this.members = members;
  }

  has(name: string): boolean {
    return this.members[name] !== undefined;
  }

  remove(name: string): void {
    delete this.members[name];
    this.isChanged = true;
  }

  rename(before: string, after: string): void {
    const value = this.members[before];
    if (value === undefined) return;
    delete this.members[before];
    this.put(after, value);
  }

  set(name: string, value: string): void {
    this.put(name, value);
  }

  /** Kong's appending drops what has no value. */
  append(name: string, value: string): void {
    const before = this.members[name];
    this.put(name, before === undefined || before === true ? [value] : [before, value].flat());
  }

  /** Beside what is there. */
  extend(name: string, values: Argument): void {
    const before = this.members[name];
    this.put(name, before === undefined ? values : [before, values].flat());
  }

  private put(name: string, value: Argument): void {
    this.members[name] = value;
    this.isChanged = true;
  }
}

/** The members of a JSON object. Like Lua, Kong takes `false` for what is not there, and appends to texts and lists alone. */
export class JsonMembers implements Members {
  readonly changes: Record<string, Json | undefined> = Object.create(null);
  private readonly object: { readonly [name: string]: Json };

  constructor(object: { readonly [name: string]: Json }) {
    this.object = object;
  }

  has(name: string): boolean {
    const value = this.get(name);
    return value !== undefined && value !== false;
  }

  /** It is there, whatever it is. */
  holds(name: string): boolean {
    return this.get(name) !== undefined;
  }

  remove(name: string): void {
    this.changes[name] = undefined;
  }

  rename(before: string, after: string): void {
    const value = this.get(before);
    this.changes[before] = undefined;
    this.changes[after] = value;
  }

  set(name: string, value: Json): void {
    this.changes[name] = value;
  }

  append(name: string, value: Json): void {
    const before = this.get(name);
    if (typeof before === 'string') this.changes[name] = [before, value];
    else if (Array.isArray(before)) this.changes[name] = [...before, value];
    else this.changes[name] = isObject(before) ? { ...before, [nextIndex(before)]: value } : [value];
  }

  private get(name: string): Json | undefined {
    if (name in this.changes) return this.changes[name];
    return Object.hasOwn(this.object, name) ? this.object[name] : undefined;
  }
}

/** Lua's objects are lists too. */
function nextIndex(object: object): number {
  let index = 1;
  while (Object.hasOwn(object, index)) index++;
  return index;
}

/** The fields of a multipart form. Names and values are bytes, each a character. */
export class PartMembers implements Members {
  parts: readonly Part[];

  constructor(parts: readonly Part[]) {
    this.parts = parts;
  }

  has(name: string): boolean {
    return this.parts.some(part => part.name === toHeader(name));
  }

  remove(name: string): void {
    this.parts = this.parts.filter(part => part.name !== toHeader(name));
  }

  rename(before: string, after: string): void {
    const [from, to] = [toHeader(before), toHeader(after)];
    this.parts = this.parts.filter(({ name }) => name !== to).map(part => (part.name === from ? renamed(part, to) : part));
  }

  set(name: string, value: string): void {
    this.remove(name);
    this.append(name, value);
  }

  append(name: string, value: string): void {
    this.parts = [...this.parts, field(toHeader(name), toHeader(value))];
  }
}
