import { EntityError } from '../entities/entity-error.ts';
import { normalizePath } from '../lib/path-normalization.ts';
import { compilePcre, compilePcreGroups, type Pcre } from '../lib/regex.ts';
import type { RouteTarget } from './route-target.ts';

/** One way into a route: by one of its paths, or without when it has none. The router compares requests with these. */
export interface Entry {
  readonly target: RouteTarget;
  /** What the path begins with. */
  readonly prefix: string;
  readonly regex: Pcre | null;
  readonly methods: ReadonlySet<string> | null;
  readonly headers: readonly HeaderRule[] | null;
  readonly snis: ReadonlySet<string> | null;
  /** How specific it is: what Kong packs into the priority of a route, the lower bits apart. */
  readonly weight: number;
  /** Among entries of one weight: regex_priority, or the length of the prefix. */
  readonly precedence: number;
  /** Its place in the route. */
  readonly index: number;
}

export interface RouteEntries {
  /** Host patterns in lower case, with a port where the route says one; one empty pattern when any host will do. */
  readonly hosts: readonly string[];
  readonly entries: readonly Entry[];
}

/** A header that must be there, in any of some values. */
export interface HeaderRule {
  readonly name: string;
  readonly values: ReadonlySet<string>;
  readonly patterns: readonly RegExp[];
}

/** The sort order of Kong's `traditional_compatible` router: the first entry that fits a request wins. */
export function compareEntries(a: Entry, b: Entry): number {
  return (
    b.weight - a.weight ||
    b.precedence - a.precedence ||
    (a.target.route.created_at ?? 0) - (b.target.route.created_at ?? 0) ||
    (a.target.route.id < b.target.route.id ? -1 : a.target.route.id > b.target.route.id ? 1 : a.index - b.index)
  );
}

const MOST_HEADERS_COUNTED = 255;

/** Throws an EntityError when a regular expression of the route cannot be compiled. */
export function compileEntries(target: RouteTarget): RouteEntries {
  const { route } = target;
  const hosts = [...new Set((route.hosts ?? []).map(host => host.toLowerCase()))];
  const paths = route.paths ?? [];
  const methods = setOf(route.methods);
  const snis = setOf((route.snis ?? []).map(withoutFinalDot));
  const headers = blaming('headers', () => Object.entries(route.headers ?? {}).map(([name, values]) => headerRule(name, values)));

  const attributes = [methods !== null, hosts.length > 0, headers.length > 0, snis !== null, paths.length > 0].filter(Boolean).length;
  const plainHosts = hosts.length > 0 && !hosts.some(host => host.includes('*'));
  const weightOf = (isRegex: boolean) =>
    ((attributes * 2 + Number(plainHosts)) * 256 + Math.min(headers.length, MOST_HEADERS_COUNTED)) * 2 + Number(isRegex);

  const entry = (prefix: string, regex: Pcre | null, index: number): Entry => ({
    target,
    prefix,
    regex,
    methods,
    headers: headers.length > 0 ? headers : null,
    snis,
    weight: weightOf(regex !== null),
    precedence: regex === null ? prefix.length : (route.regex_priority ?? 0),
    index,
  });
  const entryOf = (path: string, index: number) => {
    if (!path.startsWith('~')) return entry(normalizePath(path), null, index);
    const regex = compilePcreGroups(path.slice(1), { anchored: true });
    return entry(regex.prefix, regex, index);
  };
  const entries = blaming('paths', () => paths.map(entryOf));
  return { hosts: hosts.length > 0 ? hosts : [''], entries: entries.length > 0 ? entries : [entry('', null, 0)] };
}

function headerRule(name: string, values: readonly string[]): HeaderRule {
  const isPattern = (value: string) => value.startsWith('~*');
  return {
    name: name.toLowerCase(),
    values: new Set(values.filter(value => !isPattern(value)).map(value => value.toLowerCase())),
    patterns: values.filter(isPattern).map(value => compilePcre(value.slice(2), { caseInsensitive: true })),
  };
}

/** A pattern that cannot be compiled is the field's fault. */
function blaming<T>(field: string, compile: () => T): T {
  try {
    return compile();
  } catch (error) {
    const message = (error as Error).message;
    throw new EntityError('schema violation', `schema violation (${field}: ${message})`, { [field]: message });
  }
}

const setOf = (values: readonly string[] | null): ReadonlySet<string> | null =>
  values !== null && values.length > 0 ? new Set(values) : null;

const withoutFinalDot = (name: string) => (name.length > 1 && name.endsWith('.') ? name.slice(0, -1) : name).toLowerCase();
