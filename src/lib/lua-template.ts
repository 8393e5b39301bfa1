/** What a table holds under a key; undefined: nothing. */
export type Lookup = (table: string, key: string) => string | undefined;
/** A text that is the same for all, or is filled in. */
export type LuaTemplate = string | ((lookup: Lookup) => string);

export const render = (template: LuaTemplate, lookup: Lookup): string => (typeof template === 'string' ? template : template(lookup));

/**
 * Text in which `$(expression)` stands for a value, in the language of Kong's templates, which is Lua: what a table holds under a key
 * (`headers.host`, `headers['x-id']`, `uri_captures[1]`), strings and numbers, `or`, `and`, `not`, `..`, `==`, `~=` and parentheses.
 * A value that is not there is an empty text. Throws an Error for other Lua, and for tables that are none of `tables`.
 */
export function compileLuaTemplate(text: string, tables: readonly string[]): LuaTemplate {
  const parts: (string | Expression)[] = [];
  let copied = 0;
  for (let at = text.indexOf('$('); at !== -1; at = text.indexOf('$(', copied)) {
    const end = closingParenthesis(text, at + 1);
    if (end === -1) break;
    parts.push(text.slice(copied, at), new Parser(text.slice(at + 2, end), tables).parse());
    copied = end + 1;
  }
  if (parts.length === 0) return text;
  parts.push(text.slice(copied));
  return lookup => parts.map(part => (typeof part === 'string' ? part : textOf(part(lookup)))).join('');
}

function closingParenthesis(text: string, open: number): number {
  let depth = 0;
  for (let at = open; at < text.length; at++) {
    if (text[at] === '(') depth++;
    if (text[at] === ')' && --depth === 0) return at;
  }
  return -1;
}

type Value = string | number | boolean | undefined;
type Expression = (lookup: Lookup) => Value;

const textOf = (value: Value) => (value === undefined || value === false ? '' : String(value));
const isTrue = (value: Value) => value !== undefined && value !== false;

const TOKEN = /\s*(?:(\.\.|==|~=|[()[\].])|('(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")|(\d+(?:\.\d+)?)|([A-Za-z_]\w*))/y;
const ESCAPES: Readonly<Record<string, string>> = { n: '\n', t: '\t', r: '\r' };

class Parser {
  private readonly source: string;
  private readonly tables: readonly string[];
  private readonly tokens: string[] = [];
  private at = 0;

  constructor(source: string, tables: readonly string[]) {
    this.source = source;
    this.tables = tables;
    TOKEN.lastIndex = 0;
    const end = source.trimEnd().length;
    while (TOKEN.lastIndex < end) {
      const match = TOKEN.exec(source);
      if (match === null) throw this.refusal();
      this.tokens.push(match[0].trimStart());
    }
  }

  parse(): Expression {
    const expression = this.or();
    if (this.at < this.tokens.length) throw this.refusal();
    return expression;
  }

  private or(): Expression {
    return this.operators(['or'], () => this.and());
  }

  private and(): Expression {
    return this.operators(['and'], () => this.comparison());
  }

  private comparison(): Expression {
    return this.operators(['==', '~='], () => this.concatenation());
  }

  private concatenation(): Expression {
    return this.operators(['..'], () => this.operand());
  }

  private operators(words: readonly string[], operand: () => Expression): Expression {
    let left = operand();
    for (let word = this.peek(); word !== undefined && words.includes(word); word = this.peek()) {
      this.at++;
      left = combine(word, left, operand());
    }
    return left;
  }

  private operand(): Expression {
    const token = this.take();
    if (token === 'not') return negate(this.operand());
    if (token === '(') {
      const inner = this.or();
      this.expect(')');
      return inner;
    }
    if (token === 'nil') return () => undefined;
    if (token === 'true' || token === 'false') return () => token === 'true';
    if (/^["']/.test(token)) return constant(unquoted(token));
    if (/^\d/.test(token)) return constant(Number(token));
    return this.member(token);
  }

  private member(table: string): Expression {
    if (!this.tables.includes(table)) throw this.refusal();
    const key = this.take() === '.' ? this.name() : this.bracketed();
    return lookup => lookup(table, key);
  }

  private name(): string {
    const name = this.take();
    if (!/^[A-Za-z_]/.test(name)) throw this.refusal();
    return name;
  }

  private bracketed(): string {
    if (this.tokens[this.at - 1] !== '[') throw this.refusal();
    const token = this.take();
    if (!/^["'\d]/.test(token)) throw this.refusal();
    this.expect(']');
    return /^\d/.test(token) ? token : unquoted(token);
  }

  private peek(): string | undefined {
    return this.tokens[this.at];
  }

  private take(): string {
    const token = this.tokens[this.at++];
    if (token === undefined) throw this.refusal();
    return token;
  }

  private expect(token: string): void {
    if (this.take() !== token) throw this.refusal();
  }

  private refusal(): Error {
    return new Error(
      `this gateway runs no Lua: '${this.source}' may read ${this.tables.join(', ')} by a key, and join strings by 'or', 'and', 'not', '..', '==', '~='`,
    );
  }
}

const constant = (value: Value) => () => value;
const negate = (operand: Expression) => (lookup: Lookup) => !isTrue(operand(lookup));
const unquoted = (token: string) => token.slice(1, -1).replaceAll(/\\(.)/g, (_, letter: string) => ESCAPES[letter] ?? letter);

function combine(word: string, left: Expression, right: Expression): Expression {
  switch (word) {
    case 'or':
      return lookup => {
        const value = left(lookup);
        return isTrue(value) ? value : right(lookup);
      };
    case 'and':
      return lookup => {
        const value = left(lookup);
        return isTrue(value) ? right(lookup) : value;
      };
    case '==':
      return lookup => left(lookup) === right(lookup);
    case '~=':
      return lookup => left(lookup) !== right(lookup);
    default:
      return lookup => joined(left(lookup), right(lookup));
  }
}

function joined(left: Value, right: Value): string {
  const missing = [left, right].find(value => value === undefined || typeof value === 'boolean');
  if (missing !== undefined || left === undefined || right === undefined) throw new Error('attempt to concatenate a value that is no text');
  return `${left}${right}`;
}
