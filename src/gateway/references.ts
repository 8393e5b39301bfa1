import { ConfigurationError } from '../lib/configuration-error.ts';
import { isObject, parseJson } from '../lib/json.ts';
import type { Field } from '../schema/field.ts';
import { isReference } from '../schema/vault-reference.ts';

/**
 * The value with every `{vault://…}` of a referenceable field replaced by what it stands for now. Throws a
 * ConfigurationError that names the field and the reference, never a secret.
 */
export function resolveReferences(field: Field, value: unknown, path: readonly string[] = []): unknown {
  if (value === null || value === undefined) return value;
  const { elements, values, fields } = field;
  if (elements && Array.isArray(value)) return value.map((member, index) => resolveReferences(elements, member, [...path, `${index + 1}`]));
  if (values && isObject(value)) return mapMembers(value, (name, member) => resolveReferences(values, member, [...path, name]));
  if (fields && isObject(value)) {
    return mapMembers(value, (name, member) => {
      const own = fields[name];
      return own ? resolveReferences(own, member, [...path, name]) : member;
    });
  }
  return field.facts.referenceable && isReference(value) ? resolve(value as string, path.join('.')) : value;
}

const mapMembers = (record: object, change: (name: string, member: unknown) => unknown) =>
  Object.fromEntries(Object.entries(record).map(([name, member]) => [name, change(name, member)]));

/**
 * `{vault://env/my-key}` is the environment variable MY_KEY, `{vault://env/my-key/part}` a member of the JSON in it, and
 * `?prefix=APP_` comes before its name. https://docs.konghq.com/gateway/latest/kong-enterprise/secrets-management/backends/env/
 */
function resolve(reference: string, field: string): string {
  const [, vault, name = '', key, options] = /^\{vault:\/\/([^/?]+)\/([^/?]+)(?:\/([^/?]+))?\/?(?:\?(.*))?\}$/.exec(reference) ?? [];
  const fail = (reason: string) => new ConfigurationError(`the reference ${reference} cannot be resolved: ${reason}`, field);
  if (vault === undefined) throw fail('expected {vault://env/NAME}');
  if (vault !== 'env') throw fail(`there is no vault '${vault}', only env`);

  const variable = ((new URLSearchParams(options).get('prefix') ?? '') + name).toUpperCase().replaceAll('-', '_');
  const text = process.env[variable];
  if (text === undefined || text === '') throw fail(`the environment variable ${variable} is not set`);
  if (key === undefined) return text;
  const secret = parseJson(text);
  const member = isObject(secret) ? secret[key] : undefined;
  if (typeof member !== 'string') throw fail(`${variable} holds no JSON object with a text '${key}'`);
  return member;
}
