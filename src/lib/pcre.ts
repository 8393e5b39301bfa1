import { LINE_END, literal, PatternReader, readClass, readEscape } from './pcre-escape.ts';

/** A pair of parentheses that catches. Its number in the translation is known only at the end: groups may be added before it. */
interface Group {
  readonly name: string | null;
  number: number;
  /** Still open: a reference to it would come before it was caught. */
  open: boolean;
  /** Perhaps it caught nothing: PCRE fails a reference to it, where JavaScript would match the empty text. */
  optional: boolean;
}

interface Flags {
  readonly i: boolean;
  readonly m: boolean;
  readonly s: boolean;
  readonly x: boolean;
  readonly U: boolean;
}

/** A level of parentheses, the pattern itself being the outermost. */
interface Level {
  readonly position: number;
  /** Where its translation begins. */
  readonly start: number;
  readonly kind: 'plain' | 'assertion' | 'refusal' | 'atomic';
  readonly group: Group | null;
  /** How many groups were known when it began. */
  readonly groupsBefore: number;
  readonly outerFlags: Flags;
  alternatives: boolean;
  /** A `(?i)` that holds until the level ends. */
  modifier: string;
}

type Token = string | { readonly opens: Group } | { readonly repeats: Group };

export interface Translation {
  /** For a RegExp with flag `v`. */
  readonly source: string;
  /** The translation's number of each of PCRE's groups, 0 for the whole match. */
  readonly groups: readonly number[];
  /** The pattern as a whole is a choice: `a|b`. */
  readonly isChoice: boolean;
}

/** Rewrites a PCRE pattern for JavaScript; throws for what it cannot express. */
export const translatePcre = (pattern: string): Translation => new Translator(pattern).translate();

/** In parentheses of their own: with flag `v` JavaScript repeats no bare assertion. */
const ASSERTIONS: Readonly<Record<string, string>> = {
  A: '(?:^)',
  z: '(?:$)',
  Z: '(?:(?=\\n?$))',
  b: '(?:\\b)',
  B: '(?:\\B)',
};
const MOST_REPETITIONS = 65_535;
const UNSUPPORTED_GROUPS: readonly (readonly [RegExp, string])[] = [
  [/\(\*/y, 'verb (*…)'],
  [/\(\?\(/y, 'conditional group (?(…)…)'],
  [/\(\?\|/y, 'branch reset group (?|…)'],
  [/\(\?(?:R|[+-]?\d|&|P>)/y, 'recursion'],
  [/\(\?C/y, 'callout (?C)'],
];

class Translator {
  private readonly reader: PatternReader;
  private readonly tokens: Token[] = [];
  private readonly groups: Group[] = [];
  private readonly levels: Level[] = [];
  private flags: Flags = { i: false, m: false, s: false, x: false, U: false };
  /** Where the translation of what a quantifier would repeat begins; null when there is nothing to repeat. */
  private item: number | null = null;
  private itemGroups = 0;

  constructor(pattern: string) {
    this.reader = new PatternReader(pattern);
  }

  translate(): Translation {
    this.open('plain', '', null, 0);
    while (!this.reader.done) this.readItem();
    const unclosed = this.levels.at(-1);
    if (this.levels.length > 1 && unclosed) throw this.reader.error('group is not closed', unclosed.position);
    this.tokens.push(this.endModifier());
    return this.render();
  }

  private readItem(): void {
    const { reader } = this;
    const start = reader.position;
    if (this.flags.x && reader.match(/\s+|#[^\n]*\n?/y)) return;
    if (reader.match(/\(\?#/y)) {
      reader.until(')', 'comment', start);
      return;
    }
    if (this.readQuantifier(start)) return;
    if (reader.next === '(') this.openGroup(start);
    else if (reader.accept(')')) this.closeGroup(start);
    else if (reader.accept('|')) this.alternative();
    else if (reader.accept('[')) this.add(readClass(reader, start));
    else if (reader.accept('\\')) this.readEscaped(start);
    else if (reader.accept('.')) this.add(this.flags.s ? '[^]' : '[^\\n]');
    else if (reader.accept('^')) this.add(this.flags.m ? '(?:^|(?<=\\n)(?!$))' : '(?:^)');
    else if (reader.accept('$')) this.add(this.flags.m ? '(?:(?=\\n|$))' : '(?:(?=\\n?$))');
    else this.add(literal(reader.take().codePointAt(0) ?? 0));
  }

  private add(...tokens: Token[]): void {
    this.item = this.tokens.length;
    this.itemGroups = this.groups.length;
    this.tokens.push(...tokens);
  }

  private readQuantifier(start: number): boolean {
    const found = this.reader.match(/(?:([*+?])|\{(\d+)(,?)(\d*)\})([?+]?)/y);
    if (found === null) return false;
    if (this.item === null) throw this.reader.error('quantifier with nothing to repeat', start);
    const [, sign, low, comma, high, suffix] = found;
    const least = sign === undefined ? Number(low) : sign === '+' ? 1 : 0;
    const most = sign !== undefined ? Infinity : !comma ? least : high ? Number(high) : Infinity;
    if (least > MOST_REPETITIONS || (most > MOST_REPETITIONS && most !== Infinity))
      throw this.reader.error('number too big in quantifier', start);
    if (most < least) throw this.reader.error('numbers out of order in quantifier', start);
    const repetition = sign ?? `{${least}${most === least ? '' : `,${most === Infinity ? '' : most}`}}`;

    if (least === 0) for (const group of this.groups.slice(this.itemGroups)) group.optional = true;
    const lazy = suffix !== '+' && (suffix === '?') !== this.flags.U;
    this.tokens.splice(this.item, 0, '(?:');
    this.tokens.push(`${repetition}${lazy ? '?' : ''})`);
    if (suffix === '+') this.makeAtomic(this.item);
    return true;
  }

  /** What was matched is not given back: a lookahead catches it at one go, a reference then takes it. */
  private makeAtomic(start: number): void {
    const caught: Group = { name: null, number: 0, open: false, optional: false };
    this.tokens.splice(start, 0, '(?:(?=', { opens: caught });
    this.tokens.push('))', { repeats: caught }, ')');
  }

  private openGroup(start: number): void {
    const { reader } = this;
    for (const [expression, construct] of UNSUPPORTED_GROUPS) {
      if (reader.match(expression)) throw reader.error(`${construct} is not supported`, start);
    }
    const assertion = reader.match(/\(\?(<?[=!])/y);
    const reference = assertion ?? reader.match(/\(\?P=(\w+)\)/y);
    const named = reference ?? reader.match(/\(\?(?:P?<([A-Za-z_]\w*)>|'([A-Za-z_]\w*)')/y);
    const flagged = named ?? reader.match(/\(\?([imsxU]*)(?:-([imsxU]*))?([:)])/y);
    if (assertion) this.open(assertion[1]?.endsWith('!') ? 'refusal' : 'assertion', assertion[0], null, start);
    else if (reference) this.refer(this.named(reference[1] ?? '', start), start);
    else if (named) this.openCatching(named[1] ?? named[2] ?? null, start);
    else if (flagged) this.openFlagged(flagged[1] ?? '', flagged[2] ?? '', flagged[3] === ':', start);
    else if (reader.accept('(?>')) this.open('atomic', '(?:', null, start);
    else if (reader.accept('(?')) throw reader.error(`group (?${reader.next} is not supported`, start);
    else if (reader.accept('(')) this.openCatching(null, start);
  }

  private openCatching(name: string | null, start: number): void {
    if (name !== null && this.groups.some(group => group.name === name)) throw this.reader.error(`two groups named ${name}`, start);
    const group: Group = { name, number: 0, open: true, optional: false };
    this.open('plain', { opens: group }, group, start);
  }

  private openFlagged(on: string, off: string, scoped: boolean, start: number): void {
    const before = this.flags;
    const set = (flag: keyof Flags) => (off.includes(flag) ? false : on.includes(flag) || before[flag]);
    const flags: Flags = { i: set('i'), m: set('m'), s: set('s'), x: set('x'), U: set('U') };
    const modifier = flags.i === before.i ? '(?:' : flags.i ? '(?i:' : '(?-i:';
    if (scoped) {
      this.open('plain', modifier, null, start);
    } else if (modifier !== '(?:') {
      const level = this.level();
      this.tokens.push(this.endModifier(), flags.i === level.outerFlags.i ? '' : modifier);
      level.modifier = flags.i === level.outerFlags.i ? '' : modifier;
      this.item = null;
    }
    this.flags = flags;
  }

  private open(kind: Level['kind'], token: Token, group: Group | null, position: number): void {
    const start = this.tokens.length;
    const groupsBefore = this.groups.length;
    this.levels.push({ position, start, kind, group, groupsBefore, outerFlags: this.flags, alternatives: false, modifier: '' });
    if (group !== null) this.groups.push(group);
    this.tokens.push(token);
    this.item = null;
  }

  private closeGroup(position: number): void {
    if (this.levels.length === 1) throw this.reader.error('unmatched closing parenthesis', position);
    const level = this.level();
    this.tokens.push(this.endModifier(), ')');
    this.levels.pop();
    this.flags = level.outerFlags;
    const within = this.groups.slice(level.groupsBefore + (level.group === null ? 0 : 1));
    if (level.alternatives || level.kind === 'refusal') for (const group of within) group.optional = true;
    if (level.group !== null) level.group.open = false;
    if (level.kind === 'assertion' || level.kind === 'refusal') {
      this.tokens.splice(level.start, 0, '(?:');
      this.tokens.push(')');
    }
    if (level.kind === 'atomic') this.makeAtomic(level.start);
    this.item = level.start;
    this.itemGroups = level.groupsBefore;
  }

  private alternative(): void {
    const level = this.level();
    level.alternatives = true;
    for (const group of this.groups.slice(level.groupsBefore)) if (group !== level.group) group.optional = true;
    const reopened = level.modifier;
    this.tokens.push(this.endModifier(), '|', reopened);
    level.modifier = reopened;
    this.item = null;
  }

  /** Ends what a `(?i)` began. */
  private endModifier(): string {
    const level = this.level();
    const ended = level.modifier === '' ? '' : ')';
    level.modifier = '';
    return ended;
  }

  private level(): Level {
    const level = this.levels.at(-1);
    if (level === undefined) throw new Error('the outermost level never closes');
    return level;
  }

  private readEscaped(start: number): void {
    const { reader } = this;
    if (reader.match(/g[<']/y)) throw reader.error('recursion is not supported', start);
    const reference =
      reader.match(/g(-?\d+)/y) ??
      reader.match(/[gk]\{(-?\w+)\}/y) ??
      reader.match(/k<(\w+)>/y) ??
      reader.match(/k'(\w+)'/y) ??
      reader.match(/([1-9]\d*)/y);
    if (reference) this.refer(this.named(reference[1] ?? '', start), start);
    else if (reader.accept('Q')) this.readQuoted();
    else if (reader.accept('R')) this.addLineEnd();
    else if (!reader.accept('E'))
      this.add(ASSERTIONS[reader.next] === undefined ? this.readCharacter(start) : (ASSERTIONS[reader.take()] ?? ''));
  }

  private readQuoted(): void {
    const { reader } = this;
    for (const character of reader.match(/([\s\S]*?)(?:\\E|$)/y)?.[1] ?? '') this.add(literal(character.codePointAt(0) ?? 0));
  }

  private addLineEnd(): void {
    this.add(`(?:${LINE_END})`);
    this.makeAtomic(this.tokens.length - 1);
  }

  private readCharacter(start: number): string {
    const { reader } = this;
    if (reader.match(/N(?!\{[^\d,])/y)) return '[^\\n]';
    const escaped = readEscape(reader, start);
    if (escaped === null) throw reader.error(`\\${reader.next} is not supported`, start);
    return 'set' in escaped ? `[${escaped.set}]` : literal(escaped.codePoint);
  }

  private named(reference: string, start: number): Group | undefined {
    if (!/^-?\d+$/.test(reference)) return this.groups.find(group => group.name === reference);
    const number = Number(reference);
    if (number >= 10 && number > this.groups.length)
      throw this.reader.error(`\\${reference} is ambiguous: write \\o{${reference}} or \\g{${reference}}`, start);
    return number > 0 ? this.groups[number - 1] : this.groups.at(number);
  }

  private refer(group: Group | undefined, start: number): void {
    if (group === undefined || group.open) throw this.reader.error('back reference to a group that is not complete before it', start);
    if (group.optional) throw this.reader.error('back reference to a group that may have caught nothing is not supported', start);
    this.add('(?:', { repeats: group }, ')');
  }

  /** Only now is it known how many groups come before each. */
  private render(): Translation {
    let opened = 0;
    for (const token of this.tokens) {
      if (typeof token === 'object' && 'opens' in token) token.opens.number = ++opened;
    }
    const parts = this.tokens.map(token => {
      if (typeof token === 'string') return token;
      if ('repeats' in token) return `\\${token.repeats.number}`;
      return token.opens.name === null ? '(' : `(?<${token.opens.name}>`;
    });
    return { source: parts.join(''), groups: [0, ...this.groups.map(group => group.number)], isChoice: this.level().alternatives };
  }
}
