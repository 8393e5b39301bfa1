import { isObject, type Json, type JsonObject } from '../../lib/json.ts';
import { refuseUnless } from '../unsupported.ts';

/** What Anthropic compiles; the rest it refuses: https://platform.claude.com/docs/en/build-with-claude/structured-outputs */
const KEPT = ['type', 'title', 'enum', 'const', 'default', 'required'];
const FORMATS = ['date-time', 'time', 'date', 'duration', 'email', 'hostname', 'uri', 'ipv4', 'ipv6', 'uuid'];
/** Lookaround, references back and word boundaries. */
const REFUSED_IN_PATTERNS = /\(\?<?[=!]|\\[1-9bB]/;
/** Names of the standard that say nothing of the value. */
const SILENT = ['$schema', '$id', '$comment', 'examples', 'additionalProperties', 'description'];

/** A schema in Anthropic's dialect. What that lacks stands in the description, where the model still reads it. */
export function toStrictSchema(schema: Json): Json {
  if (!isObject(schema)) return schema;
  const { $ref, description: said } = schema;
  // What stands beside a reference is refused, but for what it may refer to.
  if ($ref !== undefined) return { $ref, ...definitionsOf(schema) };
  const strict: JsonObject = {};
  const unsaid: string[] = [];
  for (const [keyword, value] of Object.entries(schema)) {
    const [name, rewritten] = rewrite(keyword, value);
    if (rewritten !== undefined) strict[name] = rewritten;
    else if (!SILENT.includes(keyword)) unsaid.push(`${keyword}: ${JSON.stringify(value)}`);
  }
  const description = [said, unsaid.length > 0 && `(${unsaid.join(', ')})`].filter(text => typeof text === 'string' && text);
  return {
    ...strict,
    ...(description.length > 0 && { description: description.join(' ') }),
    ...(isObjectSchema(schema) && closed(schema)),
  };
}

const definitionsOf = (schema: JsonObject): JsonObject =>
  Object.fromEntries(['$defs', 'definitions'].flatMap(name => (isObject(schema[name]) ? [[name, toStrictSchemas(schema[name])]] : [])));

const toStrictSchemas = (schemas: JsonObject): JsonObject =>
  Object.fromEntries(Object.entries(schemas).map(([name, schema]) => [name, toStrictSchema(schema)]));

/** The keyword in Anthropic's dialect; undefined for what it lacks. */
function rewrite(keyword: string, value: Json): [string, Json | undefined] {
  switch (keyword) {
    case 'properties':
    case '$defs':
    case 'definitions':
      return [keyword, isObject(value) ? toStrictSchemas(value) : undefined];
    case 'items':
      return [keyword, toStrictSchema(value)];
    case 'anyOf':
    case 'allOf':
      return [keyword, Array.isArray(value) ? value.map(toStrictSchema) : undefined];
    case 'oneOf':
      return ['anyOf', Array.isArray(value) ? value.map(toStrictSchema) : undefined];
    case 'format':
      return [keyword, FORMATS.includes(String(value)) ? value : undefined];
    case 'pattern':
      return [keyword, REFUSED_IN_PATTERNS.test(String(value)) ? undefined : value];
    case 'minItems':
      return [keyword, value === 0 || value === 1 ? value : undefined];
    default:
      return [keyword, KEPT.includes(keyword) ? value : undefined];
  }
}

const isObjectSchema = ({ type, properties }: JsonObject) => [type].flat().includes('object') || isObject(properties);

/** Objects have the members they name and no others. One that names none would always be empty. */
function closed({ properties, additionalProperties }: JsonObject): JsonObject {
  refuseUnless(
    isObject(properties) || additionalProperties === false,
    'anthropic',
    "objects without 'properties' in the schema of 'json_schema' or of a strict tool",
  );
  return { additionalProperties: false };
}
