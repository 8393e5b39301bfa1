import type { Socket, TCPSocketListener, TCPSocketListenOptions } from 'bun';
import type { Pairs } from '../gateway/certificate-pairs.ts';
import type { ServerCertificate } from '../gateway/snapshot.ts';
import { readClientHello } from '../lib/client-hello.ts';
import type { Stoppable } from '../lib/drain.ts';
import { plainIp } from '../lib/ip.ts';
import type { ListenAddress } from '../lib/listen-address.ts';
import { readProxyHeader } from '../lib/proxy-protocol.ts';
import { RelayEnd, relaying } from './relay.ts';
import { Room, type RoomServer, type VisitorOf } from './room.ts';

export interface DoorOptions extends Pick<ListenAddress, 'hostname' | 'port' | 'ipv6Only'> {
  readonly reusePort: boolean;
  /** Each connection begins with what a load balancer says of its client. */
  readonly proxyProtocol: boolean;
  /** What a client is shown that asks for this name. Null: the `fallback`. */
  certificateFor(serverName: string): ServerCertificate | null;
  /** Null: clients come without TLS. */
  readonly fallback: Pairs | null;
  /** Starts a server on a free port of 127.0.0.1. */
  serve(pairs: Pairs | null, visitorOf: VisitorOf): RoomServer;
  /** A server could not be started. */
  onError(error: Error): void;
}

/** The server of clients that come without TLS. */
const PLAIN: Pairs = { cert: '', key: '' };
/** A client may take so many seconds to say which server it wants. */
const HELLO_SECONDS = 15;
/** So many servers are kept for the next connection. */
const MOST_EMPTY = 500;

/** A client that has not said yet which server it wants. */
class Arrival extends RelayEnd {
  bytes: Buffer = Buffer.alloc(0);
  /** Who the load balancer says it is; undefined until it has. */
  source: string | null | undefined;
}

/**
 * A port whose connections are looked at before a server gets them: for TLS whose certificates change without a connection
 * lost, and for load balancers that say who their clients are. Bun's server keeps the ones that it was started with,
 * so each certificate has a server of its own behind the door. The door reads which name a client asks for, and passes the
 * bytes on as they come. A certificate that was replaced serves its connections to their end.
 */
export class Door implements Stoppable {
  readonly port: number;
  readonly #options: DoorOptions;
  readonly #listener: TCPSocketListener<RelayEnd>;
  readonly #rooms = new Map<Pairs, Room>();
  #isStopping = false;

  /** Throws when the port cannot be had. */
  constructor(options: DoorOptions) {
    this.#options = options;
    const { hostname, port, reusePort, ipv6Only } = options;
    this.#listener = Bun.listen<RelayEnd>({
      hostname,
      port,
      // Bun knows them here too, its types do not.
      ...({ reusePort, ipv6Only } as Partial<TCPSocketListenOptions<RelayEnd>>),
      socket: {
        ...relaying,
        open: socket => {
          socket.data = new Arrival();
          socket.data.open(socket);
          socket.timeout(HELLO_SECONDS);
        },
        data: (socket, bytes) => {
          if (socket.data.other === null) this.#meet(socket, bytes);
          else socket.data.received(bytes);
        },
        timeout: socket => socket.terminate(),
      },
    });
    this.port = this.#listener.port;
  }

  get pendingRequests(): number {
    return [...this.#rooms.values()].reduce((sum, { server }) => sum + server.pendingRequests, 0);
  }

  get pendingWebSockets(): number {
    return [...this.#rooms.values()].reduce((sum, { server }) => sum + server.pendingWebSockets, 0);
  }

  async stop(now = false): Promise<void> {
    this.#isStopping = true;
    this.#listener.stop(now);
    await Promise.all([...this.#rooms.values()].map(({ server }) => server.stop(now)));
  }

  #meet(socket: Socket<RelayEnd>, bytes: Buffer): void {
    const arrival = socket.data as Arrival;
    arrival.bytes = arrival.bytes.length === 0 ? bytes : Buffer.concat([arrival.bytes, bytes]);
    const wish = this.#wish(arrival);
    if (wish === 'unknown') return;
    const room = wish === 'nonsense' || this.#isStopping ? null : this.#roomFor(wish.serverName);
    if (wish === 'nonsense' || room === null) {
      socket.terminate();
      return;
    }
    socket.timeout(0);
    const { source = null } = arrival;
    room.admit(arrival, { ip: plainIp(socket.remoteAddress), source, serverName: wish.serverName, tls: null }, arrival.bytes);
  }

  /** Which server a client asks for. The load balancer's words are taken off its bytes. */
  #wish(arrival: Arrival): { readonly serverName: string | null } | 'unknown' | 'nonsense' {
    const { proxyProtocol, fallback } = this.#options;
    if (proxyProtocol && arrival.source === undefined) {
      const header = readProxyHeader(arrival.bytes);
      if (header === 'incomplete') return 'unknown';
      if (header === null) return 'nonsense';
      arrival.source = header.source;
      arrival.bytes = arrival.bytes.subarray(header.length);
    }
    if (fallback === null) return { serverName: null };
    const hello = readClientHello(arrival.bytes);
    return hello === 'incomplete' ? 'unknown' : hello;
  }

  /** Null when there is none. */
  #roomFor(serverName: string | null): Room | null {
    const pairs = this.#pairsFor(serverName);
    if (pairs === null) return null;
    const known = this.#rooms.get(pairs);
    if (known !== undefined) return known;
    const { serve, onError } = this.#options;
    try {
      const room = new Room(
        visitorOf => serve(pairs === PLAIN ? null : pairs, visitorOf),
        empty => this.#close(pairs, empty),
      );
      this.#rooms.set(pairs, room);
      for (const [others, other] of this.#rooms) if (other !== room && other.isEmpty) this.#close(others, other);
      return room;
    } catch (error) {
      onError(error as Error);
      return null;
    }
  }

  #pairsFor(serverName: string | null): Pairs | null {
    const { certificateFor, fallback } = this.#options;
    const certificate = serverName === null ? null : certificateFor(serverName);
    return certificate === null ? (fallback ?? PLAIN) : certificate.pairs;
  }

  /** An empty server ends when its certificate was replaced, or when there are too many. */
  #close(pairs: Pairs, room: Room): void {
    if (this.#pairsFor(room.serverName) === pairs && this.#rooms.size <= MOST_EMPTY) return;
    this.#rooms.delete(pairs);
    void room.server.stop();
  }
}
