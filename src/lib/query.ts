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

/** The query with some of its parameters left out, or others in their place; `query` has its `?`, or is empty. What stays, stays as it was written. */
export function changeParameters(query: string, change: (name: string, pair: string) => string | null): string {
  if (query.length < 2) return query;
  const changed = query
    .slice(1)
    .split('&')
    .flatMap(pair => change(decode(pair.split('=', 1)[0] ?? ''), pair) ?? []);
  return changed.length === 0 ? '' : `?${changed.join('&')}`;
}

/** What is no escape stays. */
function decode(text: string): string {
  if (!/[%+]/.test(text)) return text;
  const spaced = text.replaceAll('+', ' ');
  try {
    return decodeURIComponent(spaced);
  } catch {
    return spaced;
  }
}

/** The same as text, its arguments in their order. */
export function encodeArguments(args: Arguments): string {
  return Object.entries(args)
    .flatMap(([name, value]) => [value].flat().map(one => (one === true ? encode(name) : `${encode(name)}=${encode(one)}`)))
    .join('&');
}

const encode = (text: string) =>
  encodeURIComponent(text.toWellFormed()).replaceAll(/[!'()*]/g, sign => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`);
