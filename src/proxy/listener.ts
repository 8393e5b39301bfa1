import type { Server } from 'bun';
import type { ListenAddress } from '../lib/listen-address.ts';
import type { KeyPair } from '../lib/self-signed.ts';
import type { HttpProxy } from './proxy.ts';
import { IDLE_SECONDS } from './request-context.ts';

/**
 * Opens a port for a proxy, for this process alone or `shared` with others that say so too. Throws when it cannot be had.
 * Its `stop` refuses new connections and waits for requests in flight.
 */
export function listen(
  { hostname, port }: Pick<ListenAddress, 'hostname' | 'port'>,
  tls: KeyPair | undefined,
  proxy: HttpProxy,
  use: 'alone' | 'shared' = 'alone',
): Server<undefined> {
  return Bun.serve({
    hostname,
    port,
    ...(tls && { tls }),
    idleTimeout: IDLE_SECONDS,
    // How large a body may be is for plugins to say.
    maxRequestBodySize: Number.MAX_SAFE_INTEGER,
    // Without it, Bun shows its own page for errors.
    development: false,
    // In production Bun lets programs share a port unless told otherwise: a second gateway would take half of the connections.
    reusePort: use === 'shared',
    fetch: (request, server) => proxy.fetch(request, server),
  });
}
