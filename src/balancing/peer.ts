import { parseHost } from '../lib/host.ts';
import { ipVersion } from '../lib/ip.ts';
import type { PeerHealth } from './health.ts';

type Tls = Readonly<NonNullable<BunFetchRequestInit['tls']>>;

/** An address that a name stands for. */
export interface Address {
  readonly ip: string;
  readonly port: number;
  /** What an SRV record says; null: that of the target counts. */
  readonly weight: number | null;
  /** The name that an SRV record gives for it. */
  readonly srvName: string | null;
}

/** What peers of one upstream have in common. */
export interface Presentation {
  readonly hostHeader: string | null;
  readonly useSrvName: boolean;
  /** The pair to show where the service has none. */
  readonly clientCertificate: Tls | null;
}

/** An address to which requests go, one of those that a target stands for. */
export class Peer {
  readonly key: string;
  readonly ip: string;
  readonly port: number;
  /** Of the target. */
  readonly name: string;
  readonly health: PeerHealth;
  /** As in a URL. */
  readonly authority: string;
  weight = 0;
  inFlight = 0;
  /** What algorithms keep of it. */
  current = 0;
  pickedAt = 0;
  latency = 0;
  latencyAt = 0;
  /** It has answered, so that a connection may be one of an earlier request which the other side closed meanwhile. */
  answered = false;
  /** What Host says, where it is not the client's. */
  host: { readonly http: string; readonly https: string };
  #serverName: string | null = null;
  #clientCertificate: Tls | null = null;
  /** What came of the service's own TLS options: the same object each time, so that connections are used again. */
  #tls: { readonly of: Tls | null; readonly merged: Tls | undefined } | null = null;

  constructor(name: string, { ip, port, srvName }: Address, health: PeerHealth, presentation: Presentation) {
    this.key = peerKey(name, { ip, port });
    this.name = name;
    this.ip = ip;
    this.port = port;
    this.health = health;
    this.authority = `${inUrl(ip)}:${port}`;
    this.host = this.present(presentation, srvName);
  }

  /** Says by what name its server is asked, and returns what that is in the Host header. */
  present({ hostHeader, useSrvName, clientCertificate }: Presentation, srvName: string | null): Peer['host'] {
    const name = hostHeader ?? (useSrvName && srvName !== null ? srvName : this.name);
    const parsed = parseHost(name);
    const { kind, host, port } = typeof parsed === 'string' ? { kind: 'name', host: name, port: null } : parsed;
    const plain = port === null ? inUrl(host) : `${inUrl(host)}:${port}`;
    const withPort = port === null ? `${plain}:${this.port}` : plain;
    this.#serverName = kind === 'name' ? host : null;
    this.#clientCertificate = clientCertificate;
    this.#tls = null;
    this.host = { http: this.port === 80 ? plain : withPort, https: this.port === 443 ? plain : withPort };
    return this.host;
  }

  /** The target's name, as it stands in a URL. */
  get hostName(): string {
    return inUrl(this.name);
  }

  /** What `fetch` is told of TLS, given what the service says. The certificate is verified against the name, not the address. */
  tls(own: Tls | null): Tls | undefined {
    if (this.#tls?.of === own) return this.#tls.merged;
    const certificate = own !== null && 'cert' in own ? null : this.#clientCertificate;
    const merged = { ...certificate, ...own, ...(this.#serverName !== null && { serverName: this.#serverName }) };
    this.#tls = { of: own, merged: Object.keys(merged).length > 0 ? merged : undefined };
    return this.#tls.merged;
  }
}

/** An address as it stands before a port. */
export const inUrl = (host: string) => (ipVersion(host) === 6 ? `[${host}]` : host);

/** By what the health of a peer is kept. */
export const peerKey = (name: string, { ip, port }: { readonly ip: string; readonly port: number }): string =>
  `${name} ${inUrl(ip)}:${port}`;
