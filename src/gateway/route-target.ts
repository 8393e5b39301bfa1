import { isIP } from 'node:net';
import type { Route } from '../entities/route.ts';
import type { Service } from '../entities/service.ts';
import { encodePath } from '../lib/path-normalization.ts';
import type { ScopedPlan } from './plan-book.ts';
import type { CompiledRoute, Plan } from './snapshot.ts';

/** A route with all that its requests have in common. */
export class RouteTarget implements CompiledRoute {
  readonly route: Route;
  readonly service: Service | null;
  readonly httpsOnly: boolean;
  /** Scheme, host and port of the service; null when there is none to call over HTTP. */
  readonly origin: string | null;
  readonly servicePath: string;
  private readonly scopedPlan: ScopedPlan;

  constructor(route: Route, service: Service | null, scopedPlan: ScopedPlan) {
    this.route = route;
    this.service = service;
    this.httpsOnly = route.protocols.includes('https') && !route.protocols.includes('http');
    this.origin = service === null ? null : originOf(service);
    this.servicePath = encodePath(service?.path ?? '/');
    this.scopedPlan = scopedPlan;
  }

  get plan(): Plan {
    return this.scopedPlan.current;
  }

  /** Whether requests over HTTP can come to it. Kong leaves routes of a disabled service out of its router. */
  get isServed(): boolean {
    return this.service?.enabled !== false && this.route.protocols.some(protocol => protocol === 'http' || protocol === 'https');
  }
}

function originOf({ protocol, host, port }: Service): string | null {
  if (protocol !== 'http' && protocol !== 'https') return null;
  const isDefaultPort = port === (protocol === 'https' ? 443 : 80);
  return `${protocol}://${isIP(host) === 6 ? `[${host}]` : host}${isDefaultPort ? '' : `:${port}`}`;
}
