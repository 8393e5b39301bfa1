import type { Log } from './log.ts';

const DRAIN_MS = 30_000;

/** What of a server the end needs: it takes no more connections, and its promise is for the requests in flight. */
export interface Stoppable {
  stop(closeActiveConnections?: boolean): Promise<void>;
}

/** No new connections; requests in flight may finish, for half a minute. */
export async function drain(servers: readonly Stoppable[], log: Log): Promise<void> {
  const timer = setTimeout(() => {
    log.warn(`requests still in flight after ${DRAIN_MS / 1000} s are cut off`);
    for (const server of servers) void server.stop(true);
  }, DRAIN_MS);
  await Promise.all(servers.map(server => server.stop()));
  clearTimeout(timer);
}
