/** A reader of a pattern: where it stands, and how it complains. */
export class PatternReader {
  position = 0;
  readonly pattern: string;

  constructor(pattern: string) {
    this.pattern = pattern;
  }

  get done(): boolean {
    return this.position >= this.pattern.length;
  }

  /** The next character, a whole code point, without taking it; empty at the end. */
  get next(): string {
    const codePoint = this.pattern.codePointAt(this.position);
    return codePoint === undefined ? '' : String.fromCodePoint(codePoint);
  }

  take(): string {
    const character = this.next;
    this.position += character.length;
    return character;
  }

  /** Takes `text` if it stands here. */
  accept(text: string): boolean {
    if (!this.pattern.startsWith(text, this.position)) return false;
    this.position += text.length;
    return true;
  }

  /** Takes what a sticky expression matches here. */
  match(expression: RegExp): RegExpExecArray | null {
    expression.lastIndex = this.position;
    const found = expression.exec(this.pattern);
    if (found !== null) this.position += found[0].length;
    return found;
  }

  /** Takes all up to `end`, and `end`. */
  until(end: string, construct: string, start: number): string {
    const stop = this.pattern.indexOf(end, this.position);
    if (stop < 0) throw this.error(`${construct} is not closed`, start);
    const text = this.pattern.slice(this.position, stop);
    this.position = stop + end.length;
    return text;
  }

  error(problem: string, position = this.position): Error {
    return new Error(`invalid regular expression '${this.pattern}': ${problem} at position ${position + 1}`);
  }
}

/** A character that means itself, outside of a class and within. */
export function literal(codePoint: number): string {
  const character = String.fromCodePoint(codePoint);
  return /^[A-Za-z0-9_]$/.test(character) || codePoint > 0xff ? character : `\\x${codePoint.toString(16).padStart(2, '0')}`;
}

/** Sets of characters, as members of a class. PCRE's own, without PCRE_UCP: `\s`, unlike JavaScript's, is ASCII. */
const SPACE = '\\t\\n\\v\\f\\r\\x20';
const HORIZONTAL = '\\t\\x20\\xa0\\u1680\\u180e\\u2000-\\u200a\\u202f\\u205f\\u3000';
const VERTICAL = '\\n\\v\\f\\r\\x85\\u2028\\u2029';

const SETS: Readonly<Record<string, string>> = {
  d: '0-9',
  D: '[^0-9]',
  w: '0-9A-Z_a-z',
  W: '[^0-9A-Z_a-z]',
  s: SPACE,
  S: `[^${SPACE}]`,
  h: HORIZONTAL,
  H: `[^${HORIZONTAL}]`,
  v: VERTICAL,
  V: `[^${VERTICAL}]`,
};

/** `\R`: a line end of any kind. */
export const LINE_END = `\\r\\n|[${VERTICAL}]`;

const POSIX: Readonly<Record<string, string>> = {
  alnum: '0-9A-Za-z',
  alpha: 'A-Za-z',
  ascii: '\\x00-\\x7f',
  blank: '\\t\\x20',
  cntrl: '\\x00-\\x1f\\x7f',
  digit: '0-9',
  graph: '\\x21-\\x7e',
  lower: 'a-z',
  print: '\\x20-\\x7e',
  punct: '\\x21-\\x2f\\x3a-\\x40\\x5b-\\x60\\x7b-\\x7e',
  space: SPACE,
  upper: 'A-Z',
  word: '0-9A-Z_a-z',
  xdigit: '0-9A-Fa-f',
};

const CONTROLS: Readonly<Record<string, number>> = { a: 7, e: 27, f: 12, n: 10, r: 13, t: 9 };

/** What an escape stands for, in a class or outside: one character, or members of a class. Null: neither. */
export type Escape = { readonly codePoint: number } | { readonly set: string };

/** Reads the escape after a backslash that stands at `start`. */
export function readEscape(reader: PatternReader, start: number): Escape | null {
  const letter = reader.next;
  if (letter === '') throw reader.error('backslash without a character after it', start);
  if (!/[A-Za-z0-9]/.test(letter)) return { codePoint: reader.take().codePointAt(0) ?? 0 };
  const set = SETS[letter];
  const control = CONTROLS[letter];
  if (set !== undefined || control !== undefined) reader.take();
  if (set !== undefined) return { set };
  if (control !== undefined) return { codePoint: control };

  const hexadecimal = reader.match(/x(?:\{([0-9A-Fa-f]{1,6})\}|([0-9A-Fa-f]{0,2}))/y);
  if (hexadecimal) return character(reader, Number.parseInt(hexadecimal[1] ?? (hexadecimal[2] || '0'), 16), start);
  const octal = reader.match(/(0[0-7]{0,2})|o\{([0-7]{1,7})\}/y);
  if (octal) return character(reader, Number.parseInt(octal[1] ?? octal[2] ?? '', 8), start);
  const controlled = reader.match(/c([\x21-\x7e])/y);
  if (controlled?.[1]) return { codePoint: controlled[1].toUpperCase().charCodeAt(0) ^ 0x40 };
  const property = reader.match(/([pP])(?:\{(\^?)([A-Za-z_&]+)\}|([A-Z]))/y);
  if (property) {
    const negated = (property[1] === 'P') !== (property[2] === '^');
    return { set: propertySet(reader, property[3] ?? property[4] ?? '', negated, start) };
  }
  return null;
}

function character(reader: PatternReader, codePoint: number, start: number): Escape {
  if (codePoint > 0x10ffff) throw reader.error('character code past U+10FFFF', start);
  return { codePoint };
}

/** PCRE names categories and scripts alike; JavaScript wants to know which. */
function propertySet(reader: PatternReader, name: string, negated: boolean, start: number): string {
  for (const property of [name === 'L&' ? 'LC' : name, `Script=${name}`]) {
    const set = `\\${negated ? 'P' : 'p'}{${property}}`;
    try {
      new RegExp(set, 'v');
      return set;
    } catch {
      // Not a category: perhaps a script.
    }
  }
  throw reader.error(`\\p{${name}} is not supported`, start);
}

/** Reads a class whose `[` stands at `start` and is taken. */
export function readClass(reader: PatternReader, start: number): string {
  const negation = reader.accept('^') ? '^' : '';
  const members: string[] = [];
  let first = true;
  while (first || reader.next !== ']') {
    if (reader.done) throw reader.error('character class is not closed', start);
    first = false;
    const at = reader.position;
    if (reader.accept('\\E')) continue;
    if (reader.accept('\\Q')) {
      for (const quoted of reader.until('\\E', '\\Q in a character class', at)) members.push(literal(quoted.codePointAt(0) ?? 0));
      continue;
    }
    const low = readMember(reader);
    if ('set' in low) {
      members.push(low.set);
      continue;
    }
    const high = reader.match(/-(?![\]\\]|\[[:.=])/y) || reader.match(/-(?=\\[^dDwWsShHvVpPQE])/y) ? readMember(reader) : null;
    if (high === null) members.push(literal(low.codePoint));
    else if ('set' in high) members.push(literal(low.codePoint), '\\-', high.set);
    else if (high.codePoint < low.codePoint) throw reader.error('range out of order in character class', at);
    else members.push(`${literal(low.codePoint)}-${literal(high.codePoint)}`);
  }
  reader.take();
  return `[${negation}${members.join('')}]`;
}

function readMember(reader: PatternReader): Escape {
  const start = reader.position;
  const posix = reader.match(/\[:(\^?)([a-z]+):\]/y);
  if (posix) {
    const set = POSIX[posix[2] ?? ''];
    if (set === undefined) throw reader.error(`unknown class ${posix[0]}`, start);
    return { set: posix[1] ? `[^${set}]` : set };
  }
  if (reader.match(/\[([.=]).*?\1\]/y)) throw reader.error('POSIX collating element is not supported', start);
  if (!reader.accept('\\')) return { codePoint: reader.take().codePointAt(0) ?? 0 };
  if (reader.accept('b')) return { codePoint: 8 };
  const octal = reader.match(/[1-7][0-7]{0,2}/y);
  if (octal) return { codePoint: Number.parseInt(octal[0], 8) };
  const escaped = readEscape(reader, start);
  if (escaped === null) throw reader.error(`\\${reader.next} in a character class is not supported`, start);
  return escaped;
}
