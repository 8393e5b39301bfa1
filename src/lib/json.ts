/** What JSON can say. */
export type Json = null | boolean | number | string | Json[] | JsonObject;
export type JsonObject = { [key: string]: Json };

export const isObject = (value: unknown): value is JsonObject => typeof value === 'object' && value !== null && !Array.isArray(value);

/** Whether an object has no members of its own or inherited. */
export function isEmpty(members: object): boolean {
  for (const _ in members) return false;
  return true;
}

/** The JSON that `text` holds, or undefined when it holds none. */
export function parseJson(text: string): Json | undefined {
  try {
    return JSON.parse(text) as Json;
  } catch {
    return undefined;
  }
}

/** As many levels as Kong's parser takes. Text of a few bytes a level is soon too deep for JSON.stringify, which needs long to find out. */
const MOST_LEVELS = 1000;

/** Whether objects and arrays lie deeper in each other than anybody means them to. */
export const isTooDeep = (value: unknown, levels = MOST_LEVELS): boolean =>
  typeof value === 'object' && value !== null && (levels === 0 || Object.values(value).some(member => isTooDeep(member, levels - 1)));

/** The members that are neither undefined nor null. */
export const withoutAbsent = (members: Readonly<Record<string, unknown>>): JsonObject =>
  Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined && value !== null)) as JsonObject;
