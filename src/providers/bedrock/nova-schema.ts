import { isObject, type Json, type JsonObject } from '../../lib/json.ts';

/**
 * A tool's schema as Nova takes it: `type`, `properties` and `required` alone at its top, so that what is defined there has to
 * stand where it is referred to. https://docs.aws.amazon.com/nova/latest/userguide/tool-use-definition.html
 */
export function toNovaSchema({ properties, required, $defs, definitions }: JsonObject): JsonObject {
  const defined = { ...(isObject(definitions) && definitions), ...(isObject($defs) && $defs) };
  return {
    type: 'object',
    ...(isObject(properties) && { properties: members(properties, defined, []) }),
    ...(Array.isArray(required) && { required }),
  };
}

/** `within`: the definitions around it. One that has itself among its parts ends there, where anything may stand. */
function inPlace(value: Json, defined: JsonObject, within: readonly string[]): Json {
  if (Array.isArray(value)) return value.map(each => inPlace(each, defined, within));
  if (!isObject(value)) return value;
  const { $ref, ...beside } = value;
  if (typeof $ref !== 'string') return members(value, defined, within);
  const name = decodeURIComponent(/^#\/(?:\$defs|definitions)\/([^/]+)$/.exec($ref)?.[1] ?? '');
  const definition = within.includes(name) || !Object.hasOwn(defined, name) ? {} : defined[name];
  return members({ ...(isObject(definition) && definition), ...beside }, defined, [...within, name]);
}

const members = (schema: JsonObject, defined: JsonObject, within: readonly string[]): JsonObject =>
  Object.fromEntries(Object.entries(schema).map(([name, member]) => [name, inPlace(member, defined, within)]));
