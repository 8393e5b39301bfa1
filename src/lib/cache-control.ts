/** What a Cache-Control header says, by lower-case names: true where a directive stands alone. */
export type Directives = ReadonlyMap<string, number | string | true>;

export function parseCacheControl(header: string | null): Directives {
  const directives = new Map<string, number | string | true>();
  for (const part of header?.split(',') ?? []) {
    const [, name, quoted, plain] = /^\s*([^\s=]+)\s*(?:=\s*(?:"([^"]*)"|(.*?)))?\s*$/.exec(part) ?? [];
    if (name !== undefined) directives.set(name.toLowerCase(), valueIn(quoted ?? plain));
  }
  return directives;
}

function valueIn(text: string | undefined): number | string | true {
  if (text === undefined) return true;
  return /^\d+$/.test(text) ? Number(text) : text;
}

/** How many seconds an answer is fresh for caches that many share. 0 where it does not say. */
export function freshSeconds(directives: Directives, expires: string | null): number {
  const said = directives.get('s-maxage') ?? directives.get('max-age');
  if (typeof said === 'number') return said;
  const until = expires?.endsWith(' GMT') ? Date.parse(expires) : Number.NaN;
  return Number.isNaN(until) ? 0 : Math.max(0, Math.floor((until - Date.now()) / 1000));
}
