import type { Balancer } from '../balancing/balancer.ts';
import type { Route } from '../entities/route.ts';
import type { Service } from '../entities/service.ts';
import type { Phase, Phases } from '../plugins/plugin.ts';
import type { Pairs } from './certificate-pairs.ts';
import type { UpstreamTls } from './service-tls.ts';

/** Everything the proxy needs to serve, compiled from one state of the store. */
export interface Snapshot {
  /** Counts the changes applied so far. */
  readonly version: number;
  /**
   * Every request enters before it matches, and leaves once its log phase is over: a plugin configuration that was
   * replaced is closed when the last request that could use it has left.
   */
  enter(): Passage;
  match(request: Routable): Match | null;
  /** What to show to a client that asks for a server name, in lower case. Null: the certificate of the settings. */
  certificateFor(serverName: string): ServerCertificate | null;
  /** Global plugins, for a request that matches no route. */
  readonly unmatched: Plan;
  /** Ids of the groups that a consumer is in, by the names of the groups: of several, Kong has the first decide. */
  groupsOf(consumer: string): readonly string[];
  /** The upstreams, by the names that a host may be. */
  readonly balancers: BalancersByName;
}

export interface BalancersByName {
  /** Counts how often a name came or went. */
  readonly version: number;
  find(host: string, port: number): Balancer | null;
}

/** A certificate for TLS listeners. */
export interface ServerCertificate {
  /** The same object for as long as nothing of it changes. Null: it cannot be had, and no client gets through. */
  readonly pairs: Pairs | null;
}

export interface Passage {
  /** At most once. */
  leave(): void;
}

/** What routes look at. */
export interface Routable {
  readonly scheme: 'http' | 'https';
  readonly method: string;
  /** As the client sent it, port included when there was one. */
  readonly host: string;
  /** Percent-encoded as it came, without the query. */
  readonly path: string;
  readonly headers: Headers;
  readonly sni: string | null;
}

export interface Match {
  readonly target: CompiledRoute;
  /** The URL of the service for this request: prefix stripped, paths joined as the route says. Null without a service. */
  readonly upstreamUrl: string | null;
  /** The part of the path that `strip_path` took away, percent-encoded, for X-Forwarded-Prefix; empty when none. */
  readonly prefix: string;
  /** What a regex path's parentheses caught, percent-decoded: by number from `1`, and by name. Null when it has none. */
  readonly captures: Readonly<Record<string, string>> | null;
}

export interface CompiledRoute {
  readonly route: Route;
  readonly service: Service | null;
  /**
   * Of the route's protocols only `https` is there: a request that came over plain HTTP (by X-Forwarded-Proto of a trusted
   * peer, else by its connection) is answered with `https_redirect_status_code`.
   */
  readonly httpsOnly: boolean;
  /** What `fetch` is told of TLS when the service is called; null: nothing beyond what is usual. */
  readonly tls: UpstreamTls | null;
  /** Of this moment: a request takes it once and keeps it. */
  readonly plan: Plan;
}

/** Per phase, the handlers of a route's plugins in priority order. */
export type Plan = { readonly [P in Phase]: readonly Slot<NonNullable<Phases[P]>>[] };

/** One plugin's place in a plan: which of its configurations applies depends on the consumer alone by then. */
export interface Slot<Handler> {
  readonly plugin: string;
  readonly anyone: Handler | null;
  /** What comes before `anyone`, most specific first: per step of the precedence, by the id of a consumer or of a group. Null: nothing. */
  readonly byOwner: readonly ReadonlyMap<string, Handler>[] | null;
}

/** The handler for a consumer that is in these groups; of several groups in one step the first decides. */
export function handlerFor<Handler>({ anyone, byOwner }: Slot<Handler>, consumer: string, groups: readonly string[]): Handler | null {
  for (const step of byOwner ?? []) {
    const own = step.get(consumer);
    if (own !== undefined) return own;
    for (const group of groups) {
      const shared = step.get(group);
      if (shared !== undefined) return shared;
    }
  }
  return anyone;
}
