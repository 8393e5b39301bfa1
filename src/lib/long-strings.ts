import { isObject, type Json, type JsonObject, parseJson } from './json.ts';
import { quoteAfter, quoteBefore } from './json-quotes.ts';

/** Characters. Shorter strings are not worth the while. */
const LONG = 2048;

const QUOTE = 0x22;
const SPACE = 0x20;

const NOT_ASCII = /[^\0-\x7f]/g;

const CONTROLS = '\\0-\\x1f';
/** What ends a string of JSON, or is written otherwise than it reads. Named one by one, and not by what they are not, they are searched for fastest. */
const SPECIAL = new RegExp(`[${CONTROLS}"\\\\]`);
const CONTROL = new RegExp(`[${CONTROLS}]`);
const WRONG_ESCAPE = /\\(?:[^"\\/bfnrtu]|u(?![\da-fA-F]{4}))/;

type Members = Readonly<Record<string, Json | undefined>>;

/**
 * JSON whose long strings stand apart, such as a chat with pictures in base64: they are looked at, but not made values of unless
 * somebody reads them. In `text` a mark stands in their place, which only this object knows.
 */
export class LongStrings {
  /** The JSON but for them. */
  readonly text: string;
  readonly #mark = `${crypto.randomUUID()}:`;
  /** As they are written, without their quotes. */
  #strings: string[] = [];
  /** All of the JSON, where it is text. */
  readonly #source: string | null;
  /** What `text` parses to, for who asks first. */
  #parsed: Json | undefined;

  private constructor(json: string, encoding: Encoding) {
    this.#source = encoding === TEXT ? json : null;
    let text = this.#cut(json, encoding);
    if (this.count > 0) {
      this.#parsed = parseJson(text);
      // It is no JSON, or what was cut out of it no string.
      if (this.#parsed === undefined) {
        this.#strings = [];
        text = encoding.decode(json);
      }
    }
    this.text = text;
  }

  /** Those of JSON that is there as text. */
  static ofText(text: string): LongStrings {
    return new LongStrings(text, TEXT);
  }

  /**
   * Those of JSON in UTF-8, a character for each byte: megabytes are copied once out of these, once into what is sent, and one
   * character elsewhere that takes two bytes does not make all of them take two.
   */
  static ofBytes(bytes: string): LongStrings {
    return new LongStrings(bytes, BYTES);
  }

  /** How many there are. */
  get count(): number {
    return this.#strings.length;
  }

  /** What all of it parses to; undefined when it is not JSON. */
  json(): Json | undefined {
    const parsed = this.#parsed ?? parseJson(this.text);
    this.#parsed = undefined;
    if (parsed === undefined) return undefined;
    const all = { parsed };
    const rest: Json[] = [all];
    for (let next = rest.pop(); next !== undefined; next = rest.pop()) {
      if (typeof next !== 'object' || next === null) continue;
      const members = next as JsonObject;
      for (const name in members) {
        const member = members[name];
        if (typeof member === 'object') rest.push(member);
        else if (typeof member === 'string' && member.startsWith(this.#mark)) putString(members, name, this.#stringOf(member));
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
    if (text === this.text && this.#source !== null) return this.#source;
    const [first = '', ...rest] = text.split(this.#mark);
    return rest.reduce((all, part) => {
      const end = part.indexOf(':');
      return all + this.#strings[Number(part.slice(0, end))] + part.slice(end + 1);
    }, first);
  }

  /** The same to be sent: of megabytes in ASCII, which is sent as it lies in memory. */
  wholeToSend(text: string): string {
    if (this.#source !== null) return this.whole(text);
    const escaped = text.replace(NOT_ASCII, unit => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
    return this.whole(Buffer.from(escaped, 'latin1').toString('latin1'));
  }

  #marked(value: Json | undefined): Json | undefined {
    if (typeof value === 'string') return value.length < LONG || SPECIAL.test(value) || !isAscii(value) ? value : this.#markOf(value);
    if (Array.isArray(value)) return value.map(each => this.#marked(each) ?? null);
    return isObject(value) ? (this.marked(value) as JsonObject) : value;
  }

  /** Strings of twice `LONG` are surely found, by looking at every so many characters alone. */
  #cut(json: string, { mayStandApart, decode }: Encoding): string {
    let text = '';
    let copied = 0;
    for (let at = LONG; at < json.length; at += LONG) {
      const special = specialAfter(json, at);
      const end = json.charCodeAt(special) < SPACE ? special : quoteAfter(json, special);
      if (end - at < LONG) continue;
      const start = quoteBefore(json, at);
      const written = json.slice(start + 1, end);
      const isPlain = end === special && !SPECIAL.test(json.slice(start + 1, at));
      if (isValue(json, start, end) && mayStandApart(written, isPlain)) {
        text += decode(json.slice(copied, start + 1)) + this.#markOf(written);
        copied = end;
      }
      at = end;
    }
    return text + decode(json.slice(copied));
  }

  #markOf(value: string): string {
    this.#strings.push(value);
    return `${this.#mark}${this.#strings.length - 1}:`;
  }

  #stringOf(mark: string): string {
    return this.#strings[Number(mark.slice(this.#mark.length, -1))] ?? '';
  }
}

interface Encoding {
  /** Whether a string is surely one of JSON, and may be sent as it is written. A plain one has nothing special in it. */
  mayStandApart(written: string, isPlain: boolean): boolean;
  decode(json: string): string;
}

const BYTES: Encoding = {
  mayStandApart: (written, isPlain) => isPlain && isAscii(written),
  decode: bytes => Buffer.from(bytes, 'latin1').toString(),
};

const TEXT: Encoding = {
  mayStandApart: (written, isPlain) => isPlain || !(CONTROL.test(written) || hasWrongEscape(written)),
  decode: text => text,
};

/** Of text that takes a byte a character in memory, this is counted many bytes at once. */
const isAscii = (text: string): boolean => Buffer.byteLength(text) === text.length;

/** A backslash that is itself escaped escapes nothing: seldom is there one that looks as if, and a second look costs a copy. */
const hasWrongEscape = (written: string): boolean => WRONG_ESCAPE.test(written) && WRONG_ESCAPE.test(written.replaceAll('\\\\', '--'));

/** What a member with escapes reads is found out when somebody asks; an element of a list must be there. */
function putString(members: JsonObject, name: string, written: string): void {
  const property = { configurable: true, enumerable: true };
  const set = (value: string) => {
    Object.defineProperty(members, name, { ...property, value, writable: true });
    return value;
  };
  const read = () => set(JSON.parse(`"${written}"`));
  if (!written.includes('\\')) set(written);
  else if (Array.isArray(members)) read();
  else Object.defineProperty(members, name, { ...property, get: read, set });
}

/** Where the next character is that is special in a string; the end of the JSON when there is none. No copy is made: a slice lies where all of it lies. */
function specialAfter(json: string, from: number): number {
  const distance = json.slice(from).search(SPECIAL);
  return distance === -1 ? json.length : from + distance;
}

/** Whether what lies between two quotes looks like a string, and like no key: text between two strings, such as a long list of numbers, does not. */
function isValue(json: string, start: number, end: number): boolean {
  if (start === -1 || json.charCodeAt(end) !== QUOTE) return false;
  let before = start - 1;
  while (json.charCodeAt(before) <= SPACE) before -= 1;
  let after = end + 1;
  while (json.charCodeAt(after) <= SPACE) after += 1;
  return ':,['.includes(json.charAt(before)) && ',]}'.includes(json.charAt(after));
}
