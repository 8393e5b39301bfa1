/** Everything a path holds in its normal form; `%` stays, for what must remain encoded. RFC 3986, sections 2.2 and 2.3. */
const UNUSUAL = /[^!#$&'()*+,/:;=?@[\]A-Za-z0-9._~%-]/;
const UNUSUAL_CHARACTERS = new RegExp(UNUSUAL, 'gu');
const NEEDS_WORK = new RegExp(`%|//|/\\.|${UNUSUAL.source}`);
const ENCODED_RUN = /(?:%[0-9A-Fa-f]{2})+/g;
/** Decoding these would change what the path means. */
const RESERVED = new Set("!*'();:@&=+$,/?%#[]");
/** What is not reserved in paths, but has a meaning in regular expressions. */
const MEANINGFUL = new Set('.^-{}\\|');

const utf8 = new TextDecoder('utf-8', { fatal: true });

/** Whether a path is other than its normal form, or its normal form other than what goes on the wire. */
export const isUnusual = (path: string): boolean => NEEDS_WORK.test(path);

/**
 * The path that routes are compared with: percent-decoded save for reserved characters, without dot segments and
 * repeated slashes. https://developer.konghq.com/gateway/routing/traditional/
 */
export function normalizePath(path: string): string {
  return path.startsWith('/') ? withoutDotSegments(path.replace(ENCODED_RUN, run => decodeRun(run))) : path;
}

/** A regular expression for paths, percent-decoded save for reserved characters: what is decoded stands for itself. */
export const decodePattern = (pattern: string): string =>
  pattern.replace(ENCODED_RUN, run => decodeRun(run, character => (MEANINGFUL.has(character) ? `\\${character}` : character)));

/** A normal path as it goes on the wire. */
export const encodePath = (path: string): string =>
  UNUSUAL.test(path) ? path.toWellFormed().replace(UNUSUAL_CHARACTERS, character => encodeURIComponent(character)) : path;

/** Bytes that make no UTF-8 stay encoded. */
function decodeRun(run: string, spell = (character: string) => character): string {
  try {
    const text = utf8.decode(Buffer.from(run.replaceAll('%', ''), 'hex'));
    return [...text].map(character => (RESERVED.has(character) ? encodeReserved(character) : spell(character))).join('');
  } catch {
    return run.toUpperCase();
  }
}

const encodeReserved = (character: string) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`;

function withoutDotSegments(path: string): string {
  const kept: string[] = [];
  const segments = path.split('/');
  for (let index = 1; index < segments.length; index++) {
    const segment = segments[index] ?? '';
    const isLast = index === segments.length - 1;
    if (segment === '..') kept.pop();
    const isNothing = segment === '' || segment === '.' || segment === '..';
    if (!isNothing || isLast) kept.push(isNothing ? '' : segment);
  }
  return `/${kept.join('/')}`;
}
