import { RedisClient } from 'bun';
import { trustedAlone } from './outbound.ts';

export interface RedisOptions {
  readonly host: string;
  readonly port: number;
  readonly username: string | null;
  readonly password: string | null;
  readonly database: number;
  /** For the connection, and then for each command, in milliseconds. */
  readonly timeout: number;
  /** Null: the connection is not encrypted. */
  readonly tls: { readonly verify: boolean; readonly serverName: string | null } | null;
}

/** A server that refuses a command has a connection that works. */
const REFUSED = 'ERR_REDIS_SERVER_ERROR';

/** One connection to a Redis server, made when it is needed and made anew after it broke. */
export class Redis {
  readonly #options: RedisOptions;
  #client: RedisClient | null = null;

  constructor(options: RedisOptions) {
    this.#options = options;
  }

  /** Rejects within the timeout, with an Error of one line, when the server cannot be reached or does not answer, and when it refuses. */
  async send(command: string, args: string[]): Promise<unknown> {
    this.#client ??= connect(this.#options);
    const client = this.#client;
    const { timeout } = this.#options;
    const late = Promise.withResolvers<never>();
    const timer = setTimeout(() => late.reject(new Error(`no answer within ${timeout} ms`)), timeout);
    try {
      return await Promise.race([client.send(command, args), late.promise]);
    } catch (error) {
      // What else there is on its way there comes to nothing too: a connection in doubt is of no use.
      if ((error as { code?: string }).code !== REFUSED) this.#drop(client);
      const { host, port } = this.#options;
      throw new Error(`redis at ${host}:${port}: ${(error as Error).message}`);
    } finally {
      clearTimeout(timer);
    }
  }

  close(): void {
    if (this.#client !== null) this.#drop(this.#client);
  }

  #drop(client: RedisClient): void {
    if (this.#client === client) this.#client = null;
    client.close();
  }
}

function connect({ host, port, username, password, database, timeout, tls }: RedisOptions): RedisClient {
  const url = new URL(
    `${tls ? 'rediss' : 'redis'}://${host.includes(':') && !host.startsWith('[') ? `[${host}]` : host}:${port}/${database}`,
  );
  if (password) {
    url.username = encodeURIComponent(username ?? '');
    url.password = encodeURIComponent(password);
  }
  return new RedisClient(url.href, {
    connectionTimeout: timeout,
    autoReconnect: false,
    ...(tls && {
      tls: { rejectUnauthorized: tls.verify, ca: trustedAlone(), ...(tls.serverName && { serverName: tls.serverName }) },
    }),
  });
}
