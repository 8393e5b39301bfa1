import type { Lease } from '../balancing/lease.ts';
import type { Consumer } from '../entities/consumer.ts';
import type { Row } from '../entities/entity.ts';
import type { Route } from '../entities/route.ts';
import type { Service } from '../entities/service.ts';
import type { CompiledRoute, Match, Plan, Routable, Snapshot } from '../gateway/snapshot.ts';
import type { JsonObject } from '../lib/json.ts';
import { randomHex } from '../lib/random-hex.ts';
import type { TlsFacts } from '../lib/server-hello.ts';
import type { Context, NoteKey, Notes, Outcome, Try, UpstreamRequest } from '../plugins/context.ts';
import type { Call } from './call.ts';
import type { ClientAddresses } from './client-addresses.ts';
import { ClientBody } from './request-body.ts';
import type { Visitor } from './room.ts';
import type { ProxyServer, Tunnel } from './tunnel.ts';

/** Headers by lower-case name. */
export type HeaderMembers = Record<string, string> & {
  host?: string;
  via?: string;
  connection?: string;
  upgrade?: string;
  'content-length'?: string;
};

/** One request from the first byte to the last: what plugins see of it, and what the router looks at. */
export class RequestContext implements Context, Routable {
  readonly id = randomHex(32);
  readonly startedAt = Date.now();
  readonly request: Request;
  readonly server: ProxyServer;
  /** Where the client came in. */
  readonly port: string;
  readonly method: string;
  readonly path: string;
  readonly query: string;
  readonly scheme: 'http' | 'https';
  readonly host: string;
  readonly sni: string | null;
  readonly tls: TlsFacts | null;
  readonly headers: Headers;
  /** Of the client's headers, by lower-case name; then those for the upstream. */
  readonly members: HeaderMembers;
  /** The other end of the connection, which may be a load balancer. */
  readonly peerIp: string;
  readonly peerTrusted: boolean;
  readonly clientIp: string;
  readonly snapshot: Snapshot;

  /** Of a body that is passed on while it comes, something is still missing. */
  bodyIsComing = false;
  /** The client asks for a WebSocket. */
  wantsTunnel = false;
  /** The upstream has agreed. */
  tunnel: Tunnel | null = null;
  target: CompiledRoute | null = null;
  /** The call that the answer comes from, where it is timed here. */
  call: Call | null = null;
  /** What it holds of an upstream's targets. */
  lease: Lease | null = null;
  plan: Plan;
  captures: Match['captures'] = null;
  consumer: Consumer | null = null;
  credential: Row | null = null;
  authenticatedGroups: readonly string[] | null = null;
  credentialPlaces: Context['credentialPlaces'] = NO_PLACES;
  readonly body: ClientBody;
  readonly outcome = new RequestOutcome();
  #notes: RequestNotes | null = null;
  readonly log: JsonObject = {};
  readonly upstream: UpstreamRequest;

  constructor(
    request: Request,
    server: ProxyServer,
    port: string,
    visitor: Visitor | null,
    addresses: ClientAddresses,
    snapshot: Snapshot,
  ) {
    const { url, headers } = request;
    this.request = request;
    this.server = server;
    this.port = port;
    this.method = request.method;
    this.headers = headers;
    this.snapshot = snapshot;
    this.plan = snapshot.unmatched;
    this.members = headers.toJSON() as HeaderMembers;
    this.host = this.members.host ?? '';
    this.scheme = url.startsWith('https:') ? 'https' : 'http';
    this.body = new ClientBody(request, this.members);
    this.upstream = {
      url: null,
      method: request.method,
      headers: this.members,
      body: undefined,
      timeouts: { connect: DEFAULT_TIMEOUT, read: DEFAULT_TIMEOUT, write: DEFAULT_TIMEOUT },
    };
    // Without a usable Host, Bun leaves the target as it came.
    const start = url.startsWith('http') ? url.indexOf('/', 8) : 0;
    const fragment = url.indexOf('#', start);
    const end = fragment === -1 ? url.length : fragment;
    const mark = url.indexOf('?', start);
    const pathEnd = mark === -1 || mark > end ? end : mark;
    this.path = url.slice(start, pathEnd);
    this.query = url.slice(pathEnd, end);
    this.peerIp = visitor === null ? addresses.ipOf(request, server) : visitor.ip;
    this.tls = visitor === null ? null : visitor.tls;
    this.sni = visitor === null ? null : visitor.serverName;
    this.peerTrusted = addresses.isTrusted(this.peerIp);
    this.clientIp = this.peerTrusted ? addresses.clientIp(this.members, this.peerIp, visitor) : this.peerIp;
  }

  get url(): URL {
    const host = URL.canParse(`http://${this.host}`) ? this.host : 'localhost';
    // Not resolved against a base: a path that begins with two slashes would be taken for a host.
    return new URL(`${this.scheme}://${host}${this.path.startsWith('/') ? '' : '/'}${this.path}${this.query}`);
  }

  get notes(): Notes {
    this.#notes ??= new RequestNotes();
    return this.#notes;
  }

  get route(): Route | null {
    return this.target?.route ?? null;
  }

  get service(): Service | null {
    return this.target?.service ?? null;
  }

  /** From here on it belongs to a route. */
  bind({ target, upstreamUrl, captures }: Match): void {
    const { service } = target;
    const { upstream } = this;
    this.target = target;
    this.plan = target.plan;
    this.captures = captures;
    upstream.url = upstreamUrl === null ? null : upstreamUrl + this.query;
    if (service === null) return;
    const { timeouts } = upstream;
    timeouts.connect = service.connect_timeout ?? timeouts.connect;
    timeouts.read = service.read_timeout ?? timeouts.read;
    timeouts.write = service.write_timeout ?? timeouts.write;
  }

  /** Lets the client's connection rest while the upstream may still come. */
  awaitUpstream(): void {
    const { connect, write, read } = this.upstream.timeouts;
    this.rest(connect + write + read);
  }

  /** Whether the upstream may take longer than any timer of Bun's. */
  get isPatient(): boolean {
    const { connect, write, read } = this.upstream.timeouts;
    return connect + write + read > (LONGEST_IDLE_SECONDS - GRACE_SECONDS) * 1000;
  }

  rest(milliseconds: number): void {
    const seconds = Math.ceil(milliseconds / 1000) + GRACE_SECONDS;
    const isLong = seconds > LONGEST_IDLE_SECONDS;
    this.server.timeout(this.request, isLong ? (this.bodyIsComing ? LONGEST_IDLE_SECONDS : 0) : seconds);
  }

  /** Bun would keep what was set above for the connection's next requests. */
  endAwait(): void {
    this.server.timeout(this.request, IDLE_SECONDS);
  }

  /** Milliseconds since the request began. */
  elapsed(): number {
    return Date.now() - this.startedAt;
  }
}

const NO_PLACES: Context['credentialPlaces'] = [];

/** For a client that sends its headers or body slowly, and for one that keeps a connection it does not use. */
export const IDLE_SECONDS = 60;
/** Bun takes no longer time than this; 0 is without end. */
const LONGEST_IDLE_SECONDS = 255;
/** By so much the timers of `fetch` may be late. */
const GRACE_SECONDS = 20;

/** Of a route without a service. */
const DEFAULT_TIMEOUT = 60_000;

class RequestOutcome implements Outcome {
  status = 0;
  responseHeaders: Headers | null = null;
  requestSize = 0;
  responseSize = 0;
  upstreamStartedMs: number | null = null;
  upstreamFirstByteMs: number | null = null;
  endedMs: number | null = null;
  upstreamStatus: number | null = null;
  unframed = false;
  readonly tries: Try[] = [];
  source: Outcome['source'] = 'exit';
  clientLeft = false;
}

class RequestNotes implements Notes {
  readonly #notes = new Map<symbol, unknown>();

  get<T>(key: NoteKey<T>): T | undefined {
    return this.#notes.get(key) as T | undefined;
  }

  set<T>(key: NoteKey<T>, value: T): void {
    this.#notes.set(key, value);
  }
}
