const CLASSES: Readonly<Record<string, string>> = {
  a: 'A-Za-z',
  c: '\\x00-\\x1f\\x7f',
  d: '0-9',
  l: 'a-z',
  p: '!-/:-@\\[-`{-~',
  s: '\\t-\\r ',
  u: 'A-Z',
  w: 'A-Za-z0-9',
  x: 'A-Fa-f0-9',
};
const QUANTIFIERS: Readonly<Record<string, string>> = { '*': '*', '+': '+', '?': '?', '-': '*?' };

/**
 * The RegExp that matches what a Lua pattern matches, character for byte. Source: Lua 5.1 manual, 5.4.1.
 * Throws an Error for `%b` and back references, which no schema of Kong's has.
 */
export function luaPattern(pattern: string): RegExp {
  let source = '';
  /** Whether what stands before can be repeated: a character or a class, but no group and no end of the text. */
  let isItem = false;
  for (let at = 0; at < pattern.length; ) {
    const character = pattern.charAt(at);
    const quantifier: string | undefined = isItem ? QUANTIFIERS[character] : undefined;
    isItem = quantifier === undefined && !isAnchor(pattern, at) && character !== '(' && character !== ')';
    const [part, length] = quantifier === undefined ? partAt(pattern, at) : [quantifier, 1];
    source += part;
    at += length;
  }
  return new RegExp(source, 's');
}

/** `^` and `$` are themselves anywhere but at the ends. */
function isAnchor(pattern: string, at: number): boolean {
  const character = pattern.charAt(at);
  return (character === '^' && at === 0) || (character === '$' && at === pattern.length - 1);
}

/** One item as RegExp writes it, and how many characters of the pattern it takes. */
function partAt(pattern: string, at: number): [part: string, length: number] {
  const character = pattern.charAt(at);
  if (character === '%') return [classAt(pattern, at + 1) ?? literal(pattern.charAt(at + 1)), 2];
  if (character === '[') return setAt(pattern, at);
  if (isAnchor(pattern, at) || character === '(' || character === ')' || character === '.') return [character, 1];
  return [literal(character), 1];
}

/** `%a` and its like as a set; undefined when the letter stands for itself. */
function classAt(pattern: string, at: number): string | undefined {
  const letter = pattern.charAt(at);
  const members = CLASSES[letter.toLowerCase()];
  if (members === undefined && /^[A-Za-z0-9]?$/.test(letter)) throw new Error(`'%${letter}' of a Lua pattern is not supported: ${pattern}`);
  return members && (letter === letter.toLowerCase() ? `[${members}]` : `[^${members}]`);
}

/** `[…]`; a bracket that comes first in it stands for itself. */
function setAt(pattern: string, start: number): [part: string, length: number] {
  let at = start + 1;
  let part = '[';
  if (pattern.charAt(at) === '^') part += pattern.charAt(at++);
  const first = at;
  for (; at === first || pattern.charAt(at) !== ']'; at++) {
    if (at >= pattern.length) throw new Error(`a set of a Lua pattern is not closed: ${pattern}`);
    const character = pattern.charAt(at);
    if (character !== '%') part += character === '-' ? character : literal(character);
    else part += inSet(pattern, ++at);
  }
  return [`${part}]`, at + 1 - start];
}

function inSet(pattern: string, at: number): string {
  const members = classAt(pattern, at);
  if (members?.startsWith('[^')) throw new Error(`'%${pattern.charAt(at)}' in a set of a Lua pattern is not supported: ${pattern}`);
  return members ? members.slice(1, -1) : literal(pattern.charAt(at));
}

const literal = (character: string) => character.replace(/[\\^$.*+?()[\]{}|/-]/, '\\$&');
