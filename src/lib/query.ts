/** What stands for one name: a list where it comes twice, true where it stands alone, without `=`. */
export type Argument = string | true | (string | true)[];
export type Arguments = Record<string, Argument>;

/** The arguments of a query without its `?`, or of a form, as Kong's `kong.request.get_query` has them: decoded, in their order. */
export function parseArguments(text: string): Arguments {
  const found: Arguments = Object.create(null);
  for (const pair of text.split('&')) {
    if (pair === '') continue;
    const at = pair.indexOf('=');
    const name = decode(at === -1 ? pair : pair.slice(0, at));
    const value = at === -1 || decode(pair.slice(at + 1));
    const before = found[name];
    if (Array.isArray(before)) before.push(value);
    else found[name] = before === undefined ? value : [before, value];
  }
  return found;
}

/** What is no escape stays. */
function decode(text: string): string {
  const spaced = text.replaceAll('+', ' ');
  try {
    return decodeURIComponent(spaced);
  } catch {
    return spaced;
  }
}
