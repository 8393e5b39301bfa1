import { isObject, type Json, type JsonObject } from '../../lib/json.ts';

/** What Cohere refuses in a schema that answers must follow: https://docs.cohere.com/docs/structured-outputs#unsupported-schema-features */
const LIMITS = [
  'minimum',
  'maximum',
  'exclusiveMinimum',
  'exclusiveMaximum',
  'multipleOf',
  'minItems',
  'maxItems',
  'uniqueItems',
  'minLength',
  'maxLength',
  'not',
];
const FORMATS = ['date-time', 'uuid', 'date', 'time'];

/** Keywords whose value is a schema, a list of them, or schemas by name. */
const SCHEMAS = ['items', 'additionalProperties'];
const LISTS = ['anyOf', 'prefixItems'];
const MAPS = ['properties', '$defs', 'definitions', 'patternProperties'];

/** The schema in the keywords that Cohere knows; what it cannot enforce is said in the description, for the model to heed. */
export function toSchema(schema: JsonObject): JsonObject {
  const { allOf, oneOf, ...own } = schema;
  const merged = [...(Array.isArray(allOf) ? allOf.filter(isObject) : [])].reduce(merge, own);
  const known: JsonObject = {};
  const told: string[] = [];
  for (const [keyword, value] of Object.entries(Array.isArray(oneOf) ? { ...merged, anyOf: oneOf } : merged)) {
    if (isRefused(keyword, value)) told.push(`${keyword}: ${JSON.stringify(value)}`);
    else known[keyword] = keyword === 'pattern' ? String(value).slice(1, -1) : inner(keyword, value);
  }
  if (told.length === 0) return known;
  const { description } = known;
  return { ...known, description: [description, `(${told.join(', ')})`].filter(Boolean).join(' ') };
}

function isRefused(keyword: string, value: Json): boolean {
  if (keyword === 'format') return !FORMATS.includes(String(value));
  if (keyword === 'pattern') return !isOfWholeText(String(value));
  return LIMITS.includes(keyword);
}

/** Patterns have no anchors here and are for the whole text. One for a part of it would allow less than it says. */
function isOfWholeText(pattern: string): boolean {
  const [, inner = '$'] = /^\^(.*[^\\])\$$/s.exec(pattern) ?? [];
  return !/\(\?[=!<]|[\^$]/.test(inner.replace(/\[\^/g, '[')) && !hasAlternatives(inner);
}

/** Outside of all groups, where an anchor is for one of them alone. */
const hasAlternatives = (pattern: string) =>
  pattern
    .replace(/\\./g, '')
    .replace(/\([^()]*\)|\[[^\]]*\]/g, '')
    .includes('|');

function inner(keyword: string, value: Json): Json {
  const each = (member: Json) => (isObject(member) ? toSchema(member) : member);
  if (SCHEMAS.includes(keyword)) return each(value);
  if (LISTS.includes(keyword) && Array.isArray(value)) return value.map(each);
  if (MAPS.includes(keyword) && isObject(value))
    return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, each(member)]));
  return value;
}

/** All of several schemas: their properties together, of what they say twice the last. */
function merge(first: JsonObject, second: JsonObject): JsonObject {
  const { properties: a, required: needed } = first;
  const { properties: b, required: alsoNeeded } = second;
  return {
    ...first,
    ...second,
    ...((isObject(a) || isObject(b)) && { properties: { ...(isObject(a) && a), ...(isObject(b) && b) } }),
    ...((needed || alsoNeeded) && { required: [...new Set([needed ?? [], alsoNeeded ?? []].flat())] }),
  };
}
