import type { ChatEvent, ChatRequest, ChatResponse } from '../chat/chat.ts';
import type { CompletionEvent, CompletionRequest, CompletionResponse } from '../chat/completion.ts';
import type { Json, JsonObject } from '../lib/json.ts';
import type { Decode, Frame } from '../stream/frame.ts';

/** What `ai-proxy` says of the model it calls: its `model` record, validated. */
export interface Target {
  /** Null: the client names the model. */
  readonly name: string | null;
  readonly options: Options;
}

/** `config.model.options`, as far as providers read it. */
export interface Options {
  /** The whole URL in place of the vendor's own. */
  readonly upstream_url?: string | null;
  /** The path alone in place of the vendor's own; Kong's older word. */
  readonly upstream_path?: string | null;
  readonly max_tokens?: number | null;
  readonly temperature?: number | null;
  readonly top_p?: number | null;
  readonly top_k?: number | null;
}

/** A provider: how one vendor's API differs from OpenAI's. Pure functions both ways: no I/O, no clock, no globals. */
export interface Provider<Name extends string = string> {
  readonly name: Name;
  /** Binds the provider to a target; runs once per configuration change. Throws a ConfigurationError for what cannot work. */
  model(target: Target): Model;
}

/** The operations a vendor has, under OpenAI's names. What it lacks is absent, and refused when it is configured. */
export interface Model {
  readonly chat?: Operation<ChatRequest, ChatResponse, ChatEvent>;
  readonly completions?: Operation<CompletionRequest, CompletionResponse, CompletionEvent>;
}

export type Operation<Request, Answer, Event> = Unchanged<Request> | Translation<Request, Answer, Event>;

/** Where a call goes. Static but for vendors that put the model or the way of answering in the URL. */
interface Endpoint {
  endpoint(call: { model: string; stream: boolean }): { url: string; headers?: Readonly<Record<string, string>> };
  /** The vendor's error in OpenAI's shape; without it, `error.message`, `message` or `detail` of the body is taken. */
  error?(status: number, body: Json): { message: string; type?: string; code?: string };
}

/** The vendor speaks OpenAI's dialect: the client's bytes pass, but for some top-level members. */
export interface Unchanged<Request> extends Endpoint {
  readonly dialect: 'openai';
  /** Members this vendor wants otherwise; undefined takes one away. */
  patch?(request: Request): Readonly<Record<string, Json | undefined>>;
  /** Whether the vendor knows `stream_options.include_usage`. */
  readonly streamsUsage: boolean;
}

export interface Translation<Request, Answer, Event> extends Endpoint {
  readonly dialect: 'own';
  /** Throws a RequestFailure (400) for what the vendor cannot do and leaving out would change the answer. */
  request(request: Request): JsonObject;
  /** Throws for a body that is no answer. */
  response(body: JsonObject): Answer;
  /** Starts one stream; what it must remember lives in the closure. */
  stream(): StreamTranslation<Event>;
}

export interface StreamTranslation<Event> {
  readonly decode: Decode;
  /** Throws for a frame that is none of the vendor's. */
  translate(frame: Frame): Event[];
}

export const defineProvider = <const Name extends string>(provider: Provider<Name>): Provider<Name> => provider;
