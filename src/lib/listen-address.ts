import { isIP } from 'node:net';

/** Where a listener stands: one of the addresses of `proxy_listen` and its kin. */
export interface ListenAddress {
  readonly hostname: string;
  /** 0: any that is free. */
  readonly port: number;
  readonly tls: boolean;
}

/** Reads `ADDR:PORT` or `ADDR:PORT ssl`; IPv6 addresses stand in brackets. Throws an Error that says what is wrong. */
export function parseListenAddress(text: string): ListenAddress {
  const [address = '', ...words] = text.trim().split(/\s+/);
  const [, bracketed, plain, digits] = /^(?:\[([^\]]+)\]|([^:[\]]+)):(\d{1,5})$/.exec(address) ?? [];
  const hostname = bracketed ?? plain;
  const port = Number(digits);
  if (hostname === undefined || port > 65_535) throw new Error(`expected ADDRESS:PORT or ADDRESS:PORT ssl, not "${text}"`);
  const known = bracketed === undefined ? isIP(hostname) === 4 || hostname === 'localhost' : isIP(hostname) === 6;
  if (!known) throw new Error(`expected an IP address or localhost, not "${bracketed === undefined ? hostname : `[${hostname}]`}"`);
  const unknown = words.find(word => word !== 'ssl');
  if (unknown) throw new Error(`the only word that may follow an address is ssl, not "${unknown}"`);
  return { hostname, port, tls: words.length > 0 };
}

/** Only this machine can reach it. */
export function isLoopback({ hostname }: ListenAddress): boolean {
  return hostname === 'localhost' || hostname === '::1' || (isIP(hostname) === 4 && hostname.startsWith('127.'));
}
