import { isObject, type Json, parseJson } from '../../lib/json.ts';
import { RequestFailure } from '../../lib/request-failure.ts';

/** Makes a body of what a client filled in. Throws a RequestFailure (400) for a value that is missing or of the wrong kind. */
export type PromptTemplate = (properties: Json | undefined) => string;

/** Plain text, or a place to fill: within a string of the JSON, or where a number or a boolean stands. */
type Piece = string | { readonly name: string; readonly quoted: boolean };

const VARIABLE = /\{\{([A-Za-z0-9_]+)\}\}/;
const SCALAR = /^(?:-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null)$/;

/** Kong's `{{variable}}` in the JSON of a request. Throws an Error when what comes out may be no JSON object. */
export function compilePromptTemplate(text: string): PromptTemplate {
  const pieces = cut(text);
  const places = pieces.filter(piece => typeof piece !== 'string');
  // A place in the middle of an escape or a number takes neither of these, so it would not keep every value within its bounds.
  const sample = pieces.map(piece => (typeof piece === 'string' ? piece : piece.quoted ? 'x' : 'true')).join('');
  if (!isObject(parseJson(sample))) throw new Error('not a JSON object whose variables stand in strings or for values');

  return properties => {
    const values = valuesOf(properties ?? {});
    const missing = new Set(places.filter(({ name }) => !values.has(name)).map(({ name }) => `[${name}]`));
    if (missing.size > 0) throw new RequestFailure(400, `missing template parameters: ${[...missing].join(', ')}`);
    return pieces.map(piece => (typeof piece === 'string' ? piece : fill(piece.name, values.get(piece.name) ?? '', piece.quoted))).join('');
  };
}

/** Line ends within strings, which JSON wants escaped and Kong's parser takes, become escapes. */
function cut(text: string): Piece[] {
  let quoted = false;
  return text.split(VARIABLE).map((part, index) => {
    if (index % 2 === 1) return { name: part, quoted };
    return part.replace(/\\?[\s\S]/g, token => {
      if (token === '"') quoted = !quoted;
      return quoted && token < ' ' ? escaped(token) : token;
    });
  });
}

/** Kong takes strings alone, and says what it got in Lua's words. */
function valuesOf(properties: Json): ReadonlyMap<string, string> {
  if (!isObject(properties)) throw new RequestFailure(400, 'properties must be an object');
  const entries = Object.entries(properties).map(([name, value]) => {
    if (typeof value !== 'string') throw new RequestFailure(400, `property values must be a string, got ${luaType(value)}`);
    return [name, value] as const;
  });
  return new Map(entries);
}

function luaType(value: Json): string {
  if (value === null) return 'userdata';
  return typeof value === 'object' ? 'table' : typeof value;
}

function fill(name: string, value: string, quoted: boolean): string {
  if (quoted) return escaped(value);
  if (SCALAR.test(value)) return value;
  throw new RequestFailure(400, `template parameter [${name}] must be a number, true, false or null`);
}

const escaped = (text: string) => JSON.stringify(text).slice(1, -1);
