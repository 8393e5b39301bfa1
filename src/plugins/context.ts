import type { Consumer } from '../entities/consumer.ts';
import type { Row } from '../entities/entity.ts';
import type { Route } from '../entities/route.ts';
import type { Service } from '../entities/service.ts';
import type { Json, JsonObject } from '../lib/json.ts';
import type { LongStrings } from '../lib/long-strings.ts';
import type { TlsFacts } from '../lib/server-hello.ts';

/** One request on its way through the gateway. Plugins read the first half and shape the second. */
export interface Context {
  /** 32 hex digits: `X-Kong-Request-Id`. */
  readonly id: string;
  readonly request: Request;
  readonly method: string;
  /** Percent-encoded as it came, without the query. */
  readonly path: string;
  /** With its `?`, or empty. */
  readonly query: string;
  /** Made anew each time. */
  readonly url: URL;
  readonly scheme: 'http' | 'https';
  /** As the client named it, its port included when there was one. */
  readonly host: string;
  readonly clientIp: string;
  /** The other end of the connection, which may be a load balancer. */
  readonly peerIp: string;
  /** Of the connection; null: it is plain, or nothing is known of it. */
  readonly tls: TlsFacts | null;
  /** Where the client came in. */
  readonly port: string;
  /** Milliseconds since 1970. */
  readonly startedAt: number;
  readonly route: Route | null;
  readonly service: Service | null;
  /** What the parentheses of a regex path caught: by number, and by name. */
  readonly captures: Readonly<Record<string, string>> | null;
  consumer: Consumer | null;
  /** Null while nobody has proved who they are: an anonymous consumer has none. */
  credential: Row | null;
  /** Groups that who proved the client's identity says it is in, where that is not the gateway. */
  authenticatedGroups: readonly string[] | null;
  /** Where plugins of this request look for credentials. */
  credentialPlaces: readonly CredentialPlaces[];

  /** The client's body: read at most once, parsed at most once, shared by every plugin. */
  readonly body: RequestBody;
  /** What will be sent upstream. */
  readonly upstream: UpstreamRequest;
  /** What happened, for those who log. */
  readonly outcome: Outcome;
  /** What the log plugins print beyond what every request has. */
  readonly log: JsonObject;
  /** A plugin's own notes between its phases. */
  readonly notes: Notes;

  /** The client's connection may rest so long, in milliseconds, while a plugin waits for somebody else. */
  rest(milliseconds: number): void;
}

/** Where clients put what proves who they are: logs do not show what is there, and vendors of models do not get it. */
export interface CredentialPlaces {
  /** Lower-case names of headers. */
  readonly headers: readonly string[];
  /** Names of parameters of the query. */
  readonly parameters: readonly string[];
  /** Names of members of a body. */
  readonly members: readonly string[];
}

export interface RequestBody {
  /**
   * The text of the body, decompressed. Throws a RequestFailure with status 413 past `limit` bytes (0: no limit),
   * counted both as sent and as decompressed.
   */
  text(limit: number): Promise<string>;
  /** What the text parses to; undefined when it is not JSON. */
  json(limit: number): Promise<Json | undefined>;
  /**
   * The same with its long strings apart, when it is JSON that has some and nobody read before; else null. Who reads them all
   * the same gets them so only of megabytes, where it is memory that counts. Counted as `text` is.
   */
  longStrings?(limit: number, use: 'read' | 'pass on'): Promise<LongStrings | null> | null;
  /** As it was sent, whatever its encoding. */
  bytes(limit: number): Promise<Uint8Array>;
  /** What plugins after this one read, and what is sent upstream. It is plain, whatever the encoding was. */
  replace(content: string | Uint8Array<ArrayBuffer>): void;
}

/** Mutable: what a plugin leaves here is what the upstream gets. */
export interface UpstreamRequest {
  /** Absolute. Null while nothing named an upstream: the route has no service and no plugin set one. */
  url: string | null;
  method: string;
  /** Lower-case names; hop-by-hop headers are gone, forwarded headers are in. */
  readonly headers: Record<string, string>;
  /** Undefined: the client's body, as `body` has it. */
  body: string | Uint8Array<ArrayBuffer> | null | undefined;
  /** Milliseconds; from the service unless a plugin says otherwise. `read` and `write` are idle times. */
  readonly timeouts: { connect: number; read: number; write: number };
}

/** Filled as the request goes; complete when the log phase runs. */
export interface Outcome {
  status: number;
  responseHeaders: Headers | null;
  /** Bytes of the client's body that were read, and of the response body that were sent. */
  requestSize: number;
  responseSize: number;
  /** Milliseconds since `startedAt`; null where the request did not come so far. */
  upstreamStartedMs: number | null;
  upstreamFirstByteMs: number | null;
  endedMs: number | null;
  upstreamStatus: number | null;
  /** The upstream's answer told neither a length nor chunks: its end cannot be told from a reset. */
  unframed?: boolean;
  readonly tries: Try[];
  /** Who made the response: Kong's word. */
  source: 'upstream' | 'exit' | 'error';
  /** The client left before the end: logged as 499. */
  clientLeft: boolean;
}

/** One attempt to reach an upstream address. */
export interface Try {
  readonly ip: string;
  readonly port: number;
  readonly startedAt: number;
  readonly state?: 'failed';
  readonly code?: number;
}

/** A typed key: `const startedKey = noteKey<number>('started')`. */
export type NoteKey<T> = symbol & { readonly type?: T };
export const noteKey = <T>(name: string): NoteKey<T> => Symbol(name);
export interface Notes {
  get<T>(key: NoteKey<T>): T | undefined;
  set<T>(key: NoteKey<T>, value: T): void;
}
