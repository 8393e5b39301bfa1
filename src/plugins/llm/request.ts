import { ConfigurationError } from '../../lib/configuration-error.ts';
import { isEmpty, isObject, isTooDeep, type Json, type JsonObject } from '../../lib/json.ts';
import { setMembers } from '../../lib/json-members.ts';
import type { LongStrings } from '../../lib/long-strings.ts';
import { RequestFailure } from '../../lib/request-failure.ts';
import type { Credentials, Operation } from '../../providers/provider.ts';
import type { LlmAuth } from './auth.ts';
import { isWatched, type Logging, type ModelConfig } from './config.ts';
import { dropCredentials, mayHoldCredentials } from './credential-members.ts';
import type { ExchangeContext } from './exchange-context.ts';
import { compileTemplate } from './template.ts';

export const ROUTE_TYPES = ['llm/v1/chat', 'llm/v1/completions', 'llm/v1/embeddings', 'preserve'] as const;
export type RouteType = (typeof ROUTE_TYPES)[number];

export interface RequestSettings {
  readonly route_type: RouteType;
  readonly model: ModelConfig;
  readonly response_streaming: 'allow' | 'deny' | 'always' | null;
  /** Bytes; 0: no limit. */
  readonly max_request_body_size: number | null;
  readonly logging: Logging;
}

/** What the way back must know of the way out. */
export interface LlmCall {
  /** What the vendor was asked for. */
  readonly model: string;
  readonly stream: boolean;
  /** The client itself asked for a stream's usage. */
  readonly usageAsked: boolean;
  /** The client asked for embeddings as base64. */
  readonly base64: boolean;
  /** What of the model's options goes out, where it is known. */
  readonly options?: { readonly max_tokens: Json | undefined; readonly temperature: Json | undefined };
  /** By the clock of `performance.now()`. */
  readonly startedAt: number;
  /** The body as the client sent it, when it is to be logged. */
  readonly text: string;
}

/** The members that are looked at here; any JSON until they are checked. */
type Name =
  | 'model'
  | 'messages'
  | 'prompt'
  | 'input'
  | 'encoding_format'
  | 'dimensions'
  | 'stream'
  | 'stream_options'
  | 'max_completion_tokens'
  | (typeof OPTIONS)[number];
type Body = JsonObject & { [N in Name]?: Json };
type Members = { [N in Name]?: Json | undefined };

const OPTIONS = ['max_tokens', 'temperature', 'top_p', 'top_k'] as const;

/** Makes the client's request the one that goes to the vendor. Throws a RequestFailure for one that may not go. */
export function compileRequest<Request>(
  settings: RequestSettings,
  operation: Operation<Request, unknown, unknown>,
  auth: LlmAuth,
  credentials: Credentials | null,
) {
  const { route_type, response_streaming, logging, model } = settings;
  const limit = settings.max_request_body_size ?? 0;
  const configuredName = compileTemplate(model.name, 'model.name');
  const configured = configuredMembers(route_type, model.options);
  const fixed: { readonly [name: string]: number } = Object.fromEntries(configured);
  const watched = isWatched(logging);
  const readsAnswer = watched || operation.dialect === 'own' || operation.amend !== undefined;

  return async (context: ExchangeContext): Promise<LlmCall> => {
    const startedAt = performance.now();
    if (mayHoldCredentials(context)) await dropCredentials(context, limit);
    const { text, body, longStrings } = await readBody(context, limit, operation.dialect === 'own' ? 'read' : 'pass on');
    checkRouteType(body, route_type);
    const name = typeof configuredName === 'function' ? configuredName(context) : configuredName;
    const call = {
      model: modelOf(body, name, model.model_alias),
      stream: streamOf(body),
      usageAsked: usageAsked(body),
      base64: body.encoding_format === 'base64',
      options: {
        max_tokens: fixed['max_tokens'] ?? body.max_tokens ?? body.max_completion_tokens,
        temperature: fixed['temperature'] ?? body.temperature,
      },
      startedAt,
      text: logging.log_payloads ? await context.body.text(limit) : '',
      path: context.path,
      query: context.query,
    };

    const members = changedMembers(body, call);
    if (operation.dialect === 'own') checkDepth(body);
    const { url, headers } = operation.endpoint(call);
    const { upstream } = context;
    upstream.url = auth.url(url, context.query, context.credentialPlaces);
    upstream.method = 'POST';
    const sent = sentMembers(body, members);
    if (operation.dialect === 'openai') checkDepth(sent);
    const changes = longStrings ? longStrings.marked(sent) : sent;
    const json = operation.dialect === 'openai' ? setMembers(text, changes) : JSON.stringify(changes);
    upstream.body = longStrings ? longStrings.wholeToSend(json) : json;
    // They describe the client's body.
    for (const name of ['content-length', 'content-encoding']) if (name in upstream.headers) delete upstream.headers[name];
    upstream.headers['content-type'] = 'application/json';
    setHeaders(context, headers, auth, readsAnswer);
    if (credentials !== null) {
      await credentials.sign({ method: 'POST', url: upstream.url, headers: upstream.headers, body: upstream.body });
    }
    return call;
  };

  /** What the vendor gets, or what of the client's body is changed for it. */
  function sentMembers(body: Body, members: Members): Readonly<Record<string, Json | undefined>> {
    const request = isEmpty(members) ? body : { ...body, ...members };
    return operation.dialect === 'openai'
      ? Object.assign(members, translated(operation.patch, request), auth.members(body))
      : { ...translated(operation.request, request), ...auth.members(body) };
  }

  function translated<Made>(make: ((request: Request) => Made) | undefined, body: object): Made | undefined {
    try {
      return make?.(body as Request);
    } catch (error) {
      if (error instanceof RequestFailure) throw error;
      // A member of another type than OpenAI's, such as a number where messages have text.
      throw new RequestFailure(400, `request body is not in the format of [${route_type}]`);
    }
  }

  /** Kong's word: `always` makes a stream of every answer, `deny` of none. */
  function streamOf({ stream }: Body): boolean {
    const asked = stream !== undefined && stream !== null && stream !== false;
    if (asked && response_streaming === 'deny') throw new RequestFailure(400, 'response streaming is not enabled for this LLM');
    return asked || response_streaming === 'always';
  }

  /** What the operator configured wins over what the client asked for. */
  function changedMembers(body: Body, call: LlmCall): Members {
    const members: Members = {};
    if (body.model !== call.model) members.model = call.model;
    if (call.stream && body.stream !== true) members.stream = true;
    for (const [name, value] of configured) {
      if (name === 'max_tokens' && body.max_completion_tokens != null) {
        // The limit's newer name: a body with both is refused.
        members.max_completion_tokens = value;
        members.max_tokens = undefined;
      } else if (body[name] !== value) members[name] = value;
    }
    if (call.stream && watched && !call.usageAsked && operation.dialect === 'openai' && operation.streamsUsage) {
      members.stream_options = { ...(isObject(body.stream_options) && body.stream_options), include_usage: true };
    }
    return members;
  }
}

/** The client's headers made the vendor's. */
export function setHeaders(
  { upstream, credentialPlaces }: Pick<ExchangeContext, 'upstream' | 'credentialPlaces'>,
  vendors: Readonly<Record<string, string>> | undefined,
  auth: LlmAuth,
  readsAnswer: boolean,
) {
  const headers: Record<string, string> & { host?: string } = upstream.headers;
  // The address of another.
  if (headers.host !== undefined) delete headers.host;
  // Left out, fetch would ask for encodings of its own choice, which the client may not know.
  if (readsAnswer || !('accept-encoding' in headers)) headers['accept-encoding'] = 'identity';
  auth.headers(headers, credentialPlaces);
  if (vendors !== undefined) Object.assign(headers, vendors);
}

/** What the operator sets in the bodies of this route type. Throws a ConfigurationError for an option that such a body does not have. */
export function configuredMembers(routeType: RouteType, options: ModelConfig['options']): readonly (readonly [Name, number])[] {
  const given = [...OPTIONS, 'embeddings_dimensions' as const].flatMap(option => {
    const value = options?.[option];
    return typeof value === 'number' ? [{ option, value }] : [];
  });
  return given.map(({ option, value }) => {
    const isEmbeddings = option === 'embeddings_dimensions';
    const belongs = routeType !== 'preserve' && isEmbeddings === (routeType === 'llm/v1/embeddings');
    if (!belongs) throw new ConfigurationError(`has no effect with route_type ${routeType}`, `model.options.${option}`);
    return [isEmbeddings ? 'dimensions' : option, value];
  });
}

/** What a client sent; `text` is all of it but for its long strings, where they stand apart. */
interface Received {
  readonly text: string;
  readonly body: Body;
  readonly longStrings: LongStrings | null;
}

async function readBody({ request, body }: ExchangeContext, limit: number, use: 'read' | 'pass on'): Promise<Received> {
  const type = request.headers.get('content-type');
  const apart = body.longStrings?.(limit, use) ?? null;
  const longStrings = apart && (await apart);
  const parsed = type === null || type.toLowerCase().includes('application/json') ? await body.json(limit) : undefined;
  if (parsed === undefined || typeof parsed !== 'object') {
    throw new RequestFailure(400, 'content-type header does not match request body, or bad JSON formatting');
  }
  if (!isObject(parsed)) throw new RequestFailure(400, "request body doesn't contain valid prompts");
  return { text: longStrings?.text ?? (await body.text(limit)), body: parsed as Body, longStrings };
}

/** Of what is not sent on as the client wrote it. */
function checkDepth(members: object): void {
  if (isTooDeep(members)) throw new RequestFailure(400, 'request body is nested too deeply');
}

const hasMessages = ({ messages }: Body) => Array.isArray(messages) && messages.length > 0 && messages.every(isObject);
const hasInput = ({ input }: Body) => typeof input === 'string' || (Array.isArray(input) && input.length > 0);
const hasPrompt = ({ prompt }: Body) => typeof prompt === 'string' || (Array.isArray(prompt) && prompt.length > 0);

const FORMATS: readonly (readonly [RouteType, (body: Body) => boolean])[] = [
  ['llm/v1/chat', hasMessages],
  ['llm/v1/completions', hasPrompt],
  ['llm/v1/embeddings', hasInput],
];

function checkRouteType(body: Body, routeType: RouteType) {
  let format: RouteType | null = null;
  for (const [type, has] of FORMATS) {
    if (!has(body)) continue;
    if (format !== null) throw new RequestFailure(400, 'request matches multiple LLM request formats');
    format = type;
  }
  if (format === null) throw new RequestFailure(400, "request body doesn't contain valid prompts");
  if (format === routeType) return;
  throw new RequestFailure(400, `[${format}] message format is not compatible with [${routeType}] route type`);
}

function modelOf({ model }: Body, configured: string | null, alias: string | null): string {
  const asked = typeof model === 'string' && model !== '' && model !== alias ? model : null;
  checkModel(configured, asked);
  const name = configured ?? asked;
  if (name === null) throw new RequestFailure(400, 'model parameter not found in request, nor in gateway configuration');
  return name;
}

/** Throws a RequestFailure for a client that asks for another model than the operator configured. */
export function checkModel(configured: string | null, asked: Json | undefined) {
  if (configured === null || typeof asked !== 'string' || asked === '' || asked === configured) return;
  throw new RequestFailure(400, `cannot use own model - must be: ${configured}`);
}

function usageAsked({ stream_options: options }: Body): boolean {
  if (!isObject(options)) return false;
  const { include_usage } = options;
  return include_usage === true;
}
