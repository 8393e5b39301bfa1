import type { Route } from '../entities/route.ts';
import type { Service } from '../entities/service.ts';
import { ipVersion } from '../lib/ip.ts';
import { encodePath } from '../lib/path-normalization.ts';
import { unexpectedFailure } from '../lib/request-failure.ts';
import type { UpstreamTls } from './service-tls.ts';
import type { CompiledRoute, Plan } from './snapshot.ts';

/** The plan of this moment. */
interface CurrentPlan {
  readonly current: Plan;
}

/** A route with all that its requests have in common. */
export class RouteTarget implements CompiledRoute {
  readonly route: Route;
  readonly service: Service | null;
  readonly httpsOnly: boolean;
  /** Scheme, host and port of the service; null when there is none to call over HTTP. */
  readonly origin: string | null;
  readonly servicePath: string;
  readonly tls: UpstreamTls | null;
  private readonly scopedPlan: CurrentPlan;

  constructor(route: Route, service: Service | null, scopedPlan: CurrentPlan, tls: UpstreamTls | null = null) {
    this.route = route;
    this.service = service;
    this.httpsOnly = route.protocols.includes('https') && !route.protocols.includes('http');
    this.origin = service === null ? null : originOf(service);
    this.servicePath = encodePath(service?.path ?? '/');
    this.tls = tls;
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
  return `${protocol}://${ipVersion(host) === 6 ? `[${host}]` : host}${isDefaultPort ? '' : `:${port}`}`;
}

/** For a route that cannot work: no request passes, and each is logged. */
export const refusing = (plan: CurrentPlan): CurrentPlan => ({
  get current() {
    return { ...plan.current, access: [{ plugin: '', anyone: refuse, byOwner: null }] };
  },
});

function refuse(): never {
  throw unexpectedFailure();
}
