import { describe, expect, test } from 'bun:test';
import type { Route } from '../../src/entities/route.ts';
import type { Service } from '../../src/entities/service.ts';
import { PlanBook } from '../../src/gateway/plan-book.ts';
import { compileEntries } from '../../src/gateway/route-entries.ts';
import { RouteTarget } from '../../src/gateway/route-target.ts';
import { Router } from '../../src/gateway/router.ts';
import type { Routable } from '../../src/gateway/snapshot.ts';
import { naiveMatch } from './naive-router.ts';
import { requestTo, routeRow, serviceRow } from './rows.ts';

const book = new PlanBook();

function add(router: Router, route: Route, service: Service | null = null): void {
  const target = new RouteTarget(route, service, book.planOf({ route: route.id, service: service?.id ?? null }));
  router.add(route.id, compileEntries(target));
}

function routerOf(routes: readonly Route[], service: Service | null = null): Router {
  const router = new Router();
  for (const route of routes) add(router, route, service);
  return router;
}

const matched = (router: Router, request: Routable) => router.match(request)?.target.route.id ?? null;

type Rules = Partial<Route>;
type Case = readonly [request: Routable, route: string | null];

/** Routes by name, requests, and the route of each. https://developer.konghq.com/gateway/routing/traditional/ */
const TABLE: Record<string, { routes: Record<string, Rules>; cases: readonly Case[] }> = {
  'every attribute of a route must fit, any of its values will do': {
    routes: { a: { hosts: ['example.com', 'foo-service.com'], paths: ['/foo', '/bar'], methods: ['GET'] } },
    cases: [
      [requestTo('/foo', { host: 'example.com' }), 'a'],
      [requestTo('/bar', { host: 'foo-service.com' }), 'a'],
      [requestTo('/foo/hello/world', { host: 'example.com' }), 'a'],
      [requestTo('/', { host: 'example.com' }), null],
      [requestTo('/foo', { host: 'example.com', method: 'POST' }), null],
      [requestTo('/foo', { host: 'foo.com' }), null],
    ],
  },
  'a host wildcard stands for one label or more, at either end': {
    routes: { left: { hosts: ['*.example.com'] }, right: { hosts: ['example.*'] }, plain: { hosts: ['a.example.com'] } },
    cases: [
      [requestTo('/', { host: 'a.example.com' }), 'plain'],
      [requestTo('/', { host: 'b.example.com' }), 'left'],
      [requestTo('/', { host: 'x.y.example.com' }), 'left'],
      [requestTo('/', { host: 'example.com' }), 'right'],
      [requestTo('/', { host: 'example.co.uk' }), 'right'],
      [requestTo('/', { host: 'myexample.org' }), null],
      [requestTo('/', { host: 'example.' }), null],
    ],
  },
  'hosts are compared without regard to case, and to the port unless the route names one': {
    routes: { any: { hosts: ['Example.com'] }, port: { hosts: ['ported.com:8000'] }, secure: { hosts: ['*.secure.com:443'] } },
    cases: [
      [requestTo('/', { host: 'EXAMPLE.com:9000' }), 'any'],
      [requestTo('/', { host: 'example.com' }), 'any'],
      [requestTo('/', { host: 'ported.com:8000' }), 'port'],
      [requestTo('/', { host: 'ported.com' }), null],
      [requestTo('/', { host: 'a.secure.com', scheme: 'https' }), 'secure'],
      [requestTo('/', { host: 'a.secure.com', scheme: 'http' }), null],
      [requestTo('/', { host: 'a.secure.com:443', scheme: 'http' }), 'secure'],
    ],
  },
  'an IPv6 host keeps its brackets': {
    routes: { a: { hosts: ['[::1]'] } },
    cases: [
      [requestTo('/', { host: '[::1]:8000' }), 'a'],
      [requestTo('/', { host: '[::1]' }), 'a'],
    ],
  },
  'the longest prefix wins, whatever the order': {
    routes: { short: { paths: ['/service'] }, long: { paths: ['/service/resource'] }, root: { paths: ['/'] } },
    cases: [
      [requestTo('/service/resource/1'), 'long'],
      [requestTo('/services'), 'short'],
      [requestTo('/other'), 'root'],
    ],
  },
  'each path of a route competes by its own length': {
    routes: { two: { paths: ['/a', '/a/very/long/path'] }, one: { paths: ['/a/very'] } },
    cases: [
      [requestTo('/a/very/long/path'), 'two'],
      [requestTo('/a/very/short'), 'one'],
      [requestTo('/a'), 'two'],
    ],
  },
  'a regex goes before a prefix, regexes by their priority': {
    routes: {
      version: { paths: ['~/version/\\d+'], regex_priority: 0 },
      any: { paths: ['~/version/any/\\w+'], regex_priority: 6 },
      all: { paths: ['~/version/.*$'], regex_priority: -1 },
      prefix: { paths: ['/version/1/much/longer'] },
    },
    cases: [
      [requestTo('/version/1/much/longer'), 'version'],
      [requestTo('/version/any/1'), 'any'],
      [requestTo('/version/x'), 'all'],
      [requestTo('/x/version/1'), null],
    ],
  },
  'a regex sees the path decoded, and either side of a choice from the start': {
    routes: { a: { paths: ['~/caf.( |-)x$'] }, b: { paths: ['~/one|/two'] } },
    cases: [
      [requestTo('/caf%C3%A9%20x'), 'a'],
      [requestTo('/two/more'), 'b'],
      [requestTo('/not/two'), null],
    ],
  },
  'paths are compared in normal form': {
    routes: { a: { paths: ['/api/v1'] }, b: { paths: ['/caf%c3%a9'] } },
    cases: [
      [requestTo('/%61pi/./x/..//v1'), 'a'],
      [requestTo('/api%2Fv1'), null],
      [requestTo('/caf%C3%A9/x'), 'b'],
    ],
  },
  'more attributes win over anything else': {
    routes: {
      host: { hosts: ['example.com'] },
      both: { hosts: ['example.com'], methods: ['POST'] },
      regex: { paths: ['~/.*'], regex_priority: 100 },
      three: { hosts: ['*.com'], paths: ['/'], methods: ['POST'], created_at: 99 },
    },
    cases: [
      [requestTo('/', { host: 'example.com' }), 'host'],
      [requestTo('/', { host: 'example.com', method: 'POST' }), 'three'],
      [requestTo('/', { host: 'other.org' }), 'regex'],
    ],
  },
  'plain hosts go before wildcards, before more headers, before regexes': {
    routes: {
      wildcard: { hosts: ['*.example.com'], headers: { a: ['1'], b: ['1'] } },
      plain: { hosts: ['a.example.com'], headers: { a: ['1'] }, created_at: 99 },
      mixed: { hosts: ['a.example.com', '*.org'], headers: { a: ['1'] } },
    },
    cases: [
      [requestTo('/', { host: 'a.example.com', headers: { a: '1', b: '1' } }), 'plain'],
      [requestTo('/', { host: 'b.example.com', headers: { a: '1', b: '1' } }), 'wildcard'],
      [requestTo('/', { host: 'x.org', headers: { a: '1' } }), 'mixed'],
    ],
  },
  'of two routes with headers the one with more goes first': {
    routes: {
      one: { headers: { 'X-Version': ['v1', 'v2'] } },
      two: { headers: { 'x-version': ['v1'], 'x-region': ['eu'] }, created_at: 99 },
    },
    cases: [
      [requestTo('/', { headers: { 'x-version': 'V1', 'X-Region': 'EU' } }), 'two'],
      [requestTo('/', { headers: { 'x-version': 'v2', 'x-region': 'eu' } }), 'one'],
      [requestTo('/', { headers: { 'x-version': 'v3' } }), null],
      [requestTo('/', { headers: { 'x-version': 'v0, v2' } }), 'one'],
      [requestTo('/'), null],
    ],
  },
  'a header value may be a regex, without regard to case': {
    routes: { a: { headers: { 'user-agent': ['~*^curl/\\d+', 'exact'] } } },
    cases: [
      [requestTo('/', { headers: { 'user-agent': 'Curl/8' } }), 'a'],
      [requestTo('/', { headers: { 'user-agent': 'EXACT' } }), 'a'],
      [requestTo('/', { headers: { 'user-agent': 'xcurl/8' } }), null],
    ],
  },
  'server names count over TLS only': {
    routes: { a: { snis: ['example.com.'] }, b: { methods: ['GET'], created_at: 2 } },
    cases: [
      [requestTo('/', { scheme: 'https', sni: 'Example.com' }), 'a'],
      [requestTo('/', { scheme: 'https', sni: 'other.com' }), 'b'],
      [requestTo('/', { scheme: 'https' }), 'b'],
      [requestTo('/', { scheme: 'http' }), 'a'],
    ],
  },
  'of equals the older goes first': {
    routes: { younger: { paths: ['/a'], created_at: 20 }, older: { paths: ['/a'], created_at: 10 } },
    cases: [[requestTo('/a'), 'older']],
  },
};

describe.each(Object.entries(TABLE))('%s', (_, { routes, cases }) => {
  const rows = Object.entries(routes).map(([id, rules]) => routeRow({ id, ...rules }));
  test.each(cases.map(([request, route]) => [request.method, request.scheme, request.host, request.path, route, request] as const))(
    '%s %s://%s%s → %s',
    (_method, _scheme, _host, _path, route, request) => {
      expect(matched(routerOf(rows), request)).toBe(route);
      expect(matched(routerOf(rows.toReversed()), request)).toBe(route);
      expect(naiveMatch(rows, request)?.id ?? null).toBe(route);
    },
  );
});

describe('a match says where the request goes', () => {
  const service = serviceRow({ id: 's', protocol: 'https', host: 'api.test', port: 8443, path: '/base' });
  const of = (rules: Rules, path: string, upstream: Service | null = service) =>
    routerOf([routeRow({ id: 'r', ...rules })], upstream).match(requestTo(path));

  test.each<[Rules, string, string, string]>([
    [{ paths: ['/a'] }, '/a/b', 'https://api.test:8443/base/b', '/a'],
    [{ paths: ['/a'], strip_path: false }, '/a/b', 'https://api.test:8443/base/a/b', ''],
    [{ paths: ['/a'], path_handling: 'v1' }, '/abc', 'https://api.test:8443/basebc', '/a'],
    [{ paths: ['~/a/\\d+'] }, '/a/12/b', 'https://api.test:8443/base/b', '/a/12'],
    [{ paths: ['/a', '/a/b'] }, '/a/b/c', 'https://api.test:8443/base/c', '/a/b'],
    [{ methods: ['GET'] }, '/x', 'https://api.test:8443/base/x', ''],
    [{ paths: ['/caf%C3%A9'] }, '/caf%C3%A9/%7Ex%20%2F', 'https://api.test:8443/base/~x%20%2F', '/caf%C3%A9'],
  ])('%o: %s → %s, prefix %s', (rules, path, upstreamUrl, prefix) => {
    expect(of(rules, path)).toMatchObject({ upstreamUrl, prefix });
  });

  test.each<[Partial<Service>, string]>([
    [{ protocol: 'http', host: 'h', port: 80 }, 'http://h/'],
    [{ protocol: 'https', host: 'h', port: 443 }, 'https://h/'],
    [{ protocol: 'http', host: '::1', port: 81 }, 'http://[::1]:81/'],
    [{ protocol: 'http', host: '[::1]', port: 81 }, 'http://[::1]:81/'],
    [{ protocol: 'http', host: 'h', port: 80, path: '/é x' }, 'http://h/%C3%A9%20x'],
  ])('service %o → %s', (rules, upstreamUrl) => {
    expect(of({ paths: ['/a'] }, '/a', serviceRow({ id: 's', ...rules }))?.upstreamUrl).toBe(upstreamUrl);
  });

  test('no service, no upstream', () => {
    expect(of({ paths: ['/a'] }, '/a', null)).toMatchObject({ upstreamUrl: null, prefix: '/a', captures: null });
  });

  test('captures have their number, and their name', () => {
    const rules = { paths: ['~/(?<user>\\w+)/(?>(\\d+)|x)(/y)?'] };
    expect(of(rules, '/ann/12')?.captures).toEqual({ 1: 'ann', 2: '12', user: 'ann' });
    expect(of(rules, '/b%C3%A9/12')).toBeNull();
    expect(of(rules, '/ann/x/y')?.captures).toEqual({ 1: 'ann', 3: '/y', user: 'ann' });
    expect(of({ paths: ['~/a'] }, '/a')?.captures).toBeNull();
  });

  test('httpsOnly when http is not among the protocols', () => {
    expect(of({ paths: ['/a'], protocols: ['https'] }, '/a')?.target.httpsOnly).toBe(true);
    expect(of({ paths: ['/a'], protocols: ['http'] }, '/a')?.target.httpsOnly).toBe(false);
  });
});

/** The same sequence every run: a failure can be looked at. */
function randomSource(seed: number) {
  const next = (below: number) => {
    seed = (seed * 48271) % 2147483647;
    return seed % below;
  };
  const pick = <T>(values: readonly T[]): T => values[next(values.length)] as T;
  const some = <T>(values: readonly T[], chance: number): T[] | null =>
    next(100) < chance ? Array.from({ length: 1 + next(3) }, () => pick(values)) : null;
  return { next, pick, some };
}

const HOSTS = ['a.com', 'b.a.com', 'c.b.a.com', 'a.org', 'b.org', 'localhost'];
const HOST_PATTERNS = [...HOSTS, '*.a.com', '*.com', 'a.*', 'b.a.*', 'a.com:8000', '*.b.a.com:8000', 'B.org:80'];
const PATHS = ['/', '/a', '/ab', '/a/b', '/a/b/c', '/b', '/b/1', '/b/12/c', '/a.b', '/c/x-1'];
const PATH_PATTERNS = [...PATHS, '~/a/\\w', '~/b/\\d+', '~/b/\\d+/c$', '~/.*', '~/a|/b', '~/[ab]/?', '~/a\\.b', '~/ab?c*', '~/a(?:/b)+$'];

test('over random routes and requests it agrees with a list searched from end to end', () => {
  const { next, pick, some } = randomSource(20261122);
  let pairs = 0;
  for (let round = 0; round < 1_700; round++) {
    const routes = Array.from({ length: 1 + next(25) }, (_, index) => {
      const rules: Rules = {
        hosts: some(HOST_PATTERNS, 40),
        paths: some(PATH_PATTERNS, 70),
        methods: some(['GET', 'POST', 'PUT'], 30),
        snis: some(['a.com', 'b.org'], 10),
        headers:
          next(100) < 30 ? { [pick(['x-a', 'X-B'])]: [pick(['1', '2', '~*^[12]$'])], ...(next(3) === 0 && { 'x-c': ['1', '3'] }) } : null,
      };
      const empty = Object.values(rules).every(rule => rule === null);
      return routeRow({ id: `r${index}`, ...rules, ...(empty && { methods: ['GET'] }), regex_priority: next(3) - 1, created_at: next(4) });
    });
    const router = routerOf(routes);
    const present = new Map(routes.map(route => [route.id, route]));
    for (let step = 0; step < 60; step++) {
      if (step % 6 === 5) {
        const route = pick(routes);
        if (present.delete(route.id)) {
          router.remove(route.id);
        } else {
          add(router, route);
          present.set(route.id, route);
        }
      }
      const headers = {
        ...(next(2) && { 'x-a': pick(['1', '2', '9']) }),
        ...(next(2) && { 'x-b': pick(['1', '1, 2']) }),
        ...(next(2) && { 'x-c': '3' }),
      };
      const request = requestTo(pick(PATHS) + pick(['', '', '/x', 'c', '/1']), {
        method: pick(['GET', 'POST', 'DELETE']),
        scheme: pick(['http', 'https'] as const),
        host: pick(HOSTS) + pick(['', '', ':8000', ':80']),
        sni: pick([null, 'a.com']),
        headers: headers as Record<string, string>,
      });
      const expected = naiveMatch([...present.values()], request)?.id ?? null;
      const actual = matched(router, request);
      if (actual !== expected) {
        throw new Error(
          `${JSON.stringify(request)} ${JSON.stringify(headers)}: ${actual}, not ${expected} of ${JSON.stringify([...present.values()])}`,
        );
      }
      pairs++;
    }
  }
  expect(pairs).toBe(102_000);
});
