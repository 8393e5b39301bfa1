import type { Route } from '../entities/route.ts';
import type { Service } from '../entities/service.ts';
import type { Phase, Phases } from '../plugins/plugin.ts';

/** Everything the proxy needs to serve, compiled from one state of the store. */
export interface Snapshot {
  readonly version: number;
  match(request: Routable): Match | null;
  /** Global plugins, for a request that matches no route. */
  readonly unmatched: Plan;
}

/** What routes look at. */
export interface Routable {
  readonly scheme: 'http' | 'https';
  readonly method: string;
  /** As the client sent it, port included when there was one. */
  readonly host: string;
  /** Percent-encoded, without the query. */
  readonly path: string;
  readonly headers: Headers;
  readonly sni: string | null;
}

export interface Match {
  readonly target: CompiledRoute;
  /** The URL of the service for this request: prefix stripped, paths joined as the route says. Null without a service. */
  readonly upstreamUrl: string | null;
  /** The part of the path that `strip_path` took away, for X-Forwarded-Prefix; empty when none. */
  readonly prefix: string;
  readonly captures: Readonly<Record<string, string>> | null;
}

export interface CompiledRoute {
  readonly route: Route;
  readonly service: Service | null;
  readonly plan: Plan;
}

/** Per phase, the handlers of a route's plugins in priority order. */
export type Plan = { readonly [P in Phase]: readonly Slot<NonNullable<Phases[P]>>[] };

/** One plugin's place in a plan: which of its configurations applies depends on the consumer alone by then. */
export interface Slot<Handler> {
  readonly plugin: string;
  readonly anyone: Handler | null;
  readonly byConsumer: ReadonlyMap<string, Handler> | null;
}
