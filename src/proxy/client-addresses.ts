import { ConfigurationError } from '../lib/configuration-error.ts';
import { ipMatcher, ipVersion, plainIp } from '../lib/ip.ts';
import type { Visitor } from './room.ts';
import type { ProxyServer } from './tunnel.ts';

/** In place of the name of a header. */
const PROXY_PROTOCOL = 'proxy_protocol';

/** Who is at the other end, and whether to believe what it says of who is behind it. */
export class ClientAddresses {
  readonly isTrusted: (ip: string) => boolean;
  readonly #header: string;
  readonly #isRecursive: boolean;

  /** Throws a ConfigurationError for a range that is none. */
  constructor(trustedIps: readonly string[], realIpHeader: string, isRecursive: boolean) {
    try {
      this.isTrusted = ipMatcher(trustedIps);
    } catch (error) {
      throw new ConfigurationError(`trusted_ips: ${(error as Error).message}`);
    }
    this.#header = realIpHeader.toLowerCase();
    this.#isRecursive = isRecursive;
  }

  /** Empty when the client has left already. */
  ipOf(request: Request, server: ProxyServer): string {
    const address = server.requestIP(request);
    return address === null ? '' : plainIp(address.address);
  }

  /** What a trusted peer says, as nginx has it: of a list the last address or, recursively, the last that is not trusted. */
  clientIp(headers: Readonly<Record<string, string>>, peerIp: string, visitor: Visitor | null): string {
    if (this.#header === PROXY_PROTOCOL) return visitor?.source ?? peerIp;
    const said = headers[this.#header];
    if (said === undefined) return peerIp;
    let ip = peerIp;
    for (let end = said.length; end > 0; ) {
      const comma = said.lastIndexOf(',', end - 1);
      const next = ipIn(said.slice(comma + 1, end).trim());
      if (next === null) break;
      ip = next;
      if (!this.#isRecursive || !this.isTrusted(ip)) break;
      end = comma;
    }
    return ip;
  }
}

/** Without the port that may follow. */
function ipIn(text: string): string | null {
  const address = /^\[([^\]]+)\](?::\d+)?$/.exec(text)?.[1] ?? /^([^:]+):\d+$/.exec(text)?.[1] ?? text;
  return ipVersion(address) === 0 ? null : plainIp(address);
}
