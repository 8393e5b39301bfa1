import type { SocketHandler } from 'bun';
import { readServerHello, type TlsFacts } from '../lib/server-hello.ts';
import { RelayEnd, relaying } from './relay.ts';
import type { ProxyServer } from './tunnel.ts';

/** A client, as the door met it. */
export interface Visitor {
  /** The other end of the connection. */
  readonly ip: string;
  /** Who a load balancer there says it is, by the PROXY protocol; null: nothing. */
  readonly source: string | null;
  /** The server name that it asked for. */
  readonly serverName: string | null;
  /** What the server agreed with it on; null: that is not known. */
  tls: TlsFacts | null;
}

/** How a server behind the door finds who has sent a request; null for somebody who did not come through the door. */
export type VisitorOf = (request: Request) => Visitor | null;

/** What of a server is needed here. */
export type RoomServer = Pick<ProxyServer, 'port' | 'requestIP' | 'stop' | 'pendingRequests' | 'pendingWebSockets'>;

/** The end of a connection that leads to the server. */
class Guest extends RelayEnd {
  readonly visitor: Visitor;
  /** From which it reaches the server. */
  port = 0;
  #hasAnswered = false;

  constructor(visitor: Visitor) {
    super();
    this.visitor = visitor;
  }

  /** The first that the server says is what it agrees on. */
  override received(bytes: Uint8Array): void {
    if (!this.#hasAnswered) this.visitor.tls = readServerHello(bytes);
    this.#hasAnswered = true;
    super.received(bytes);
  }
}

const LOOPBACK = '127.0.0.1';

/** One of the servers behind a door, and who is in there. */
export class Room {
  /** On 127.0.0.1. */
  readonly server: RoomServer;
  /** The name that was asked for last. */
  serverName: string | null = null;
  #guests = 0;
  readonly #visitors = new Map<number, Visitor>();
  readonly #handler: SocketHandler<RelayEnd>;

  /** `onEmpty` runs each time the last one has left. */
  constructor(serve: (visitorOf: VisitorOf) => RoomServer, onEmpty: (room: Room) => void) {
    this.server = serve(request => {
      const from = this.server.requestIP(request);
      // Another address may have the same port.
      return from?.address === LOOPBACK ? (this.#visitors.get(from.port) ?? null) : null;
    });
    const left = (guest: RelayEnd) => {
      this.#visitors.delete((guest as Guest).port);
      guest.other?.end();
      this.#guests--;
      if (this.#guests === 0) onEmpty(this);
    };
    this.#handler = {
      ...relaying,
      open: socket => {
        const guest = socket.data as Guest;
        guest.port = socket.localPort;
        this.#visitors.set(guest.port, guest.visitor);
        guest.open(socket);
      },
      close: ({ data }) => left(data),
      connectError: ({ data }) => left(data),
    };
  }

  get isEmpty(): boolean {
    return this.#guests === 0;
  }

  /** Connects a client, whose first bytes have been read. */
  admit(client: RelayEnd, visitor: Visitor, firstBytes: Uint8Array): void {
    const guest = new Guest(visitor);
    this.serverName = visitor.serverName;
    this.#guests++;
    guest.other = client;
    client.other = guest;
    client.received(firstBytes);
    const { port } = this.server;
    // What is in the way is said to `connectError` too.
    Bun.connect<RelayEnd>({ hostname: LOOPBACK, port: port as number, data: guest, socket: this.#handler }).catch(() => {});
  }
}
