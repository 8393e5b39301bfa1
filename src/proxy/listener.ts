import type { Pairs } from '../gateway/certificate-pairs.ts';
import type { Stoppable } from '../lib/drain.ts';
import type { ListenAddress } from '../lib/listen-address.ts';
import { randomHex } from '../lib/random-hex.ts';
import { Door } from './door.ts';
import { FAILURES, failureResponse } from './failures.ts';
import type { HttpProxy } from './proxy.ts';
import { IDLE_SECONDS } from './request-context.ts';
import type { VisitorOf } from './room.ts';
import { type ProxyServer, tunnels } from './tunnel.ts';

export interface ProxyListener extends Stoppable {
  readonly port: number;
}

/**
 * Opens a port for a proxy, for this process alone or `shared` with others that say so too. Throws when it cannot be had.
 * Its `stop` refuses new connections and waits for requests in flight. With TLS, `fallback` is what clients are shown when
 * the configuration has no certificate for the name that they ask for.
 */
export function listen(
  { hostname, port, ipv6Only = false, http2 = false, proxyProtocol = false }: ListenPlace,
  fallback: Pairs | undefined,
  proxy: HttpProxy,
  use: 'alone' | 'shared' = 'alone',
): ProxyListener {
  // In production Bun lets programs share a port unless told otherwise: a second gateway would take half of the connections.
  const place = { hostname, port, ipv6Only, reusePort: use === 'shared' };
  const isPlain = fallback === undefined && !proxyProtocol;
  return isPlain ? listenInPlain(place, http2, proxy) : listenBehindDoor({ ...place, proxyProtocol }, http2, fallback ?? null, proxy);
}

type ListenPlace = Pick<ListenAddress, 'hostname' | 'port'> & Partial<Pick<ListenAddress, 'ipv6Only' | 'http2' | 'proxyProtocol'>>;

interface Place extends Pick<ListenAddress, 'hostname' | 'port' | 'ipv6Only'> {
  readonly reusePort: boolean;
}

function listenInPlain(place: Place, http2: boolean, proxy: HttpProxy): ProxyListener {
  let ownPort = '';
  const server = serve({ ...place, http2, fetch: (request, self) => proxy.fetch(request, self, ownPort, null) });
  ownPort = String(server.port);
  proxy.entrances.add(server);
  return { port: Number(ownPort), stop: now => server.stop(now) };
}

type DoorPlace = Place & Pick<ListenAddress, 'proxyProtocol'>;

function listenBehindDoor(place: DoorPlace, http2: boolean, fallback: Pairs | null, proxy: HttpProxy): ProxyListener {
  let ownPort = '';
  const serveVisitors = (pairs: Pairs | null, visitorOf: VisitorOf) =>
    serve({
      hostname: '127.0.0.1',
      port: 0,
      ...(pairs && { tls: { ...pairs } }),
      http2,
      fetch(request, self) {
        const visitor = visitorOf(request);
        return visitor === null ? new Response(null, { status: 400 }) : proxy.fetch(request, self, ownPort, visitor);
      },
    });
  const door = new Door({
    ...place,
    fallback,
    certificateFor: name => proxy.certificateFor(name),
    serve: serveVisitors,
    onError: error => proxy.log.error('a server behind a door does not start', { error: error.message }),
  });
  ownPort = String(door.port);
  proxy.entrances.add(door);
  return door;
}

/** Nothing, where the connection has become a tunnel. */
type Answer = Response | undefined;

type Options = (Place | { readonly hostname: string; readonly port: number; readonly tls?: Bun.TLSOptions }) & { readonly http2: boolean };

function serve(options: Options & { fetch(request: Request, server: ProxyServer): Answer | Promise<Answer> }): ProxyServer {
  return Bun.serve({
    idleTimeout: IDLE_SECONDS,
    websocket: tunnels,
    // How large a body may be is for plugins to say.
    maxRequestBodySize: Number.MAX_SAFE_INTEGER,
    // Without it, Bun shows its own page for errors.
    development: false,
    reusePort: false,
    // An answer that broke off before any of it went out.
    error: () => failureResponse(502, FAILURES[502], randomHex(32), null),
    ...options,
  });
}
