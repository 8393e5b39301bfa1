import { isObject } from './json.ts';

/** Anchors, aliases, tags, records in braces, merge and explicit keys, directives, further documents: what only the thorough parser is trusted with. */
const UNUSUAL = /(?:^|[\s[{,])(?:[&*!]\S|\{(?!\}))|<<|^\s*\?\s|^%|^\.\.\.|\n---/m;
const JSON_KEY_ENDS = /"\s*:/g;

/**
 * The value of a document that is plain enough, ten times faster than by a parser that knows positions. Undefined when that
 * parser has to look at it: at what is unusual, and at whatever it would refuse.
 */
export function parseQuickly(text: string): { readonly value: unknown } | undefined {
  try {
    const isJson = /^\s*[{[]/.test(text);
    if (!isJson && UNUSUAL.test(text)) return undefined;
    const value: unknown = isJson ? JSON.parse(text) : Bun.YAML.parse(text);
    // Neither complains of a key that stands there twice: it shows in that the text has more keys than the value.
    return countKeys(value) === (isJson ? count(text, JSON_KEY_ENDS) : countKeyEnds(text)) ? { value } : undefined;
  } catch {
    return undefined; // The other parser says why, and where.
  }
}

function countKeys(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0;
  let sum = 0;
  for (const member of Object.values(value)) sum += countKeys(member);
  return isObject(value) ? sum + Object.keys(value).length : sum;
}

function countKeyEnds(text: string): number {
  let sum = 0;
  for (const line of text.split('\n')) {
    // A line has one key at most: what looks like more is within its value.
    if (/:(?:\s|$)/.test(line) && !/^\s*#/.test(line)) sum++;
  }
  return sum;
}

const count = (text: string, pattern: RegExp): number => text.match(pattern)?.length ?? 0;
