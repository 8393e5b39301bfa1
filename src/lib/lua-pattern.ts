const CLASSES: Readonly<Record<string, string>> = {
  a: 'A-Za-z',
  c: '\\x00-\\x1f\\x7f',
  d: '0-9',
  g: '\\x21-\\x7e',
  l: 'a-z',
  p: '!-/:-@\\[-`{-~',
  s: '\\s',
  u: 'A-Z',
  w: 'A-Za-z0-9',
  x: 'A-Fa-f0-9',
};

/** The RegExp that matches what a Lua pattern matches. Captures are kept; `%b` and `%f` are not known here. Source: Lua 5.1 manual, 5.4.1. */
export function luaPattern(pattern: string): RegExp {
  let source = '';
  let inSet = false;
  for (let at = 0; at < pattern.length; at++) {
    const character = pattern.charAt(at);
    if (character === '%') source += escaped(pattern.charAt(++at), inSet);
    else if (inSet) {
      if (character === ']') inSet = false;
      source += character === '[' || character === '\\' ? `\\${character}` : character;
    } else if (character === '[') {
      inSet = true;
      source += character;
      if (pattern.charAt(at + 1) === '^') source += pattern.charAt(++at);
      // A bracket that comes first in a set stands for itself.
      if (pattern.charAt(at + 1) === ']') source += `\\${pattern.charAt(++at)}`;
    } else source += special(character, at, pattern.length);
  }
  return new RegExp(source, 's');
}

function escaped(character: string, inSet: boolean): string {
  const members = CLASSES[character.toLowerCase()];
  if (members === undefined) return /[a-z0-9]/i.test(character) ? refuse(character) : `\\${character}`;
  if (character === character.toLowerCase()) return inSet ? members : `[${members}]`;
  return inSet ? refuse(character) : `[^${members}]`;
}

function refuse(character: string): never {
  throw new Error(`Lua pattern item '%${character}' is not supported here`);
}

/** Outside of a set: `-` repeats lazily, `^` and `$` anchor only at the ends, and what only RegExp finds special is escaped. */
function special(character: string, at: number, length: number): string {
  if (character === '-') return '*?';
  if (character === '^') return at === 0 ? '^' : '\\^';
  if (character === '$') return at === length - 1 ? '$' : '\\$';
  return /[{}|\\/]/.test(character) ? `\\${character}` : character;
}
