import type { Names } from '../balancing/dns-resolver.ts';
import type { HealthChange, Observation } from '../balancing/health.ts';
import type { Entity, Row } from '../entities/entity.ts';
import type { Json } from '../lib/json.ts';
import type { ListenAddress } from '../lib/listen-address.ts';
import type { LogFormat, LogLevel } from '../lib/log.ts';
import type { Measured } from '../lib/metrics.ts';
import type { KeyPair } from '../lib/self-signed.ts';
import type { Question } from '../plugins/plugin.ts';
import type { ProxyOptions } from '../proxy/proxy.ts';
import type { Change } from '../store/store.ts';

/** All that a worker needs to know of the settings. */
export interface Setup {
  readonly proxy: Omit<ProxyOptions, 'gateway' | 'log'>;
  /** As in the setting `plugins`. */
  readonly plugins: readonly string[];
  readonly prefix: string;
  readonly nodeId: string;
  readonly names: Names;
  /** Where gateways of one database count together; null: there is none. */
  readonly counterFile: string | null;
  readonly log: { readonly level: LogLevel; readonly format: LogFormat };
  /** The only CAs to be trusted, as PEM texts; null: the usual ones. */
  readonly certificates: readonly string[] | null;
}

/** The descriptor by which a worker has the memory of the counters: the first after standard error. */
export const COUNTERS = 3;

/** Where to listen. The certificate comes along: it may have been made at this start. */
export interface Port {
  readonly address: ListenAddress;
  readonly tls: KeyPair | undefined;
}

/** What a process that serves tells of itself. */
export interface Report {
  readonly pid: number;
  /** Requests so far, and those not answered to the last byte. */
  readonly requests: number;
  readonly active: number;
  /** In bytes. */
  readonly heapUsed: number;
  readonly rss: number;
  /** Of its gateway. */
  readonly fault: string | null;
  /** What its plugins have counted; null: that was not asked. */
  readonly metrics: readonly Measured[] | null;
}

/** What the supervisor asks of a worker. Each is answered, those from `setup` to `listen` in the order they came. */
export type Demand =
  | { readonly kind: 'setup'; readonly setup: Setup }
  /** Changes as JSON: written once for all workers. At first all rows there are. */
  | { readonly kind: 'changes'; readonly changes: string }
  /** What has become of targets. */
  | { readonly kind: 'health'; readonly changes: readonly HealthChange[] }
  | { readonly kind: 'listen'; readonly ports: readonly Port[] }
  | { readonly kind: 'log level'; readonly level: LogLevel }
  | { readonly kind: 'report'; readonly withMetrics: boolean }
  | { readonly kind: 'question'; readonly question: Question }
  /** The end: requests in flight may finish, unless it is to be `now`. */
  | { readonly kind: 'stop'; readonly now: boolean };

/** What comes of a demand, where something does: a report of itself, or what its plugins answer. */
export type Result = Report | readonly Json[] | undefined;
export type ResultOf<D extends Demand> = D extends { kind: 'report' }
  ? Report
  : D extends { kind: 'question' }
    ? readonly Json[]
    : undefined;

export type Call = Demand & { readonly number: number };

/** What a worker says: first, that it listens to the supervisor; then what came of each call, and what it sees of targets. */
export type Answer =
  | { readonly awake: true }
  | { readonly observed: Observation }
  | { readonly number: number; readonly error: string | null; readonly result?: Result };

/** Changes on their way to another process, which has entities of its own. */
export const encodeChanges = (changes: Iterable<Change>): string =>
  JSON.stringify([...changes].map(({ entity, id, row }) => [entity.name, id, row]));

export function decodeChanges(text: string, entities: ReadonlyMap<string, Entity>): Change[] {
  return (JSON.parse(text) as [string, string, Row | null][]).map(([name, id, row]) => {
    const entity = entities.get(name);
    if (entity === undefined) throw new Error(`there is no entity '${name}'`);
    return { entity, id, row };
  });
}
