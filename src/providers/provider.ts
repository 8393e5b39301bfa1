import type { ChatEvent, ChatRequest, ChatResponse } from '../chat/chat.ts';
import type { CompletionEvent, CompletionRequest, CompletionResponse } from '../chat/completion.ts';
import type { EmbeddingsRequest, EmbeddingsResponse } from '../chat/embeddings.ts';
import type { Json, JsonObject } from '../lib/json.ts';
import type { EntityCheck } from '../schema/entity-check.ts';
import type { Field, Infer } from '../schema/field.ts';
import type { Decode, Frame } from '../stream/frame.ts';

type Fields = Readonly<Record<string, Field>>;
type Values<F extends Fields> = { readonly [K in keyof F]?: Infer<F[K]> };

/** `config.model.options`, as far as all providers read it. */
export interface Options {
  /** The whole URL in place of the vendor's own. */
  readonly upstream_url?: string | null;
  /** The path alone in place of the vendor's own; Kong's older word. */
  readonly upstream_path?: string | null;
  readonly max_tokens?: number | null;
  readonly embeddings_dimensions?: number | null;
}

/** What `ai-proxy` says of the model it calls: its `model` record, validated, templates filled in. */
export interface Target<O extends Fields = Fields> {
  /** Null: the client names the model. */
  readonly name: string | null;
  /** Those of the provider's own that were not given are absent or null. */
  readonly options: Options & Values<O>;
}

/** A provider: how one vendor's API differs from OpenAI's. Translations are pure functions: no I/O, no clock, no globals, no input changed. */
export interface Provider<Name extends string = string, O extends Fields = Fields, A extends Fields = Fields> {
  readonly name: Name;
  /** Fields of `config.model.options` that only this vendor has, under Kong's names. With another provider they keep their defaults. */
  readonly options?: O;
  /** Fields of `config.auth` that only this vendor has. */
  readonly auth?: A;
  /** What the configuration must say for this vendor, its fields named from the plugin's: `model.options.azure_instance`. */
  readonly checks?: readonly EntityCheck[];
  /** Binds the provider to a target; runs once per configuration change. Throws a ConfigurationError for what cannot work. */
  model(target: Target<O>): Model;
  /**
   * How calls prove who asks, where that takes more than a fixed header or parameter: a signature, a token that expires. Null when
   * the configuration asks for no such thing. Opens nothing before the first call.
   */
  credentials?(auth: Values<A> & SharedAuth, target: Target<O>): Credentials | null;
}

/** `config.auth`, as far as all providers read it. */
export interface SharedAuth {
  /** The header that the configuration gives a fixed value. */
  readonly header_name?: string | null;
}

/** Signs calls. Keeps what it fetched until shortly before it expires; who asks meanwhile waits for the one fetch there is. */
export interface Credentials {
  /** Changes `headers`. Throws a RequestFailure (502), without a secret in it, when there is no proof to be had. */
  sign(call: SignedCall): void | Promise<void>;
  /** What no answer, log or error may show: those known by now. */
  secrets(): readonly string[];
}

/** A call as it will be sent. */
export interface SignedCall {
  readonly method: string;
  readonly url: string;
  /** Lower-case names. */
  readonly headers: Record<string, string>;
  readonly body: string | Uint8Array;
}

/** The operations a vendor has, under OpenAI's names. What it lacks is absent, and refused when it is configured. */
export interface Model {
  readonly chat?: Operation<ChatRequest, ChatResponse, ChatEvent>;
  readonly completions?: Operation<CompletionRequest, CompletionResponse, CompletionEvent>;
  readonly embeddings?: Operation<EmbeddingsRequest, EmbeddingsResponse, never>;
  /** Any call of the vendor's API, passed on as it came with the credentials: Kong's route type `preserve`. */
  readonly preserve?: Unchanged<JsonObject>;
}

export type Operation<Request, Answer, Event> = Unchanged<Request> | Translation<Request, Answer, Event>;

interface Endpoint {
  /**
   * Where a call goes. Static but for vendors that put the model or the way of answering in the URL. `path` and `query`, with its `?`,
   * are the client's own; parameters that the URL lacks are added to it afterwards.
   */
  endpoint(call: { model: string; stream: boolean; path: string; query?: string }): {
    url: string;
    headers?: Readonly<Record<string, string>>;
  };
  /** The vendor's error in OpenAI's shape; without it, `error.message`, `message` or `detail` of the body is taken. */
  error?(status: number, body: Json): { message: string; type?: string; code?: string };
}

/** The vendor speaks OpenAI's dialect: the client's bytes pass, but for some top-level members. */
export interface Unchanged<Request> extends Endpoint {
  readonly dialect: 'openai';
  /** Members this vendor wants otherwise; undefined takes one away. Throws a RequestFailure (400) for what it cannot do. */
  patch?(request: Request): Readonly<Record<string, Json | undefined>>;
  /** Whether the vendor knows `stream_options.include_usage`. */
  readonly streamsUsage: boolean;
  /** Where the vendor's answers differ from OpenAI's: a whole answer, or one chunk of a stream, made OpenAI's. Null drops a chunk. */
  readonly amend?: { answer(body: JsonObject): JsonObject; chunk(chunk: JsonObject): JsonObject | null };
}

export interface Translation<Request, Answer, Event> extends Endpoint {
  readonly dialect: 'own';
  /** Throws a RequestFailure (400) for what the vendor cannot do and leaving out would change the answer. */
  request(request: Request): JsonObject;
  /** Throws for a body that is no answer. */
  response(body: Json): Answer;
  /** The media type of the vendor's streams, when not `text/event-stream`. */
  readonly streamType?: string;
  /** Starts one stream; what it must remember lives in the closure. */
  stream(): StreamTranslation<Event>;
}

export interface StreamTranslation<Event> {
  readonly decode: Decode;
  /** Throws for a frame that is none of the vendor's. */
  translate(frame: Frame): Event[];
}

export const defineProvider = <
  const Name extends string,
  const O extends Fields = Record<never, Field>,
  const A extends Fields = Record<never, Field>,
>(
  provider: Provider<Name, O, A>,
): Provider<Name, O, A> => provider;
