import type { ChatRequest } from '../../chat/chat.ts';
import { isObject, type Json, type JsonObject, parseJson } from '../../lib/json.ts';
import type { Log } from '../../lib/log.ts';
import { RequestFailure } from '../../lib/request-failure.ts';
import type { Context } from '../context.ts';
import { plainText } from './body.ts';
import type { Auth, Logging, ModelConfig } from './config.ts';
import { compileExchange, type Exchange } from './exchange.ts';
import type { ExchangeContext } from './exchange-context.ts';
import { newObservation, type Observation } from './observation.ts';
import type { LlmCall } from './request.ts';
import { compileTarget } from './target.ts';

export interface CallSettings {
  readonly llm: { readonly auth: Auth; readonly model: ModelConfig; readonly logging: Logging };
  /** Milliseconds for the whole call, its answer read. */
  readonly http_timeout: number;
  readonly https_verify: boolean;
  readonly http_proxy_host: string | null;
  readonly http_proxy_port: number | null;
  readonly https_proxy_host: string | null;
  readonly https_proxy_port: number | null;
}

/** What a model said, and what the log says of it. */
export interface Told {
  /** In OpenAI's format. */
  readonly answer: JsonObject;
  readonly call: LlmCall;
  readonly observation: Observation;
}

/** Asks a model on behalf of a client's request. Throws a RequestFailure, or what a fetch throws whose client has left. */
type AskModel = (context: Context, chat: ChatRequest) => Promise<Told>;

// Kong's words, and its status for all of them: kong/llm/init.lua and kong/llm/drivers of Kong 3.9.
const failure = (message: string) => new RequestFailure(400, message);
const unreachable = (reason: string) =>
  failure(`failed to introspect request with AI service: request to ai service failed: request failed: ${reason}`);
const unconvertible = (reason: string) => failure(`failed to convert AI response to Kong format: ${reason}`);

/** A plugin's own call of a model, whatever its vendor speaks. Throws a ConfigurationError for what cannot work. */
export function compileCall({ llm, http_timeout, ...settings }: CallSettings, log: Log): AskModel {
  const exchangeSettings = { ...llm, route_type: 'llm/v1/chat', response_streaming: 'deny', max_request_body_size: 0 } as const;
  const exchangeOf = compileTarget(llm.model.options, options => compileExchange(exchangeSettings, options));
  const connection = compileConnection(settings);

  return async (context, chat) => {
    const exchange = exchangeOf(context);
    const within = exchangeWithin(context, chat);
    const call = await exchange.toVendor(within);
    const observation = newObservation();
    context.rest(http_timeout);
    const client = context.request.signal;
    const late = new AbortController();
    // Not AbortSignal.timeout, which is kept until it is over.
    const timer = setTimeout(() => late.abort(), http_timeout);
    try {
      const { url, method, headers, body } = within.upstream;
      const response = await fetch(url ?? '', {
        ...connection(url ?? ''),
        method,
        headers,
        body: body ?? null,
        redirect: 'manual',
        decompress: false,
        timeout: false,
        signal: AbortSignal.any([client, late.signal]),
      });
      const answer = await readAnswer(exchange, within, response, call, observation);
      return { answer, call, observation };
    } catch (error) {
      if (client.aborted) throw error;
      if (error instanceof RequestFailure && !late.signal.aborted) throw error;
      const reason = late.signal.aborted ? 'timeout' : reasonOf(error);
      log.error('the model could not be asked', { request_id: context.id, provider: llm.model.provider, reason });
      throw unreachable(reason);
    } finally {
      clearTimeout(timer);
    }
  };

  async function readAnswer(
    { toClient }: Exchange,
    within: ExchangeContext,
    response: Response,
    call: LlmCall,
    observation: Observation,
  ): Promise<JsonObject> {
    const { provider } = llm.model;
    const translated = (await toClient(within, response, call, observation)) ?? response;
    const body = parseJson(await plainText(translated));
    if (!response.ok) {
      const said = { request_id: within.id, provider, status: response.status, said: messageOf(body) };
      log.error('the model refused what it was asked', said);
      throw failure(`failed to introspect request with AI service: status code ${response.status}`);
    }
    if (!translated.ok) throw unconvertible(messageOf(body));
    const untransformed = `transformation failed from type ${provider}://llm/v1/chat`;
    if (!isObject(body)) throw unconvertible(`${untransformed}: failed to decode llm/v1/chat response`);
    if (!('choices' in body)) throw unconvertible(`${untransformed}: 'choices' not in llm/v1/chat response`);
    return body;
  }
}

/** How a URL is reached. Where no proxy is configured, the gateway's own is used. */
function compileConnection(settings: Omit<CallSettings, 'llm' | 'http_timeout'>): (url: string) => BunFetchRequestInit {
  const { https_verify } = settings;
  const http = proxyTo(settings.http_proxy_host, settings.http_proxy_port);
  const https = {
    ...proxyTo(settings.https_proxy_host, settings.https_proxy_port),
    ...(!https_verify && { tls: { rejectUnauthorized: false } }),
  };
  return url => (url.startsWith('https:') ? https : http);
}

function proxyTo(host: string | null, port: number | null): BunFetchRequestInit {
  if (host === null) return {};
  return { proxy: `http://${host.includes(':') ? `[${host}]` : host}:${port}` };
}

/** The call as a request of its own. Templates of the configuration are filled in from the client's. */
function exchangeWithin({ id, request, url, captures, credentialPlaces, outcome, upstream }: Context, chat: ChatRequest): ExchangeContext {
  const text = JSON.stringify(chat);
  const headers = new Headers(request.headers);
  headers.set('content-type', 'application/json');
  return {
    id,
    request: { headers },
    method: 'POST',
    url,
    path: '/',
    query: '',
    captures,
    credentialPlaces,
    body: {
      text: () => Promise.resolve(text),
      json: () => Promise.resolve(parseJson(text)),
      bytes: () => Promise.resolve(Buffer.from(text)),
      replace: () => undefined,
    },
    upstream: { url: null, method: 'POST', headers: { accept: 'application/json' }, body: undefined, timeouts: upstream.timeouts },
    outcome,
  };
}

/** What an error in OpenAI's shape says. */
function messageOf(body: Json | undefined): string {
  const { error } = isObject(body) ? body : {};
  const { message } = isObject(error) ? error : {};
  return String(message);
}

const REASONS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connection refused',
  ConnectionRefused: 'connection refused',
  ECONNRESET: 'closed',
};

/** Not its message: that may have the URL, and a URL may have a key. */
function reasonOf(error: unknown): string {
  const { code, name } = error as { code?: unknown; name?: string };
  const word = typeof code === 'string' ? code : (name ?? 'Error');
  return REASONS[word] ?? word;
}
