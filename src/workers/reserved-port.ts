import type { Stoppable } from '../lib/drain.ts';
import type { ListenAddress } from '../lib/listen-address.ts';

/**
 * Holds a port that workers are about to share. Whoever shares a port does not learn that another program has it, so it is
 * taken alone first: throws when it cannot be had.
 */
export function reservePort({
  hostname,
  port,
  ipv6Only = false,
}: Pick<ListenAddress, 'hostname' | 'port'> & Partial<ListenAddress>): Stoppable & { readonly port: number } {
  const server = Bun.serve({ hostname, port, ipv6Only, reusePort: false, fetch: () => new Response(null, { status: 503 }) });
  return { port: server.port ?? port, stop: () => server.stop(true) };
}
