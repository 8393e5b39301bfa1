import type { Route } from '../../src/entities/route.ts';
import type { Routable } from '../../src/gateway/snapshot.ts';

/**
 * Kong's rules, read off its documentation, with nothing clever: every route is tried on every path of its own.
 * https://developer.konghq.com/gateway/routing/traditional/
 */
export function naiveMatch(routes: readonly Route[], request: Routable): Route | null {
  const path = decodeURI(new URL(request.path.replaceAll(/\/+/g, '/'), 'http://x').pathname.replaceAll('%61', 'a'));
  const candidates = routes
    .filter(route => methodFits(route, request) && hostFits(route, request) && headersFit(route, request) && sniFits(route, request))
    .flatMap(route => (route.paths?.length ? route.paths : [null]).map(pattern => ({ route, pattern })))
    .filter(({ pattern }) => pattern === null || pathFits(pattern, path));
  candidates.sort((a, b) => {
    const [one, other] = [order(a.route, a.pattern), order(b.route, b.pattern)];
    const difference = one.findIndex((part, index) => part !== other[index]);
    return difference < 0 ? 0 : (other[difference] ?? 0) - (one[difference] ?? 0);
  });
  const best = candidates[0];
  if (best === undefined) return null;
  const equals = candidates.filter(({ route, pattern }) => String(order(route, pattern)) === String(order(best.route, best.pattern)));
  return equals.map(({ route }) => route).sort((a, b) => (a.id < b.id ? -1 : 1))[0] ?? null;
}

/** Greater goes first, part by part. */
function order(route: Route, pattern: string | null): number[] {
  const headers = Object.keys(route.headers ?? {}).length;
  const attributes = [route.methods, route.hosts, route.paths, route.snis].filter(values => values?.length).length + (headers > 0 ? 1 : 0);
  const isRegex = pattern?.startsWith('~') ?? false;
  const plainHosts = (route.hosts?.length ?? 0) > 0 && route.hosts?.every(host => !host.includes('*'));
  return [
    attributes,
    plainHosts ? 1 : 0,
    headers,
    isRegex ? 1 : 0,
    isRegex ? (route.regex_priority ?? 0) : 0,
    isRegex ? 0 : (pattern?.length ?? 0),
    -(route.created_at ?? 0),
  ];
}

const methodFits = ({ methods }: Route, { method }: Routable) => !methods?.length || methods.includes(method);

const pathFits = (pattern: string, path: string) =>
  pattern.startsWith('~') ? new RegExp(`^(?:${pattern.slice(1)})`, 'u').test(path) : path.startsWith(decodeURI(pattern));

function hostFits({ hosts }: Route, { host, scheme }: Routable): boolean {
  const withPort = /:\d+$/.test(host) ? host : `${host}:${scheme === 'https' ? 443 : 80}`;
  return (
    !hosts?.length ||
    hosts.some(pattern => {
      const expression = pattern.replaceAll(/[.[\]]/g, '\\$&').replace('*', '.+') + (/:\d+$/.test(pattern) ? '' : '(?::\\d+)');
      return new RegExp(`^${expression}$`, 'i').test(withPort);
    })
  );
}

const headersFit = ({ headers }: Route, request: Routable) =>
  Object.entries(headers ?? {}).every(([name, values]) => {
    const lines = (request.headers.get(name) ?? '').split(', ').map(line => line.toLowerCase());
    return lines.some(line =>
      values.some(value => (value.startsWith('~*') ? new RegExp(value.slice(2), 'i').test(line) : value.toLowerCase() === line)),
    );
  });

const sniFits = ({ snis }: Route, { scheme, sni }: Routable) =>
  !snis?.length || scheme === 'http' || snis.some(name => name.replace(/\.$/, '') === sni?.toLowerCase());
