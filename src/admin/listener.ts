import type { Server } from 'bun';
import type { ListenAddress } from '../lib/listen-address.ts';
import type { KeyPair } from '../lib/self-signed.ts';
import type { App } from './app.ts';

const IDLE_SECONDS = 60;

/** An app that is loaded when it is first asked: a gateway serves sooner, and in less memory where nobody asks. */
export function whenAsked(load: () => Promise<App>): App {
  let loaded: Promise<App> | null = null;
  return {
    async fetch(request, address) {
      loaded ??= load();
      return (await loaded).fetch(request, address);
    },
  };
}

/** Opens a port for the Admin API or the status page. Throws when it cannot be had. */
export function listenApp(
  { hostname, port, http2 = false, ipv6Only = false }: Pick<ListenAddress, 'hostname' | 'port'> & Partial<ListenAddress>,
  tls: KeyPair | undefined,
  app: App,
): Server<undefined> {
  return Bun.serve({
    hostname,
    port,
    http2,
    ipv6Only,
    ...(tls && { tls }),
    idleTimeout: IDLE_SECONDS,
    // The app reads no more than it takes, and says so itself.
    maxRequestBodySize: Number.MAX_SAFE_INTEGER,
    development: false,
    // As for the proxy: in production Bun would let another program share the port.
    reusePort: false,
    fetch: (request, server) => app.fetch(request, server.requestIP(request)?.address),
  });
}
