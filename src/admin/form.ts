import { isObject, parseJson } from '../lib/json.ts';
import { type Field, type RecordField, string } from '../schema/field.ts';

/** What stands for one key: text, or true for a key that stands alone, without `=`. */
export type FormValue = string | true;

/** What a form says below one name: values of that very key, and those of the keys that go on from it. */
export interface FormNode {
  readonly values: FormValue[];
  readonly children: Map<string, FormNode>;
}

/** `a.b`, `a[]`, `a[1]`, `a[b.c]`, and any of these after the other. Dots may be doubled. */
const PATH = /^[^.[\]]+(?:\[[^\]]*\]|\.+[^.[\]]+)*$/;
const SEGMENT = /\[([^\]]*)\]|[^.[\]]+/g;
/** Brackets that were encoded once more than the rest. */
const ENCODED_BRACKETS = /%5B(.*?)%5D/gi;
/** No path is longer, so none is deep enough to exhaust the stack or the patience. */
const LONGEST_PATH = 1024;
/** What Lua's `tonumber` takes and JSON can say. */
const NUMBER = /^\s*(?:0x[0-9a-f]+|[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?)\s*$/i;
const INDEX = /^\d*$/;

/** The keys of a form as a tree. Source of the grammar: kong/api/arguments_decoder.lua of Kong 3.9. */
export function parseForm(pairs: Iterable<readonly [key: string, value: FormValue]>): FormNode {
  const root = emptyNode();
  for (const [key, value] of pairs) {
    let node = root;
    for (const segment of segmentsOf(key)) {
      const next = node.children.get(segment) ?? emptyNode();
      node.children.set(segment, next);
      node = next;
    }
    node.values.push(value);
  }
  return root;
}

/**
 * The form as JSON would have said it, each value of the type of its field. What no field knows stays, for validation to name.
 * Source of the rules: `infer_value` of kong/api/arguments.lua of Kong 3.9.
 */
export function readForm(form: FormNode, record: RecordField): Record<string, unknown> {
  return membersOf(form, record);
}

const emptyNode = (): FormNode => ({ values: [], children: new Map() });

/** `[]` is an empty segment. A key that is no path is taken whole. */
function segmentsOf(key: string): string[] {
  if (key.length > LONGEST_PATH) return [key];
  const path = key.replaceAll(ENCODED_BRACKETS, '[$1]');
  if (!PATH.test(path)) return [key];
  return [...path.matchAll(SEGMENT)].map(([whole, inBrackets]) => inBrackets ?? whole);
}

function readNode(node: FormNode, field: Field | undefined): unknown {
  if (isList(node, field)) return listOf(node, field?.elements);
  if (node.children.size === 0) {
    const [first] = node.values;
    return node.values.length === 1 && first !== undefined ? scalarOf(first, field) : node.values.map(value => scalarOf(value, field));
  }
  const members = membersOf(node, field);
  // `a=1&a.b=2` cannot both hold: as a list of both, validation refuses it.
  return node.values.length === 0 ? members : [...node.values, members];
}

function isList(node: FormNode, field: Field | undefined): boolean {
  const names = [...node.children.keys()];
  if (field?.elements) return names.every(name => INDEX.test(name)) && !isEmptied(node);
  if (names.includes('')) return true;
  return names.length > 0 && field?.type !== 'record' && field?.type !== 'map' && names.every(name => INDEX.test(name));
}

/** `tags=` takes the list away. */
const isEmptied = (node: FormNode) => node.children.size === 0 && node.values.length === 1 && node.values[0] === '';

/** Values in the order of the form, then `[n]` by number. `tags[]=` alone is the empty list. */
function listOf(node: FormNode, elements: Field | undefined): unknown[] {
  const children = [...node.children].sort(([a], [b]) => Number(a) - Number(b));
  const members = children.flatMap(([, child]) =>
    child.children.size > 0 ? [readNode(child, elements)] : child.values.map(value => scalarOf(value, elements)),
  );
  const own = node.values.map(value => scalarOf(value, elements));
  return own.length === 0 && node.children.size === 1 && node.children.has('') && members.length === 1 && members[0] === null
    ? []
    : [...own, ...members];
}

// `Object.fromEntries` makes `__proto__` a member like any other.
function membersOf(node: FormNode, field: Field | undefined): Record<string, unknown> {
  return Object.fromEntries([...node.children].map(([name, child]) => [name, readNode(child, memberOf(field, name))]));
}

/** The id or the name by which a row is pointed at. */
const KEY = string();

function memberOf(field: Field | undefined, name: string): Field | undefined {
  if (field?.type === 'map') return field.values;
  if (field?.type === 'foreign') return KEY;
  if (field?.fields && Object.hasOwn(field.fields, name)) return field.fields[name];
  const shorthands = (field as RecordField | undefined)?.facts.shorthand_fields;
  return shorthands && Object.hasOwn(shorthands, name) ? shorthands[name]?.field : undefined;
}

function scalarOf(value: FormValue, field: Field | undefined): unknown {
  if (field === undefined || value === true) return value;
  if (value === '') return null;
  if (field.type === 'integer' || field.type === 'number')
    return NUMBER.test(value) && Number.isFinite(Number(value)) ? Number(value) : value;
  if (field.type === 'boolean') return value === 'true' ? true : value === 'false' ? false : value;
  return field.type === 'json' ? jsonOf(value) : value;
}

/** Objects and lists in JSON; other text is a string, as it is in JSON's own sense. */
function jsonOf(value: string): unknown {
  const parsed = parseJson(value);
  return isObject(parsed) || Array.isArray(parsed) ? parsed : value;
}
