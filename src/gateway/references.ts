import { isObject } from '../lib/json.ts';
import type { Field, RecordField } from '../schema/field.ts';
import { fieldsOf } from '../schema/subschema.ts';
import { isReference } from '../schema/vault-reference.ts';

/** What `{vault://VAULT/RESOURCE/KEY?OPTION=VALUE#VERSION}` says. Source: kong/pdk/vault.lua of Kong 3.9. */
export interface VaultReference {
  /** The prefix of a vault, or the name of a kind. */
  readonly vault: string;
  readonly resource: string;
  /** The member that is meant of the JSON object kept there. */
  readonly key: string | null;
  readonly version: number | null;
  /** Fields of the vault's configuration, for this reference. */
  readonly options: Readonly<Record<string, string>>;
  /** For people: without the options, which may hold secrets. */
  readonly shown: string;
}

/** Throws an Error that says what is wrong with it. */
export function parseReference(text: string): VaultReference {
  const [, vault, path, query, fragment] = /^\{vault:\/\/([^/?#]+)\/([^?#]*)(?:\?([^#]*))?(?:#(.*))?\}$/s.exec(text) ?? [];
  const segments = (path ?? '').split('/').filter(segment => segment !== '');
  if (vault === undefined || segments.length === 0) throw new Error('expected {vault://VAULT/NAME} or {vault://VAULT/NAME/KEY}');
  if (fragment !== undefined && !/^\d{1,9}$/.test(fragment)) throw new Error('the version of a reference is a number');
  return {
    vault,
    resource: decode(segments.length === 1 ? segments : segments.slice(0, -1)),
    key: segments.length === 1 ? null : decode(segments.slice(-1)),
    version: fragment === undefined ? null : Number(fragment),
    options: Object.fromEntries(new URLSearchParams(query)),
    shown: `{vault://${vault}/${segments.join('/')}${fragment === undefined ? '' : `#${fragment}`}}`,
  };
}

function decode(segments: readonly string[]): string {
  try {
    return segments.map(decodeURIComponent).join('/');
  } catch {
    throw new Error('the reference is not percent-encoded as it should be');
  }
}

/** Puts something in the place of a reference that stands at a path. */
type Replace = (reference: string, path: readonly string[]) => string;

/** The value with all references of its referenceable fields replaced. */
export function replaceReferences(field: Field, value: unknown, replace: Replace, path: readonly string[] = []): unknown {
  const { elements, values } = field;
  const member = (own: Field, of: unknown, name: string) => replaceReferences(own, of, replace, [...path, name]);
  if (elements && Array.isArray(value)) return value.map((element, index) => member(elements, element, `${index + 1}`));
  if (values && isObject(value)) return mapMembers(value, (name, of) => member(values, of, name));
  if (field.fields && isObject(value)) {
    const fields = fieldsOf(field as RecordField, value);
    return mapMembers(value, (name, of) => {
      const own = Object.hasOwn(fields, name) ? fields[name] : undefined;
      return own ? member(own, of, name) : of;
    });
  }
  return field.facts.referenceable && isReference(value) ? replace(value as string, path) : value;
}

const mapMembers = (record: object, change: (name: string, member: unknown) => unknown) =>
  Object.fromEntries(Object.entries(record).map(([name, member]) => [name, change(name, member)]));

/** Every reference in the value, each once. */
export function referencesIn(field: Field, value: unknown): ReadonlySet<string> {
  const found = new Set<string>();
  collect(field, value, found);
  return found;
}

// Asked of every row at a start: so nothing is looked at that cannot hold one.
function collect(field: Field, value: unknown, found: Set<string>): void {
  if (value === null || value === undefined || !mayRefer(field)) return;
  const { elements, values } = field;
  if (typeof value === 'string') {
    if (field.facts.referenceable && isReference(value)) found.add(value);
  } else if (Array.isArray(value)) {
    if (elements) for (const element of value) collect(elements, element, found);
  } else if (isObject(value)) {
    if (values) for (const member of Object.values(value)) collect(values, member, found);
    if (!field.fields) return;
    const fields = fieldsOf(field as RecordField, value);
    for (const name in fields) if (Object.hasOwn(value, name)) collect(fields[name] as Field, value[name], found);
  }
}

const referring = new WeakMap<Field, boolean>();

/** Whether a value of the field can hold references at all. */
export function mayRefer(field: Field | undefined): boolean {
  if (field === undefined) return false;
  const known = referring.get(field);
  if (known !== undefined) return known;
  const { facts, elements, values, fields = {} } = field;
  const isReferring =
    facts.referenceable === true ||
    (facts as RecordField['facts']).subschema !== undefined ||
    [elements, values, ...Object.values(fields)].some(mayRefer);
  referring.set(field, isReferring);
  return isReferring;
}
