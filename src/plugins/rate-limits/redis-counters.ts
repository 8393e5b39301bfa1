import { Redis, type RedisOptions } from '../../lib/redis.ts';
import { type Taken, taken, type Window, type WindowCounters } from '../../lib/window-counters.ts';
import type { RedisConfig } from './config.ts';

/** What is written a moment too late still finds its key. */
const GRACE_SECONDS = 5;

/** What 0 means to Kong. */
const NGINX_TIMEOUT = 60_000;

/** For each key its limit, what is to be added and when it ends. Answers with the number of the first that is full, then the counts. */
const TAKE = `
local answer = { 0 }
for i, key in ipairs(KEYS) do
  local count = tonumber(redis.call('GET', key) or 0)
  answer[i + 1] = count
  if answer[1] == 0 and tonumber(ARGV[3 * i - 1]) > 0 and count >= tonumber(ARGV[3 * i - 2]) then answer[1] = i end
end
if answer[1] == 0 then
  for i, key in ipairs(KEYS) do
    redis.call('INCRBY', key, ARGV[3 * i - 1])
    redis.call('EXPIREAT', key, ARGV[3 * i])
  end
end
return answer
`;

/** Windows that are counted in a Redis server, by whoever uses it, under Kong's keys. */
export class RedisCounters implements WindowCounters {
  readonly #redis: Redis;

  constructor(redis: Redis) {
    this.#redis = redis;
  }

  async read(windows: readonly Window[]): Promise<readonly number[]> {
    const counts = (await this.#redis.send(
      'MGET',
      windows.map(({ key }) => key),
    )) as (string | null)[];
    return counts.map(Number);
  }

  async take(windows: readonly Window[]): Promise<Taken> {
    const [full = 0, ...counts] = await this.#run(windows);
    return { full: full - 1, counts };
  }

  /** Adds whatever the limits are. Resolves to what the windows hold then. */
  async add(windows: readonly Window[]): Promise<readonly number[]> {
    const [, ...counts] = await this.#run(windows.map(window => ({ ...window, limit: Number.MAX_VALUE })));
    return counts.map((count, index) => count + (windows[index]?.amount ?? 0));
  }

  async #run(windows: readonly Window[]): Promise<number[]> {
    const keys = windows.map(({ key }) => key);
    const rest = windows.flatMap(({ limit, amount, endsAt }) => [limit, amount, Math.ceil(endsAt / 1000) + GRACE_SECONDS]);
    return (await this.#redis.send('EVAL', [TAKE, String(keys.length), ...keys, ...rest.map(String)])) as number[];
  }
}

/** What is known of a window between two looks at the server. */
interface Known {
  readonly window: Window;
  count: number;
  /** Of it, what the server was not told yet. */
  untold: number;
}

/** Windows that are counted here, and brought together with what others count in a Redis server every so many seconds. */
export class SyncedCounters implements WindowCounters {
  readonly #server: RedisCounters;
  readonly #milliseconds: number;
  readonly #onFailure: (error: Error) => void;
  readonly #known = new Map<string, Known>();
  #timer: ReturnType<typeof setTimeout> | null = null;
  #isClosed = false;

  constructor(server: RedisCounters, seconds: number, onFailure: (error: Error) => void) {
    this.#server = server;
    this.#milliseconds = seconds * 1000;
    this.#onFailure = onFailure;
  }

  async read(windows: readonly Window[]): Promise<readonly number[]> {
    return (await this.#all(windows)).map(({ count }) => count);
  }

  async take(windows: readonly Window[]): Promise<Taken> {
    const all = await this.#all(windows);
    const result = taken(
      windows,
      all.map(({ count }) => count),
    );
    if (result.full >= 0) return result;
    for (const [index, known] of all.entries()) {
      const amount = windows[index]?.amount ?? 0;
      known.count += amount;
      known.untold += amount;
    }
    this.#syncSoon();
    return result;
  }

  /** Tells the server what it was not told yet, and learns what others have counted. */
  async sync(): Promise<void> {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    const now = Date.now();
    for (const [key, { window, untold }] of this.#known) if (window.endsAt < now && untold === 0) this.#known.delete(key);
    const told = [...this.#known.values()].filter(({ untold }) => untold !== 0);
    if (told.length === 0) return;
    const windows = told.map(({ window, untold }) => ({ ...window, amount: untold }));
    for (const known of told) known.untold = 0;
    try {
      const counts = await this.#server.add(windows);
      for (const [index, known] of told.entries()) known.count = (counts[index] ?? 0) + known.untold;
    } catch (error) {
      // The server may have counted before the connection broke; rather twice than not at all, and not for longer than the window.
      for (const [index, known] of told.entries()) if (known.window.endsAt >= now) known.untold += windows[index]?.amount ?? 0;
      this.#onFailure(error as Error);
      this.#syncSoon();
    }
  }

  /** Tells it the last, or that it cannot be told. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await this.sync();
  }

  async #all(windows: readonly Window[]): Promise<readonly Known[]> {
    const missing = windows.filter(({ key }) => !this.#known.has(key));
    if (missing.length > 0) {
      const counts = await this.#server.read(missing);
      // Another request may have been faster, and has counted since.
      for (const [index, window] of missing.entries()) {
        if (!this.#known.has(window.key)) this.#known.set(window.key, { window, count: counts[index] ?? 0, untold: 0 });
      }
      this.#syncSoon();
    }
    return windows.map(({ key }) => this.#known.get(key) as Known);
  }

  #syncSoon(): void {
    if (!this.#isClosed) this.#timer ??= setTimeout(() => void this.sync(), this.#milliseconds);
  }
}

/** One connection for all configurations that name the same server. */
const connections = new Map<string, { readonly redis: Redis; users: number }>();

export function acquireRedis(config: RedisConfig): { readonly redis: Redis; release(): void } {
  const options = optionsOf(config);
  const name = JSON.stringify(options);
  const connection = connections.get(name) ?? { redis: new Redis(options), users: 0 };
  connections.set(name, connection);
  connection.users++;
  return {
    redis: connection.redis,
    release() {
      if (--connection.users > 0) return;
      connections.delete(name);
      connection.redis.close();
    },
  };
}

function optionsOf({ host, port, username, password, database, timeout, ssl, ssl_verify, server_name }: RedisConfig): RedisOptions {
  return {
    host: host ?? '',
    port: port ?? 6379,
    username,
    password,
    database: database ?? 0,
    timeout: timeout || NGINX_TIMEOUT,
    tls: ssl ? { verify: ssl_verify === true, serverName: server_name } : null,
  };
}
