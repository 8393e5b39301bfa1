import { ipVersion } from './ip.ts';

/** Where a listener stands: one of the addresses of `proxy_listen` and its kin. */
export interface ListenAddress {
  readonly hostname: string;
  /** 0: any that is free. */
  readonly port: number;
  readonly tls: boolean;
  /** HTTP/2 beside HTTP/1.1: with TLS as client and server agree, else for clients that begin with it. */
  readonly http2: boolean;
  /** An IPv6 address that IPv4 clients cannot reach. */
  readonly ipv6Only: boolean;
  /** Connections begin with the header of the PROXY protocol. */
  readonly proxyProtocol: boolean;
}

/** Words after the address that ask for nothing: ports are bound one by one, and workers share them. */
const GRANTED = new Set(['bind', 'reuseport', 'ipv6only=off']);
/** Other words of Kong's. */
const REFUSED = /^(deferred|backlog=\d+|so_keepalive=[\w:]+)$/;

/** Reads `ADDR:PORT` and the words behind it; IPv6 addresses stand in brackets. Throws an Error that says what is wrong. */
export function parseListenAddress(text: string): ListenAddress {
  const [address = '', ...words] = text.trim().split(/\s+/);
  const [, bracketed, plain, digits] = /^(?:\[([^\]]+)\]|([^:[\]]+)):(\d{1,5})$/.exec(address) ?? [];
  const hostname = bracketed ?? plain;
  const port = Number(digits);
  if (hostname === undefined || port > 65_535) throw new Error(`expected ADDRESS:PORT or ADDRESS:PORT ssl, not "${text}"`);
  const known = bracketed === undefined ? ipVersion(hostname) === 4 || hostname === 'localhost' : ipVersion(hostname) === 6;
  if (!known) throw new Error(`expected an IP address or localhost, not "${bracketed === undefined ? hostname : `[${hostname}]`}"`);
  const wanted = new Set(words.filter(word => !GRANTED.has(word)));
  const [tls, http2, proxyProtocol] = [wanted.delete('ssl'), wanted.delete('http2'), wanted.delete('proxy_protocol')];
  const ipv6Only = bracketed !== undefined && wanted.delete('ipv6only=on');
  for (const word of wanted) {
    if (REFUSED.test(word)) throw new Error(`${word}: how connections wait and are kept alive cannot be set: leave it out`);
    throw new Error(`the words that may follow an address are ssl, http2 and proxy_protocol, not "${word}"`);
  }
  return { hostname, port, tls, http2, ipv6Only, proxyProtocol };
}

/** Only this machine can reach it. */
export function isLoopback({ hostname }: Pick<ListenAddress, 'hostname'>): boolean {
  return hostname === 'localhost' || hostname === '::1' || (ipVersion(hostname) === 4 && hostname.startsWith('127.'));
}
