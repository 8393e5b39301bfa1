import type { Entity, Row } from '../entities/entity.ts';
import type { Counters, Lifetime } from '../lib/counters.ts';
import type { Json } from '../lib/json.ts';
import type { Log } from '../lib/log.ts';
import type { Metrics } from '../lib/metrics.ts';
import type { WindowCounters } from '../lib/window-counters.ts';
import type { EntityCheck } from '../schema/entity-check.ts';
import type { Field, RecordField } from '../schema/field.ts';
import type { Context, CredentialPlaces } from './context.ts';

type Awaitable<T> = T | Promise<T>;

/** What a plugin does to a request, in the order the request meets it. */
export interface Phases {
  /** Where it looks for credentials: known of each request before the first plugin may refuse it. */
  readonly credentialPlaces?: CredentialPlaces;
  /** Before the upstream is called. A returned Response answers the client at once. */
  access?(context: Context): Awaitable<Response | undefined>;
  /**
   * On the way back, also for what the gateway answered itself. `response.headers` may be changed in place;
   * a returned Response replaces the one passed in, and its body may be a stream. One with a Content-Length has its body whole.
   */
  response?(context: Context, response: Response): Awaitable<Response | undefined>;
  /** After the last byte, or when the client left. */
  log?(context: Context): Awaitable<void>;
  /** What this configuration says to a question that the plugin's own part of the Admin API asks; null: nothing. */
  answer?(question: Json): Json | null;
  /** This configuration is no longer used: flush and let go. */
  close?(): Awaitable<void>;
}

/** A question on its way to configurations of a plugin, wherever they serve: to all of them, or to that of one row. */
export interface Question {
  readonly plugin: string;
  readonly row: string | null;
  readonly content: Json;
}

/** Asks configurations of the plugin in every process that serves. Resolves to what they answer. */
export type Ask = (content: Json, row?: string) => Promise<readonly Json[]>;

/** What is done at a path of a plugin's own in the Admin API. It gets the segments that the path leaves open, by their names. */
export type AdminHandler = (
  segments: Readonly<Record<string, string>>,
  ask: Ask,
) => Promise<{ readonly status: number; readonly body?: Json }>;

export interface AdminPath {
  /** `:name` stands for one segment. */
  readonly path: string;
  readonly methods: { readonly GET?: AdminHandler; readonly DELETE?: AdminHandler };
}

export type Phase = 'access' | 'response' | 'log';

/** What the gateway lends a plugin when it is configured. */
export interface Host {
  /** Finds a row by its id or a unique field: in memory, at request time, never stale. */
  lookup<R extends Row>(entity: Entity<R>, field: string & keyof R): (value: string) => R | undefined;
  /** Finds the rows whose foreign field points at a row, likewise. */
  pointingAt<R extends Row>(entity: Entity<R>, field: string & keyof R): (id: string) => Iterable<R>;
  /** What a row's id comes to, worked out once and again after rows have changed. */
  remembered<T>(workOut: (id: string) => T): (id: string) => T;
  readonly log: Log;
  /** Of this gateway, all its workers alike. */
  readonly nodeId: string;
  /**
   * Counters that all workers of this gateway share, by keys that begin with what makes them the plugin's own. Kept ones
   * are shared with other gateways of this `prefix` on this machine too. To be asked for in `configure`: throws a
   * ConfigurationError when they cannot be had.
   */
  counters(lifetime: Lifetime): Counters;
  /** Windows that all gateways of one database count together, where there is a database: they outlive restarts. */
  readonly databaseCounters: WindowCounters | null;
  /** What this process counts, for `/metrics`: it outlives the configuration. */
  readonly metrics: Metrics;
  /** A path of the configuration, made absolute from the gateway's `prefix`. */
  path(relative: string): string;
}

/** The row that a configuration comes from. */
export interface PluginInstance {
  readonly id: string;
  readonly name: string;
  /** Ids of what it is for alone. */
  readonly route: string | null;
  readonly service: string | null;
  readonly consumerGroup: string | null;
}

export interface Plugin<Name extends string = string, Config = unknown> {
  readonly name: Name;
  /** Kong's number: higher runs earlier. */
  readonly priority: number;
  /** The plugin's part of Kong's schema: the fields of `config`. */
  readonly config: RecordField<Config>;
  /** Fields of its rows that it takes otherwise than plugins do: `{ consumer: noConsumer }`, when it makes no sense for one consumer. */
  readonly fields?: Readonly<Record<string, Field>>;
  /** Checks of its rows, in which fields are `config.…`, where Kong has them there; those of `config` stand in its record. */
  readonly entity_checks?: readonly EntityCheck[];
  /** It counts for `/metrics`, which shows that while a row configures it; and the health of targets, where a row asks for it. */
  readonly metrics?: { showsHealth(config: Config): boolean };
  /** Paths of its own in the Admin API, beside those of its entities. */
  readonly adminPaths?: readonly AdminPath[];
  /** Entities the plugin brings along, such as its credentials. */
  readonly entities?: readonly Entity[];
  /**
   * Runs once per configuration change; everything no request decides is decided here. Throws a ConfigurationError
   * for what cannot work: the operator's 400, never a client's 500. Opens nothing that `close` does not close.
   */
  configure(config: Config, host: Host, instance: PluginInstance): Phases;
}

/** Types `configure` by the plugin's own schema. */
export const definePlugin = <const Name extends string, Config>(plugin: Plugin<Name, Config>): Plugin<Name, Config> => plugin;
