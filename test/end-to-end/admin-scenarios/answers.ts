import { expect } from 'bun:test';

/** An answer with at least these members. */
export const row = (fields: object): unknown => expect.objectContaining(fields);
export const rows = (...fields: readonly object[]): unknown => ({ data: fields.map(row), next: null });
/** The whole list has these values of a field, in any order. */
export const names = (field: string, ...values: readonly string[]) => {
  return ({ data, next }: { readonly data: readonly Readonly<Record<string, unknown>>[]; readonly next: null }): void => {
    expect([data.map(one => one[field]).sort(), next]).toEqual([[...values].sort(), null]);
  };
};

export const NOT_FOUND = { message: 'Not found' };
export const METHOD_NOT_ALLOWED = { message: 'Method not allowed' };
/** Messages by field; `@entity` holds those of the whole. */
export interface Errors {
  readonly [field: string]: string | null | Errors | readonly (string | null | Errors)[];
}

/** Kong's answer about fields that are wrong. Source of the message: `_M:schema_violation` of kong/db/errors.lua of Kong 3.9. */
export function violation(fields: Errors): unknown {
  const messages = messagesOf(fields);
  const [only] = messages;
  const text = messages.length === 1 ? `schema violation (${only})` : `${messages.length} schema violations (${messages.join('; ')})`;
  return { message: text, name: 'schema violation', code: 2, fields };
}

function messagesOf({ '@entity': whole = [], ...fields }: Errors): string[] {
  const ofFields = Object.keys(fields)
    .sort()
    .flatMap(name => {
      const error = fields[name];
      if (typeof error !== 'object' || error === null) return [`${name}: ${error}`];
      return membersOf(error).map(([member, inner]) => `${name}.${member}: ${typeof inner === 'string' ? inner : pretty(inner, '')}`);
    });
  return [...(whole as string[]), ...ofFields];
}

type Nested = Errors | readonly (string | null | Errors)[];

/** Lua counts from one, and a null is a place that is empty. */
function membersOf(nested: Nested): [name: string | number, error: string | Nested][] {
  const members: [string | number, string | Nested | null | undefined][] = Array.isArray(nested)
    ? nested.map((error, index) => [index + 1, error])
    : Object.keys(nested)
        .sort()
        .map(name => [name, (nested as Errors)[name]]);
  return members.flatMap(([name, error]) => (error == null ? [] : [[name, error]]));
}

/** As Penlight's `pretty.write` prints a table; its arrays come without keys. */
function pretty(nested: Nested, indent: string): string {
  const inner = `${indent}  `;
  const lines = membersOf(nested).map(([name, error]) => {
    const value = typeof error === 'string' ? JSON.stringify(error) : pretty(error, inner);
    if (typeof name === 'number') return `${inner}${value}`;
    return `${inner}${/^[A-Za-z_]\w*$/.test(name) ? name : `[${JSON.stringify(name)}]`} = ${value}`;
  });
  return `{\n${lines.join(',\n')}\n${indent}}`;
}

export const uniqueViolation = (field: string, value: string): unknown => ({
  message: `UNIQUE violation detected on '{${field}="${value}"}'`,
  name: 'unique constraint violation',
  code: 5,
  fields: { [field]: value },
});
export const primaryKeyViolation = (id: string): unknown => ({
  message: `primary key violation on key '{id="${id}"}'`,
  name: 'primary key violation',
  code: 3,
  fields: { id },
});
export const noSuchReference = (field: string, entity: string, id: string): unknown => ({
  message: `the foreign key '{id="${id}"}' does not reference an existing '${entity}' entity.`,
  name: 'foreign key violation',
  code: 4,
  fields: { [field]: { id } },
});
export function unresolved(field: string, key: string, value: string, entity: string): unknown {
  const text = `the foreign key cannot be resolved with '{${key}="${value}"}' for an existing '${entity}' entity`;
  return {
    message: `foreign key unresolved (${field}.${key}: ${text})`,
    name: 'foreign keys unresolved',
    code: 13,
    fields: { [field]: { [key]: text } },
  };
}
export const referencedBy = (child: string, parent: string): unknown => ({
  message: `an existing '${child}' entity references this '${parent}' entity`,
  name: 'foreign key violation',
  code: 4,
  fields: { '@referenced_by': child },
});
export const invalidSize = (message: string): unknown => ({ message, name: 'invalid size', code: 9 });
export const invalidTags = (reason: string): unknown => ({
  message: `invalid option (tags: ${reason})`,
  name: 'invalid options',
  code: 11,
  options: { tags: reason },
});
