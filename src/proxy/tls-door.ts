import type { Socket, TCPSocketListener, TCPSocketListenOptions } from 'bun';
import type { Pairs } from '../gateway/certificate-pairs.ts';
import type { ServerCertificate } from '../gateway/snapshot.ts';
import { readClientHello } from '../lib/client-hello.ts';
import type { Stoppable } from '../lib/drain.ts';
import { plainIp } from '../lib/ip.ts';
import type { ListenAddress } from '../lib/listen-address.ts';
import { RelayEnd, relaying } from './relay.ts';
import { type RoomServer, TlsRoom, type VisitorOf } from './tls-room.ts';

export interface DoorOptions extends Pick<ListenAddress, 'hostname' | 'port' | 'ipv6Only'> {
  readonly reusePort: boolean;
  /** What a client is shown that asks for this name. Null: the `fallback`. */
  certificateFor(serverName: string): ServerCertificate | null;
  readonly fallback: Pairs;
  /** Starts a TLS server on a free port of 127.0.0.1. */
  serve(pairs: Pairs, visitorOf: VisitorOf): RoomServer;
  /** A server could not be started. */
  onError(error: Error): void;
}

/** A client may take so many seconds to say which server it wants. */
const HELLO_SECONDS = 15;
/** So many servers are kept for the next connection. */
const MOST_EMPTY = 500;

/** A client that has not said yet which server it wants. */
class Arrival extends RelayEnd {
  bytes: Buffer = Buffer.alloc(0);
}

/**
 * A port for TLS whose certificates change without a connection lost. Bun's server keeps the ones that it was started with,
 * so each certificate has a server of its own behind the door. The door reads which name a client asks for, and passes the
 * bytes on as they come. A certificate that was replaced serves its connections to their end.
 */
export class TlsDoor implements Stoppable {
  readonly port: number;
  readonly #options: DoorOptions;
  readonly #listener: TCPSocketListener<RelayEnd>;
  readonly #rooms = new Map<Pairs, TlsRoom>();
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
    const hello = readClientHello(arrival.bytes);
    if (hello === 'incomplete') return;
    const { serverName } = hello;
    const room = this.#isStopping ? null : this.#roomFor(serverName);
    if (room === null) {
      socket.terminate();
      return;
    }
    socket.timeout(0);
    room.admit(arrival, { ip: plainIp(socket.remoteAddress), serverName, tls: null }, arrival.bytes);
  }

  /** Null when there is none. */
  #roomFor(serverName: string | null): TlsRoom | null {
    const pairs = this.#pairsFor(serverName);
    if (pairs === null) return null;
    const known = this.#rooms.get(pairs);
    if (known !== undefined) return known;
    const { serve, onError } = this.#options;
    try {
      const room = new TlsRoom(
        visitorOf => serve(pairs, visitorOf),
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
    return certificate === null ? fallback : certificate.pairs;
  }

  /** An empty server ends when its certificate was replaced, or when there are too many. */
  #close(pairs: Pairs, room: TlsRoom): void {
    if (this.#pairsFor(room.serverName) === pairs && this.#rooms.size <= MOST_EMPTY) return;
    this.#rooms.delete(pairs);
    void room.server.stop();
  }
}
