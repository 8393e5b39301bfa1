import { translatePcre } from './pcre.ts';

export interface PcreOptions {
  /** The match must begin where the text begins. */
  readonly anchored?: boolean;
  readonly caseInsensitive?: boolean;
}

export interface Pcre {
  readonly regex: RegExp;
  /** Where the match holds PCRE's group n: `match[groups[n]]`. Translation may add groups of its own between. */
  readonly groups: readonly number[];
  /** The plain text that every match of an anchored pattern begins with. */
  readonly prefix: string;
}

/**
 * The RegExp that matches what PCRE matches by `pattern`. Throws an Error that names what JavaScript cannot express, and
 * where it stands. Flag `v` gives code points and nested classes; whatever means something else in JavaScript (`$`, `.`,
 * `\s`, back references, escapes) is rewritten to PCRE's meaning, PCRE_UTF8 without PCRE_UCP.
 *
 * JavaScriptCore cannot bound backtracking as Kong does with LIMIT_MATCH. Patterns come from operators, never from
 * clients, and those who run them bound the text: a path by the size of a request's head, a prompt by max_request_body_size.
 */
export const compilePcre = (pattern: string, options?: PcreOptions): RegExp => compilePcreGroups(pattern, options).regex;

/**
 * Whether `pattern` matches anywhere in a text. The search throws an Error when it comes to no end: JavaScriptCore gives
 * up after some 10^8 steps, and says of such a text what it says of one without a match.
 */
export function compilePcreSearch(pattern: string): (text: string) => boolean {
  // What may come first is no matter for a search. It would make each character a start from which to run to the end.
  const { source, flags } = compilePcre(pattern.replace(/^((?:\(\?[imsxU]+\))*)\.\*(?![+?*{])/, '$1'));
  const regex = new RegExp(`(?:${source})|($)`, flags);
  return text => {
    const match = regex.exec(text);
    if (match === null) throw new Error(`pattern ${pattern} comes to no end`);
    return match.at(-1) === undefined;
  };
}

/** As `compilePcre`, for those who read what the parentheses caught by number. */
export function compilePcreGroups(pattern: string, options: PcreOptions = {}): Pcre {
  const { source, groups, isChoice } = translatePcre(pattern);
  const regex = new RegExp(options.anchored ? `^(?:${source})` : source, options.caseInsensitive ? 'vi' : 'v');
  return { regex, groups, prefix: isChoice || options.caseInsensitive ? '' : literalPrefix(pattern) };
}

/** The characters before the first that is more than itself; a quantifier may take back the last. */
function literalPrefix(pattern: string): string {
  const [literals = ''] = /^(?:[^\\^$.*+?()[\]{}|#\s\ud800-\udfff]|\\[!-/:-@[-`{-~])*/.exec(pattern) ?? [];
  const certain = /^[*+?{]/.test(pattern.slice(literals.length)) ? literals.replace(/\\?[\s\S]$/, '') : literals;
  return certain.replaceAll(/\\(.)/g, '$1');
}
