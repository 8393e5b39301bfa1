import { encodePath, isUnusual, normalizePath } from '../lib/path-normalization.ts';
import { PrefixTree, type Visitor } from './prefix-tree.ts';
import { compareEntries, type Entry, type HeaderRule, type RouteEntries } from './route-entries.ts';
import type { Match, Routable } from './snapshot.ts';
import { upstreamPath } from './upstream-path.ts';

/**
 * Finds the route of a request as Kong's `traditional_compatible` router does. Entries are indexed by host, then by the
 * prefix of their path, regexes by the text they begin with: what a request costs depends on how many entries share
 * its host and prefixes, and a change touches nothing but the entries of its route.
 */
export class Router {
  private readonly routes = new Map<string, RouteEntries>();
  private readonly hosts = new Map<string, PrefixTree<Entry>>();
  private patterns = 0;
  private patternsWithWildcard = 0;
  private patternsWithPort = 0;

  add(id: string, route: RouteEntries): void {
    this.routes.set(id, route);
    for (const host of route.hosts) {
      let tree = this.hosts.get(host);
      if (tree === undefined) {
        tree = new PrefixTree(compareEntries);
        this.hosts.set(host, tree);
        this.countPattern(host, 1);
      }
      for (const entry of route.entries) tree.add(entry.prefix, entry);
    }
  }

  remove(id: string): void {
    const route = this.routes.get(id);
    if (route === undefined) return;
    this.routes.delete(id);
    for (const host of route.hosts) {
      const tree = this.hosts.get(host);
      for (const entry of route.entries) tree?.remove(entry.prefix, entry);
      if (tree?.isEmpty) {
        this.hosts.delete(host);
        this.countPattern(host, -1);
      }
    }
  }

  match(request: Routable): Match | null {
    const unusual = isUnusual(request.path);
    const path = unusual ? normalizePath(request.path) : request.path;
    const search = new Search(request, path);
    this.hosts.get('')?.visit(path, search);
    if (this.patterns > 0) this.searchHosts(request, search);
    return search.best === null ? null : toMatch(search.best, path, search.caught, unusual);
  }

  private searchHosts({ host: hostHeader, scheme }: Routable, search: Search): void {
    const { host, port } = splitPort(hostHeader.toLowerCase());
    const suffix = `:${port ?? (scheme === 'https' ? '443' : '80')}`;
    this.searchPattern(host, suffix, search);
    if (this.patternsWithWildcard === 0) return;
    for (let dot = host.indexOf('.'); dot >= 0; dot = host.indexOf('.', dot + 1)) {
      if (dot > 0) this.searchPattern(`*${host.slice(dot)}`, suffix, search);
      if (dot < host.length - 1) this.searchPattern(`${host.slice(0, dot)}.*`, suffix, search);
    }
  }

  private searchPattern(pattern: string, port: string, search: Search): void {
    this.hosts.get(pattern)?.visit(search.path, search);
    if (this.patternsWithPort > 0) this.hosts.get(pattern + port)?.visit(search.path, search);
  }

  private countPattern(pattern: string, count: number): void {
    if (pattern !== '') this.patterns += count;
    if (pattern.includes('*')) this.patternsWithWildcard += count;
    if (splitPort(pattern).port !== null) this.patternsWithPort += count;
  }
}

/** The best entry so far for one request. */
class Search implements Visitor<Entry> {
  best: Entry | null = null;
  /** What the regex of the best entry caught. */
  caught: RegExpExecArray | null = null;
  readonly path: string;
  private readonly request: Routable;

  constructor(request: Routable, path: string) {
    this.request = request;
    this.path = path;
  }

  visit(entries: readonly Entry[]): void {
    for (const entry of entries) {
      if (this.best !== null && compareEntries(entry, this.best) >= 0) return;
      if (!accepts(entry, this.request)) continue;
      const caught = entry.regex?.regex.exec(this.path) ?? null;
      if (entry.regex !== null && caught === null) continue;
      this.best = entry;
      this.caught = caught;
      return;
    }
  }
}

function accepts({ methods, snis, headers }: Entry, request: Routable): boolean {
  if (methods !== null && !methods.has(request.method)) return false;
  if (snis !== null && request.scheme === 'https' && !(request.sni !== null && snis.has(request.sni.toLowerCase()))) return false;
  return headers === null || headers.every(rule => hasHeader(rule, request.headers));
}

/** Fields of one name come joined by a comma: any of them will do. */
function hasHeader({ name, values, patterns }: HeaderRule, headers: Headers): boolean {
  const joined = headers.get(name)?.toLowerCase();
  if (joined === undefined) return false;
  const fits = (value: string) => values.has(value) || patterns.some(pattern => pattern.test(value));
  return fits(joined) || (joined.includes(',') && joined.split(',').some(value => fits(value.trim())));
}

/** A host in brackets keeps them; what follows the colon must be digits. */
function splitPort(host: string): { readonly host: string; readonly port: string | null } {
  const colon = host.lastIndexOf(':');
  const port = colon < 0 ? '' : host.slice(colon + 1);
  return port !== '' && /^\d+$/.test(port) && host.lastIndexOf(']') < colon
    ? { host: host.slice(0, colon), port: String(Number(port)) }
    : { host: colon === host.length - 1 && colon > 0 ? host.slice(0, colon) : host, port: null };
}

function toMatch({ target, prefix, regex }: Entry, path: string, caught: RegExpExecArray | null, unusual: boolean): Match {
  const { origin, route } = target;
  const stripped = route.strip_path ? (caught?.[0] ?? prefix).length : 0;
  const wire = (text: string) => (unusual ? encodePath(text) : text);
  return {
    target,
    upstreamUrl: origin === null ? null : origin + wire(upstreamPath(route, target.servicePath, path, stripped)),
    prefix: stripped === 0 ? '' : wire(path.slice(0, stripped)),
    captures: caught === null ? null : capturesOf(caught, regex?.groups ?? []),
  };
}

/** Groups that took no part are left out. */
function capturesOf(caught: RegExpExecArray, groups: readonly number[]): Readonly<Record<string, string>> | null {
  if (groups.length < 2) return null;
  const captures: Record<string, string> = { ...caught.groups };
  for (const [number, group] of groups.entries()) {
    const text = caught[group];
    if (number > 0 && text !== undefined) captures[number] = text;
  }
  return Object.fromEntries(Object.entries(captures).filter(([, text]) => text !== undefined));
}
