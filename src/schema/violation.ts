import type { FieldErrors } from './field-errors.ts';

type Nested = Exclude<FieldErrors[string], string>;

/**
 * Kong's one message for a set of errors: those of the record as a whole, then the fields by name, then their members; what is
 * below those is printed as a Lua table. Source: `schema_violation` of kong/db/errors.lua of Kong 3.9.
 */
export function violation(errors: FieldErrors): string {
  const { '@entity': whole = [], ...fields } = errors;
  const messages = [...(whole as string[]), ...membersOf(fields).flatMap(([name, error]) => messagesOf(name, error))];
  return messages.length === 1 ? `schema violation (${messages[0]})` : `${messages.length} schema violations (${messages.join('; ')})`;
}

function messagesOf(name: string | number, error: string | Nested): string[] {
  if (typeof error === 'string') return [`${name}: ${error}`];
  return membersOf(error).map(([member, inner]) => `${name}.${member}: ${typeof inner === 'string' ? inner : printTable(inner, '')}`);
}

/** Fields by name; members of a list by number, where Lua counts from one. */
function membersOf(errors: Nested): [name: string | number, error: string | Nested][] {
  if (Array.isArray(errors)) return errors.flatMap((error, index) => (error === null ? [] : [[index + 1, error]]));
  return Object.keys(errors)
    .sort()
    .flatMap(name => (errors[name] === undefined ? [] : [[name, errors[name]]]));
}

/** As `pl.pretty.write` prints it: members of a list without their number, until the first one that is missing. */
function printTable(errors: Nested, indent: string): string {
  const inner = `${indent}  `;
  const lines = membersOf(errors).map(([name, error], index) => {
    const value = typeof error === 'string' ? quote(error) : printTable(error, inner);
    if (name === index + 1) return inner + value;
    return `${inner}${typeof name === 'number' ? `[${name}]` : printName(name)} = ${value}`;
  });
  return `{\n${lines.join(',\n')}\n${indent}}`;
}

const printName = (name: string) => (/^[A-Za-z_]\w*$/.test(name) ? name : `[${quote(name)}]`);
const quote = (text: string) => `"${text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\\n')}"`;
