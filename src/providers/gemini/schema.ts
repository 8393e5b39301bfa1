import { isObject, type Json, type JsonObject } from '../../lib/json.ts';

/**
 * What Gemini reads of a JSON Schema, in tools as in answers: https://ai.google.dev/api/generate-content#generationconfig
 * (`responseJsonSchema`). References, `additionalProperties` and alternatives are among it.
 */
const KEPT = [
  ...['$id', '$ref', '$anchor', 'type', 'format', 'title', 'description', 'minItems', 'maxItems', 'minimum', 'maximum', 'required'],
  'propertyOrdering',
];
const OF_SCHEMAS = ['properties', '$defs'];
const LISTS_OF_SCHEMAS = ['prefixItems', 'anyOf', 'oneOf'];
const SCHEMAS = ['items', 'additionalProperties'];
/** Names of the standard that say nothing of the value, and those that are rewritten. */
const SILENT = ['$schema', '$comment', 'examples', 'default', 'deprecated', 'readOnly', 'writeOnly'];
const REWRITTEN = ['definitions', 'const', 'enum', 'exclusiveMinimum', 'exclusiveMaximum', 'allOf', 'nullable'];

/** A schema as Gemini reads it. What it would not read stands in the description, where the model does. */
export function toGeminiSchema(schema: Json): Json {
  if (!isObject(schema)) return schema;
  const { $ref } = schema;
  // Beside a reference nothing may stand but names that start with `$`.
  if (typeof $ref === 'string') return { $ref: $ref.replace(/^#\/definitions\//, '#/$defs/'), ...definitionsOf(schema) };

  const { allOf } = schema;
  if (Array.isArray(allOf)) return toGeminiSchema(merged(schema, allOf.filter(isObject)));

  const unsaid = Object.keys(schema).filter(name => !isKnown(name));
  const { description } = schema;
  const told = [description, unsaid.length > 0 && `(${unsaid.map(name => `${name}: ${JSON.stringify(schema[name])}`).join(', ')})`];
  return {
    ...Object.fromEntries(Object.entries(schema).flatMap(([name, value]) => kept(name, value))),
    ...definitionsOf(schema),
    ...bounds(schema),
    ...valuesOf(schema),
    ...(unsaid.length > 0 && { description: told.filter(text => typeof text === 'string' && text).join(' ') }),
  };
}

const isKnown = (name: string) => [KEPT, OF_SCHEMAS, LISTS_OF_SCHEMAS, SCHEMAS, SILENT, REWRITTEN].some(names => names.includes(name));

function kept(name: string, value: Json): [string, Json][] {
  if (KEPT.includes(name)) return [[name, value]];
  if (SCHEMAS.includes(name)) return [[name, toGeminiSchema(value)]];
  if (LISTS_OF_SCHEMAS.includes(name) && Array.isArray(value)) return [[name, value.map(toGeminiSchema)]];
  if (name === 'properties' && isObject(value)) return [[name, mapped(value)]];
  return [];
}

const mapped = (schemas: JsonObject): JsonObject =>
  Object.fromEntries(Object.entries(schemas).map(([name, schema]) => [name, toGeminiSchema(schema)]));

/** `definitions` is what `$defs` was called before. */
function definitionsOf({ $defs, definitions }: JsonObject): JsonObject {
  const all = { ...(isObject(definitions) && definitions), ...(isObject($defs) && $defs) };
  return Object.keys(all).length === 0 ? {} : { $defs: mapped(all) };
}

/** The nearest bounds there are: exact for integers. */
function bounds({ type, exclusiveMinimum: above, exclusiveMaximum: below }: JsonObject): JsonObject {
  const step = type === 'integer' ? 1 : 0;
  return {
    ...(typeof above === 'number' && { minimum: above + step }),
    ...(typeof below === 'number' && { maximum: below - step }),
  };
}

/** An `enum` has texts and numbers; null is a type, and so is a truth value. */
function valuesOf(schema: JsonObject): JsonObject {
  const { type, enum: listed = [], const: only, nullable } = schema;
  const all = only === undefined ? [listed].flat() : [only];
  const values = all.filter(value => typeof value === 'string' || typeof value === 'number');
  const types = type === undefined ? typesOf(all) : [type].flat();
  const isNullable = nullable === true || all.includes(null);
  const widened = isNullable && types.length > 0 ? [...new Set([...types, 'null'])] : types;
  return {
    ...(widened.length > 0 && { type: widened.length === 1 ? (widened[0] as Json) : widened }),
    ...(values.length > 0 && { enum: values }),
  };
}

const typesOf = (values: readonly Json[]): Json[] => [...new Set(values.map(value => (value === null ? 'null' : typeof value)))];

/** One schema that says what all say. A single one, as generators write it to add a description, stays itself. */
const merged = ({ allOf: _, ...own }: JsonObject, all: readonly JsonObject[]): JsonObject => all.reduce(both, own);

function both(one: JsonObject, other: JsonObject): JsonObject {
  const [properties, required] = [{ ...propertiesOf(one), ...propertiesOf(other) }, [...requiredOf(one), ...requiredOf(other)]];
  return {
    ...one,
    ...other,
    ...(Object.keys(properties).length > 0 && { properties }),
    ...(required.length > 0 && { required: [...new Set(required)] }),
  };
}

const propertiesOf = ({ properties }: JsonObject): JsonObject => (isObject(properties) ? properties : {});
const requiredOf = ({ required }: JsonObject): Json[] => (Array.isArray(required) ? required : []);
