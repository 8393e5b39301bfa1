import { existsSync, readFileSync } from 'node:fs';

/** How the machine completes names that are not whole. */
export interface SearchDomains {
  readonly domains: readonly string[];
  /** A name with so many dots is whole in all likelihood. */
  readonly dots: number;
}

/** What resolv.conf(5) says of names. */
export function searchDomains(path = '/etc/resolv.conf'): SearchDomains {
  const text = existsSync(path) ? readFileSync(path, 'utf8') : '';
  // Of several the last counts.
  const search = [...text.matchAll(/^(?:search|domain)[ \t]+(.+)$/gm)].at(-1)?.[1] ?? '';
  const dots = /^options[ \t].*\bndots:(\d+)/m.exec(text)?.[1];
  return { domains: search.split(/\s+/).filter(domain => domain !== '' && domain !== '.'), dots: dots === undefined ? 1 : Number(dots) };
}

/** What a name may stand for, in the order in which it is to be looked up. One that ends in a dot stands for itself. */
export function candidates(name: string, { domains, dots }: SearchDomains): readonly string[] {
  if (name.endsWith('.')) return [name.slice(0, -1)];
  const completed = domains.map(domain => `${name}.${domain.replace(/\.$/, '')}`);
  return name.split('.').length > dots ? [name, ...completed] : [...completed, name];
}
