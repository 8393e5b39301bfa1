// The quotes in JSON text that no backslash escapes. The searches jump from quote to quote: base64 costs next to nothing.

const BACKSLASH = 0x5c;

/** Where the next one is, from `from` on; the end of the text when there is none. */
export function quoteAfter(json: string, from: number): number {
  let at = json.indexOf('"', from);
  while (at !== -1 && isEscaped(json, at)) at = json.indexOf('"', at + 1);
  return at === -1 ? json.length : at;
}

/** Where the last one before `from` is, which is 1 at least; -1 when there is none. */
export function quoteBefore(json: string, from: number): number {
  let at = json.lastIndexOf('"', from - 1);
  while (at > 0 && isEscaped(json, at)) at = json.lastIndexOf('"', at - 1);
  return at;
}

function isEscaped(json: string, at: number): boolean {
  let backslashes = 0;
  while (json.charCodeAt(at - 1 - backslashes) === BACKSLASH) backslashes += 1;
  return backslashes % 2 === 1;
}
