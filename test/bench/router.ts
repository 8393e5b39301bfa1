// What finding a route costs among as many as a large configuration has: `make bench-router`. Environment: ROUTES (10000).
import type { Route } from '../../src/entities/route.ts';
import { PlanBook } from '../../src/gateway/plan-book.ts';
import { compileEntries } from '../../src/gateway/route-entries.ts';
import { RouteTarget } from '../../src/gateway/route-target.ts';
import { Router } from '../../src/gateway/router.ts';
import type { Routable } from '../../src/gateway/snapshot.ts';
import { requestTo, routeRow } from '../gateway/rows.ts';

const ROUTES = Number(process.env['ROUTES'] ?? 10_000);
const MATCHES = 200_000;
const REQUESTS = 1000;

type Rules = (index: number) => Partial<Route>;
/** Routes by their number, and a request for one of them. */
const KINDS: Record<string, readonly [rules: Rules, request: (index: number) => Routable]> = {
  'a path each': [index => ({ paths: [`/service-${index}/v1`] }), index => requestTo(`/service-${index}/v1/chat/completions`)],
  'a host each': [
    index => ({ hosts: [`host-${index}.example.com`] }),
    index => requestTo('/v1/chat', { host: `host-${index}.example.com` }),
  ],
  'a wildcard each': [
    index => ({ hosts: [`*.host-${index}.example.com`] }),
    index => requestTo('/v1', { host: `a.host-${index}.example.com` }),
  ],
  'a host and a path each': [
    index => ({ hosts: [`host-${index % 100}.test`], paths: [`/service-${index}`] }),
    index => requestTo(`/service-${index}/v1`, { host: `host-${index % 100}.test` }),
  ],
  'a regex each': [index => ({ paths: [`~/service-${index}/(?<version>v\\d+)/`] }), index => requestTo(`/service-${index}/v12/chat`)],
  'a header each, one path': [
    index => ({ paths: ['/v1'], headers: { 'x-tenant': [`tenant-${index}`] } }),
    index => requestTo('/v1/chat', { headers: { 'x-tenant': `tenant-${index}` } }),
  ],
};

console.log(`${ROUTES} routes: microseconds a match, median of five rounds`);
const book = new PlanBook();
for (const [kind, [rules, request]] of Object.entries(KINDS)) {
  const router = new Router();
  for (let index = 0; index < ROUTES; index++) {
    const route = routeRow({ id: `route-${index}`, ...rules(index) });
    router.add(route.id, compileEntries(new RouteTarget(route, null, book.planOf({ route: route.id, service: null }))));
  }
  const requests = Array.from({ length: REQUESTS }, (_, number) => request(Math.floor((number * ROUTES) / REQUESTS)));
  const matches = kind.startsWith('a header') ? REQUESTS : MATCHES;
  const rounds = Array.from({ length: 5 }, () => {
    const startedAt = performance.now();
    for (let count = 0; count < matches; count++) {
      if (router.match(requests[count % REQUESTS] as Routable) === null) throw new Error('a request that matches nothing');
    }
    return ((performance.now() - startedAt) * 1000) / matches;
  }).sort((a, b) => a - b);
  console.log(`  ${kind.padEnd(26)}${(rounds[2] as number).toFixed(2)}`);
}
