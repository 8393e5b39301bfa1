import { ConfigurationError } from '../../lib/configuration-error.ts';
import type { WindowCounters } from '../../lib/window-counters.ts';
import type { Host } from '../plugin.ts';
import type { RedisConfig } from './config.ts';
import { LocalCounters } from './local-counters.ts';
import { acquireRedis, RedisCounters, SyncedCounters } from './redis-counters.ts';

export interface CountingConfig {
  readonly policy: 'local' | 'cluster' | 'redis' | null;
  readonly redis: RedisConfig | null;
}

export interface OpenCounters {
  readonly counters: WindowCounters;
  close(): Promise<void>;
}

/**
 * Where a policy counts: `local` with the workers of this gateway, `cluster` in the gateway's database, `redis` in a server,
 * at each request or, with `syncSeconds`, every so often. Throws a ConfigurationError where there is no database.
 */
export function openCounters(
  { policy, redis }: CountingConfig,
  host: Host,
  syncSeconds: number | null,
  onFailure: (error: Error) => void,
): OpenCounters {
  if (policy === 'redis' && redis !== null) {
    const { redis: server, release } = acquireRedis(redis);
    const counters = new RedisCounters(server);
    if (syncSeconds === null) return { counters, close: async () => release() };
    const synced = new SyncedCounters(counters, syncSeconds, onFailure);
    return { counters: synced, close: () => synced.close().finally(release) };
  }
  if (policy !== 'cluster') return { counters: new LocalCounters(host.counters('passing')), close: async () => {} };
  if (host.databaseCounters === null) throw new ConfigurationError('expected one of: local, redis', 'policy');
  return { counters: host.databaseCounters, close: async () => {} };
}
