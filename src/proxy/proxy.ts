import type { Passage, ServerCertificate, Snapshot } from '../gateway/snapshot.ts';
import type { Log } from '../lib/log.ts';
import { RequestFailure } from '../lib/request-failure.ts';
import { ClientLeft } from './call.ts';
import { ClientAddresses } from './client-addresses.ts';
import { countedBody, madeWhole, wholeAnswer } from './delivery.ts';
import { FAILURES, failureResponse } from './failures.ts';
import { isHandshake } from './handshake.ts';
import { runAccess, runLog, runResponse } from './pipeline.ts';
import { ProxyHeaders } from './proxy-headers.ts';
import { grpcAnswer, insecureAnswer, refusalOf } from './refusals.ts';
import { RequestContext } from './request-context.ts';
import type { Visitor } from './room.ts';
import type { ProxyServer, Tunnel } from './tunnel.ts';
import { Upstreams } from './upstream.ts';

export interface ProxyOptions {
  readonly gateway: { readonly snapshot: Snapshot };
  readonly log: Log;
  /** Peers whose X-Forwarded-… headers are believed. */
  readonly trustedIps: readonly string[];
  readonly realIpHeader: string;
  /** The header may be a list that several trusted peers have added to. */
  readonly realIpRecursive: boolean;
  /** What to add to answers, in the words of Kong's setting `headers`. */
  readonly headers: readonly string[];
  readonly version: string;
}

export interface HttpProxy {
  /** Nothing comes back when the connection has become a tunnel. `port` is where the client came in; `visitor` is who it is, when `server` cannot say. */
  fetch(request: Request, server: ProxyServer, port: string, visitor: Visitor | null): Promise<Response | undefined>;
  certificateFor(serverName: string): ServerCertificate | null;
  readonly log: Log;
  /** The listeners whose requests are counted. */
  readonly entrances: Set<Entrance>;
  readonly counters: ProxyCounters;
}

export interface Entrance {
  readonly pendingRequests: number;
  readonly pendingWebSockets: number;
}

export interface ProxyCounters {
  /** All so far. */
  readonly requests: number;
  /** Those that are not answered to the last byte. */
  readonly active: number;
}

const NO_ROUTE = 'no Route matched with those values';
const SWITCHING = 101;
const CLIENT_LEFT_STATUS = 499;

/** Serves requests from whatever snapshot is the current one. Throws a ConfigurationError for options that cannot work. */
export function createProxy(options: ProxyOptions): HttpProxy {
  return new SnapshotProxy(options);
}

class SnapshotProxy implements HttpProxy {
  readonly log: Log;
  readonly entrances = new Set<Entrance>();
  readonly #gateway: { readonly snapshot: Snapshot };
  readonly #addresses: ClientAddresses;
  readonly #headers: ProxyHeaders;
  readonly #upstreams: Upstreams;
  #requests = 0;

  constructor({ gateway, log, trustedIps, realIpHeader, realIpRecursive, headers, version }: ProxyOptions) {
    this.#gateway = gateway;
    this.log = log;
    this.#addresses = new ClientAddresses(trustedIps, realIpHeader, realIpRecursive);
    this.#headers = new ProxyHeaders(headers, version);
    this.#upstreams = new Upstreams(log);
  }

  get counters(): ProxyCounters {
    const active = [...this.entrances].reduce((sum, entrance) => sum + entrance.pendingRequests + entrance.pendingWebSockets, 0);
    return { requests: this.#requests, active };
  }

  certificateFor(serverName: string): ServerCertificate | null {
    return this.#gateway.snapshot.certificateFor(serverName);
  }

  async fetch(request: Request, server: ProxyServer, port: string, visitor: Visitor | null): Promise<Response | undefined> {
    this.#requests++;
    const { snapshot } = this.#gateway;
    const passage = snapshot.enter();
    const context = new RequestContext(request, server, port, visitor, this.#addresses, snapshot);
    let response: Response;
    try {
      response = await this.#answer(snapshot, context);
    } catch (error) {
      response = this.#failure(error, context);
    }
    // Awaited: a promise of a promise takes longer.
    return await this.#finish(response, context, passage);
  }

  /** What a plugin, the upstream or the gateway itself says. */
  async #answer(snapshot: Snapshot, context: RequestContext): Promise<Response> {
    const refusal = refusalOf(context);
    if (refusal !== null) throw refusal;
    const grpc = grpcAnswer(context);
    if (grpc !== null) return grpc;
    context.wantsTunnel = context.members.upgrade !== undefined && isHandshake(context.method, context.members);
    const match = snapshot.match(context);
    if (match === null) throw new RequestFailure(404, NO_ROUTE);
    context.bind(match);
    this.#headers.toUpstream(context, match.prefix);
    const insecure = insecureAnswer(context);
    if (insecure !== null) return insecure;
    const { access } = context.plan;
    const early = access.length > 0 ? await runAccess(access, context) : undefined;
    return early ?? (await this.#upstreams.call(context));
  }

  async #finish(response: Response, context: RequestContext, passage: Passage): Promise<Response | undefined> {
    const { plan, outcome } = context;
    let answer = response;
    let whole: Response | null;
    try {
      if (plan.response.length > 0) answer = await runResponse(plan.response, context, response, this.log);
      whole =
        answer === response || !answer.headers.has('content-length')
          ? await wholeAnswer(answer, context, this.#upstreams)
          : madeWhole(answer, context);
    } catch (error) {
      whole = this.#failure(error, context);
    }
    answer = whole ?? answer;
    const { lease } = context;
    if (lease !== null && lease.cookie !== null) setCookie(answer.headers, lease.cookie);
    this.#headers.toClient(answer.headers, context);
    outcome.status = answer.status;
    outcome.responseHeaders = answer.headers;
    const ended = () => this.#end(context, passage);
    if (context.tunnel !== null) {
      if (answer.status === SWITCHING) return this.#join(context, context.tunnel, answer.headers, ended);
      context.tunnel.abandon();
    }
    // Bun prints the URL of a `fetch` whose body breaks off on its way to the client, and a query may hold keys.
    const untold = answer !== response || context.upstream.url?.includes('?') !== true;
    if (plan.log.length === 0 && untold && lease === null) {
      passage.leave();
      return answer;
    }
    if (whole !== null || answer.body === null) {
      setImmediate(ended);
      return answer;
    }
    const { status, statusText, headers } = answer;
    return new Response(countedBody(answer.body, context, this.#upstreams, ended), { status, statusText, headers });
  }

  #join({ request, server, upstream, outcome }: RequestContext, tunnel: Tunnel, headers: Headers, ended: () => void): Response | undefined {
    const { read } = upstream.timeouts;
    tunnel.begin(this.#upstreams.idleDeadline(tunnel, read), read, ended);
    if (tunnel.protocol !== '') headers.set('Sec-WebSocket-Protocol', tunnel.protocol);
    if (server.upgrade(request, { headers, data: tunnel })) return undefined;
    outcome.clientLeft = true;
    tunnel.abandon();
    return new Response(null, { status: CLIENT_LEFT_STATUS });
  }

  #end(context: RequestContext, passage: Passage): void {
    const { outcome, body, plan, tunnel } = context;
    outcome.endedMs = context.elapsed();
    outcome.requestSize = body.size;
    if (tunnel !== null) {
      outcome.requestSize = tunnel.received;
      outcome.responseSize = tunnel.sent;
    }
    context.lease?.release();
    const logging = runLog(plan.log, context, this.log);
    if (logging instanceof Promise) void logging.then(() => passage.leave());
    else passage.leave();
  }

  #failure(error: unknown, context: RequestContext): Response {
    const { outcome, request } = context;
    if (error instanceof ClientLeft || request.signal.aborted) {
      outcome.clientLeft = true;
      outcome.source = 'error';
      return new Response(null, { status: CLIENT_LEFT_STATUS });
    }
    const failure = error instanceof RequestFailure ? error : this.#upstreams.failureOf(error, context);
    if (failure === null) this.log.error('request failed', { request_id: context.id, error });
    outcome.source = failure === null || outcome.upstreamStartedMs !== null ? 'error' : 'exit';
    const { status, message, headers } = failure ?? { status: 500, message: FAILURES[500], headers: {} };
    return failureResponse(status, message, context.id, request.headers.get('accept'), headers);
  }
}

/** In place of one of that name, if there is one. */
function setCookie(headers: Headers, cookie: string): void {
  const name = cookie.slice(0, cookie.indexOf('=') + 1);
  const others = headers.getSetCookie().filter(other => !other.startsWith(name));
  headers.delete('set-cookie');
  for (const one of [...others, cookie]) headers.append('Set-Cookie', one);
}
