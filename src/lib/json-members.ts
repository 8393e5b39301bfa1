import { isEmpty, type Json } from './json.ts';
import { quoteAfter } from './json-quotes.ts';

/** One member of an object: where its key starts, its value starts, and its value ends. */
interface Member {
  readonly key: string;
  readonly start: number;
  readonly value: number;
  readonly end: number;
}

/**
 * The JSON object that `text` holds with some of its own members set, or taken away where the change is undefined.
 * Every other byte stays: key order and the spelling of numbers feed the vendors' prompt caches.
 * Of members that share a key only the last stays, the one JSON.parse has, so that nobody further on reads another.
 * `text` must be known to hold an object: it is scanned, not checked.
 */
export function setMembers(text: string, changes: Readonly<Record<string, Json | undefined>>): string {
  const members = scanMembers(text);
  if (isEmpty(changes) && !hasTwins(members)) return text;
  const last = new Map<string, Member>();
  for (const member of members) last.set(member.key, member);
  const open = text.indexOf('{') + 1;

  let result = text.slice(0, members[0]?.start ?? open);
  let separator = '';
  let copied = members[0]?.start ?? open;
  for (const member of members) {
    const between = text.slice(copied, member.start);
    copied = member.end;
    const changed = Object.hasOwn(changes, member.key);
    const value = changed ? changes[member.key] : undefined;
    if (last.get(member.key) !== member || (changed && value === undefined)) continue;
    result += separator === '' ? '' : between;
    result += changed ? text.slice(member.start, member.value) + JSON.stringify(value) : text.slice(member.start, member.end);
    separator = ',';
  }
  for (const [key, value] of Object.entries(changes)) {
    if (value === undefined || last.has(key)) continue;
    result += `${separator}${JSON.stringify(key)}:${JSON.stringify(value)}`;
    separator = ',';
  }
  return result + text.slice(copied);
}

/** Whether two of them share a key. A request has few members: comparing each with each costs less than a set. */
function hasTwins(members: readonly Member[]): boolean {
  if (members.length > FEW) return new Set(members.map(({ key }) => key)).size < members.length;
  for (let at = 1; at < members.length; at += 1) {
    for (let before = 0; before < at; before += 1) if (members[before]?.key === members[at]?.key) return true;
  }
  return false;
}

/**
 * The JSON object that `text` holds, with elements put before and after those of the array that is its member `key`, which
 * has some. What is put there is JSON too: elements with commas between, or nothing. Other bytes stay as `setMembers` has them.
 */
export function surroundElements(text: string, key: string, before: string, after: string): string {
  const once = setMembers(text, {});
  const array = scanMembers(once).find(member => member.key === key);
  if (array === undefined) throw new Error(`no member ${key}`);
  const open = array.value + 1;
  const close = array.end - 1;
  const separated = (elements: string, comma: string) => (elements === '' ? '' : comma);
  return `${once.slice(0, open)}${before}${separated(before, ',')}${once.slice(open, close)}${separated(after, ',')}${after}${once.slice(close)}`;
}

/** Whether an object in `text`, which parses to `value`, has a member twice: of the two, some parsers take the first. */
export function repeatsMembers(text: string, value: Json): boolean {
  let written = 0;
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) at = stringEnd(text, at) - 1;
    else if (code === COLON) written += 1;
  }
  return written > countMembers(value);
}

/** Without recursion: values may be nested as deeply as they like. */
function countMembers(value: Json): number {
  let count = 0;
  const rest: Json[] = [value];
  for (let next = rest.pop(); next !== undefined; next = rest.pop()) {
    if (typeof next !== 'object' || next === null) continue;
    const members = Object.values(next);
    if (!Array.isArray(next)) count += members.length;
    for (const member of members) rest.push(member);
  }
  return count;
}

function scanMembers(text: string): Member[] {
  const members: Member[] = [];
  let at = skipSpace(text, text.indexOf('{') + 1);
  while (text.charCodeAt(at) === QUOTE) {
    const start = at;
    at = stringEnd(text, at);
    const written = text.slice(start + 1, at - 1);
    const key = written.includes('\\') ? (JSON.parse(`"${written}"`) as string) : written;
    const value = skipSpace(text, skipSpace(text, at) + 1);
    const end = valueEnd(text, value);
    members.push({ key, start, value, end });
    at = skipSpace(text, end);
    if (text.charCodeAt(at) !== COMMA) break;
    at = skipSpace(text, at + 1);
  }
  return members;
}

const FEW = 16;

const QUOTE = 0x22;
const COMMA = 0x2c;
const COLON = 0x3a;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
const SPACE = 0x20;

function skipSpace(text: string, from: number): number {
  let at = from;
  while (text.charCodeAt(at) <= SPACE) at += 1;
  return at;
}

/** The index after the string that starts at `from`. */
const stringEnd = (text: string, from: number): number => quoteAfter(text, from + 1) + 1;

function valueEnd(text: string, from: number): number {
  const first = text.charCodeAt(from);
  if (first === QUOTE) return stringEnd(text, from);
  if (first === OPEN_BRACE || first === OPEN_BRACKET) return nestedEnd(text, from);
  let at = from;
  for (;;) {
    const code = text.charCodeAt(at);
    if (code === COMMA || code === CLOSE_BRACE || code <= SPACE) return at;
    at += 1;
  }
}

function nestedEnd(text: string, from: number): number {
  let depth = 0;
  let at = from;
  for (;;) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) {
      at = stringEnd(text, at);
      continue;
    }
    if (code === OPEN_BRACE || code === OPEN_BRACKET) depth += 1;
    else if (code === CLOSE_BRACE || code === CLOSE_BRACKET) depth -= 1;
    at += 1;
    if (depth === 0) return at;
  }
}
