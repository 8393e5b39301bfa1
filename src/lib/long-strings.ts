import { isObject, type Json, type JsonObject, parseJson } from './json.ts';

/** Characters. Shorter strings are not worth the while. */
const LONG = 64 * 1024;

const BACKSLASH = 0x5c;
const COLON = 0x3a;
const SPACE = 0x20;

/** What a string of JSON holds that is written otherwise than it reads, or takes more than a byte a character. */
const NOT_PLAIN = /[^ !#-[\]-~]/;
const NOT_ASCII = /[^\0-\x7f]/g;

type Members = Readonly<Record<string, Json | undefined>>;

/**
 * JSON of megabytes, such as a chat with pictures in base64, whose long strings stand apart: each is copied once out of the bytes,
 * once into what is sent, and one character elsewhere that takes two bytes does not make all of them take two.
 * In `text` a mark stands in their place, which only this object knows.
 */
export class LongStrings {
  /** The JSON but for them. */
  readonly text: string;
  readonly #mark = `${crypto.randomUUID()}:`;
  readonly #strings: string[] = [];

  /** `bytes`: JSON in UTF-8, a character for each byte. */
  constructor(bytes: string) {
    this.text = this.#cut(bytes);
  }

  /** How many there are. */
  get count(): number {
    return this.#strings.length;
  }

  /** What all of it parses to; undefined when it is not JSON. */
  json(): Json | undefined {
    const parsed = parseJson(this.text);
    const all = { parsed: parsed as Json };
    const rest: Json[] = [all];
    for (let next = rest.pop(); next !== undefined; next = rest.pop()) {
      if (typeof next !== 'object' || next === null) continue;
      const members = next as { [name: string]: Json };
      for (const [name, member] of Object.entries(members)) {
        if (typeof member === 'object') rest.push(member);
        else if (typeof member === 'string' && member.startsWith(this.#mark)) members[name] = this.#stringOf(member);
      }
    }
    return all.parsed;
  }

  /** The members with marks for the long strings in them, those of this JSON or parts of them. */
  marked(members: Members): Members {
    return Object.fromEntries(Object.entries(members).map(([name, member]) => [name, this.#marked(member)]));
  }

  /** JSON text, such as `text`, with the strings in the place of their marks. */
  whole(text: string): string {
    const [first = '', ...rest] = text.split(this.#mark);
    return rest.reduce((all, part) => {
      const end = part.indexOf(':');
      return all + this.#strings[Number(part.slice(0, end))] + part.slice(end + 1);
    }, first);
  }

  /** The same in ASCII, whose bytes are sent as they lie in memory. */
  wholeInAscii(text: string): string {
    const escaped = text.replace(NOT_ASCII, unit => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
    return this.whole(Buffer.from(escaped, 'latin1').toString('latin1'));
  }

  #marked(value: Json | undefined): Json | undefined {
    if (typeof value === 'string') return value.length < LONG || NOT_PLAIN.test(value) ? value : this.#markOf(value);
    if (Array.isArray(value)) return value.map(each => this.#marked(each) ?? null);
    return isObject(value) ? (this.marked(value) as JsonObject) : value;
  }

  #cut(bytes: string): string {
    let text = '';
    let copied = 0;
    for (let start = bytes.indexOf('"'); start !== -1; start = bytes.indexOf('"', start + 1)) {
      const end = endOfString(bytes, start);
      if (end - start > LONG && !isKey(bytes, end)) {
        // No copy: it lies where the bytes lie.
        const value = bytes.slice(start + 1, end);
        if (!NOT_PLAIN.test(value)) {
          text += decoded(bytes.slice(copied, start + 1)) + this.#markOf(value);
          copied = end;
        }
      }
      start = end;
    }
    return text + decoded(bytes.slice(copied));
  }

  #markOf(value: string): string {
    this.#strings.push(value);
    return `${this.#mark}${this.#strings.length - 1}:`;
  }

  #stringOf(mark: string): string {
    return this.#strings[Number(mark.slice(this.#mark.length, -1))] ?? '';
  }
}

const decoded = (bytes: string): string => Buffer.from(bytes, 'latin1').toString();

/** Where the string that starts at `from` has its closing quote; the end of the bytes when it has none. */
function endOfString(bytes: string, from: number): number {
  for (let at = bytes.indexOf('"', from + 1); at !== -1; at = bytes.indexOf('"', at + 1)) {
    let backslashes = 0;
    while (bytes.charCodeAt(at - 1 - backslashes) === BACKSLASH) backslashes += 1;
    if (backslashes % 2 === 0) return at;
  }
  return bytes.length;
}

function isKey(bytes: string, end: number): boolean {
  let at = end + 1;
  while (bytes.charCodeAt(at) <= SPACE) at += 1;
  return bytes.charCodeAt(at) === COLON;
}
