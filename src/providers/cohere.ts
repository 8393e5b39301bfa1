import type { ChatEvent, ChatRequest, ChatResponse, FinishReason, Message, Part, ToolCall, Usage } from '../chat/chat.ts';
import type { CompletionEvent, CompletionRequest, CompletionResponse } from '../chat/completion.ts';
import { ConfigurationError } from '../lib/configuration-error.ts';
import type { Json, JsonObject } from '../lib/json.ts';
import { RequestFailure } from '../lib/request-failure.ts';
import { decodeSse } from '../stream/sse.ts';
import { operationUrl } from './endpoint.ts';
import { defineProvider, type Translation } from './provider.ts';

const ORIGIN = 'https://api.cohere.com';

/** Members of Cohere's own that OpenAI lacks: they pass. */
const OWN_MEMBERS = ['documents', 'citation_options', 'safety_mode', 'strict_tools', 'thinking', 'priority'];

/**
 * Cohere's v2 API: https://docs.cohere.com/reference/chat
 * It has no completions since `/v1/generate` was shut down: a prompt is a chat of one message.
 * https://docs.cohere.com/docs/migrating-from-cogenerate-to-cochat
 */
export const cohere = defineProvider({
  name: 'cohere',

  model({ options }) {
    const endpoint = { url: operationUrl(options, ORIGIN, '/v2/chat') };
    if (/\/v1\/(chat|generate)$/.test(new URL(endpoint.url).pathname)) {
      throw new ConfigurationError('the v1 API of cohere is not supported, use its /v2/chat', 'model.options.upstream_url');
    }
    const chat: Translation<ChatRequest, ChatResponse, ChatEvent> = {
      dialect: 'own',
      endpoint: () => endpoint,
      request: toChat,
      response: fromChat,
      stream: () => ({ decode: decodeSse(), translate: fromEvent }),
    };
    const completions: Translation<CompletionRequest, CompletionResponse, CompletionEvent> = {
      ...chat,
      request: request => toChat(asChat(request)),
      response: body => asCompletion(fromChat(body)),
      stream: () => ({ decode: decodeSse(), translate: frame => fromEvent(frame).map(asCompletionEvent) }),
    };
    return { chat, completions };
  },
});

function refuseUnless(supported: boolean, what: string) {
  if (!supported) throw new RequestFailure(400, `cohere does not support ${what}`);
}

function toChat(request: ChatRequest): JsonObject {
  refuseUnless((request.n ?? 1) === 1, "'n' other than 1");
  refuseUnless(Object.keys(request.logit_bias ?? {}).length === 0 && !request.logprobs, "'logit_bias' and 'logprobs'");

  const { tools, tool_choice: choice } = request;
  const only = typeof choice === 'object' ? choice?.function.name : undefined;
  return withoutAbsent({
    model: request.model,
    messages: request.messages.map(toMessage),
    stream: request.stream ?? false,
    max_tokens: request.max_completion_tokens ?? request.max_tokens,
    temperature: request.temperature,
    p: request.top_p,
    k: request.top_k,
    seed: request.seed,
    stop_sequences: request.stop == null ? undefined : [request.stop].flat(),
    frequency_penalty: request.frequency_penalty,
    presence_penalty: request.presence_penalty,
    tools: tools?.filter(tool => only === undefined || tool.function.name === only).map(toTool),
    strict_tools: tools?.some(tool => tool.function.strict) || undefined,
    tool_choice: toToolChoice(choice),
    response_format: toResponseFormat(request.response_format),
    thinking: request.reasoning_effort === 'none' ? { type: 'disabled' } : undefined,
    ...Object.fromEntries(OWN_MEMBERS.filter(name => name in request).map(name => [name, request[name]])),
  });
}

const withoutAbsent = (members: Record<string, unknown>) =>
  Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined && value !== null)) as JsonObject;

function toMessage(message: Message) {
  const content = toContent(message);
  switch (message.role) {
    case 'system':
    case 'developer':
      return { role: 'system', content };
    case 'assistant':
      // An assistant's turn of tool calls alone has no content; Cohere refuses an empty one.
      return withoutAbsent({ role: 'assistant', content: content || undefined, tool_calls: message.tool_calls });
    case 'tool':
      return { role: 'tool', tool_call_id: message.tool_call_id, content };
    default:
      return { role: message.role, content };
  }
}

function toContent({ content, refusal }: Message) {
  if (!Array.isArray(content)) return content ?? refusal ?? '';
  return content.map(toPart);
}

function toPart(part: Part) {
  switch (part.type) {
    case 'text':
      return { type: 'text', text: part.text };
    case 'refusal':
      return { type: 'text', text: part.refusal };
    case 'image_url':
      return { type: 'image_url', image_url: part.image_url };
    default:
      throw new RequestFailure(400, `cohere does not support content of type '${(part as { type?: unknown }).type}'`);
  }
}

const toTool = ({ function: { name, description, parameters } }: NonNullable<ChatRequest['tools']>[number]) => ({
  type: 'function',
  function: withoutAbsent({ name, description, parameters: parameters ?? { type: 'object', properties: {} } }),
});

/** One tool by name is that tool alone, required. */
function toToolChoice(choice: ChatRequest['tool_choice']) {
  if (choice == null || choice === 'auto') return undefined;
  return choice === 'none' ? 'NONE' : 'REQUIRED';
}

function toResponseFormat(format: ChatRequest['response_format']) {
  if (format?.type !== 'json_schema') return format;
  return withoutAbsent({ type: 'json_object', json_schema: format.json_schema.schema });
}

/** What v2 answers: https://docs.cohere.com/reference/chat */
interface Answer {
  readonly id: string;
  readonly finish_reason: string;
  readonly message: {
    readonly content?: readonly Block[];
    readonly tool_plan?: string;
    readonly tool_calls?: readonly ToolCall[];
    readonly citations?: Json[];
  };
  readonly usage?: CohereUsage;
}
interface Block {
  readonly type?: string;
  readonly text?: string;
  readonly thinking?: string;
}
interface CohereUsage {
  readonly billed_units?: Tokens;
  readonly tokens?: Tokens;
  readonly cached_tokens?: number;
}
interface Tokens {
  readonly input_tokens?: number;
  readonly output_tokens?: number;
}

function fromChat(body: Json): ChatResponse {
  const { id, finish_reason, message, usage } = body as unknown as Answer;
  if (message === undefined) throw new Error("'message' missing from cohere's answer");
  if (isFailure(finish_reason)) throw new Error(`cohere gave up: ${finish_reason}`);

  const blocks = message.content ?? [];
  const text = blocks.map(block => block.text ?? '').join('') || message.tool_plan || null;
  const thinking = blocks.map(block => block.thinking ?? '').join('');
  return {
    id,
    choices: [
      {
        index: 0,
        message: {
          role: 'assistant',
          content: text,
          ...(thinking && { reasoning_content: thinking }),
          ...(message.tool_calls?.length && { tool_calls: message.tool_calls.map(fromToolCall) }),
          ...(message.citations?.length && { citations: message.citations }),
        },
        finish_reason: fromFinishReason(finish_reason),
      },
    ],
    ...fromUsage(usage),
  };
}

const fromToolCall = ({ id, function: { name, arguments: input } }: ToolCall): ToolCall => ({
  id,
  type: 'function',
  function: { name, arguments: input },
});

const isFailure = (reason: string | undefined) => reason === 'ERROR' || reason === 'TIMEOUT';

function fromFinishReason(reason: string): FinishReason {
  switch (reason) {
    case 'MAX_TOKENS':
      return 'length';
    case 'TOOL_CALL':
      return 'tool_calls';
    case 'ERROR_TOXIC':
      return 'content_filter';
    default:
      return 'stop';
  }
}

/** What Cohere bills, as Kong counts; `tokens` adds what Cohere itself puts before the prompt. */
function fromUsage(usage: CohereUsage | undefined): { usage?: Usage } {
  const prompt = usage?.billed_units?.input_tokens ?? usage?.tokens?.input_tokens;
  const completion = usage?.billed_units?.output_tokens ?? usage?.tokens?.output_tokens;
  if (prompt === undefined || completion === undefined) return {};
  return {
    usage: {
      prompt_tokens: prompt,
      completion_tokens: completion,
      total_tokens: prompt + completion,
      ...(usage?.cached_tokens !== undefined && { prompt_tokens_details: { cached_tokens: usage.cached_tokens } }),
    },
  };
}

/** https://docs.cohere.com/docs/streaming and https://docs.cohere.com/docs/tool-use-streaming */
interface StreamedEvent {
  readonly type?: string;
  readonly id?: string;
  readonly index?: number;
  readonly delta?: {
    readonly message?: {
      readonly content?: Block;
      readonly tool_plan?: string;
      readonly tool_calls?: Partial<ToolCall>;
      readonly citations?: Json;
    };
    readonly finish_reason?: string;
    readonly error?: string;
    readonly usage?: CohereUsage;
  };
}

function fromEvent({ data }: { data: string }): ChatEvent[] {
  if (data === '[DONE]') return [];
  const { type, id, index = 0, delta = {} } = JSON.parse(data) as StreamedEvent;
  const { content, tool_plan, tool_calls, citations } = delta.message ?? {};
  switch (type) {
    case 'message-start':
      return [{ ...(id !== undefined && { id }), delta: { role: 'assistant', content: '' } }];
    case 'content-start':
    case 'content-delta':
      if (content?.thinking) return [{ delta: { reasoning_content: content.thinking } }];
      return content?.text ? [{ delta: { content: content.text } }] : [];
    case 'tool-plan-delta':
      return tool_plan ? [{ delta: { content: tool_plan } }] : [];
    case 'tool-call-start':
      return [{ delta: { tool_calls: [{ index, type: 'function', ...startOf(tool_calls) }] } }];
    case 'tool-call-delta':
      return [{ delta: { tool_calls: [{ index, function: { arguments: tool_calls?.function?.arguments ?? '' } }] } }];
    case 'citation-start':
      return citations === undefined ? [] : [{ delta: { citations: [citations] } }];
    case 'message-end':
      if (delta.error !== undefined || isFailure(delta.finish_reason)) {
        return [{ error: { message: delta.error ?? `cohere gave up: ${delta.finish_reason}`, type: 'api_error' } }];
      }
      return [{ finish_reason: fromFinishReason(delta.finish_reason ?? 'COMPLETE'), ...fromUsage(delta.usage) }];
    default:
      return [];
  }
}

const startOf = (call: Partial<ToolCall> = {}) => ({
  ...(call.id !== undefined && { id: call.id }),
  function: { name: call.function?.name ?? '', arguments: call.function?.arguments ?? '' },
});

function asChat({ prompt, suffix, echo, best_of, ...rest }: CompletionRequest): ChatRequest {
  const text = [prompt].flat();
  refuseUnless(text.length === 1 && typeof text[0] === 'string', 'other prompts than one text');
  refuseUnless(suffix == null && !echo && (best_of ?? 1) === 1, "'suffix', 'echo' and 'best_of'");
  return { ...rest, messages: [{ role: 'user', content: text[0] as string }] };
}

const asCompletion = ({ choices, ...rest }: ChatResponse): CompletionResponse => ({
  ...rest,
  choices: choices.map(({ index, message, finish_reason }) => ({ index, text: textOf(message.content), finish_reason })),
});

const textOf = (content: Message['content']) => (typeof content === 'string' ? content : '');

const asCompletionEvent = ({ delta, ...rest }: ChatEvent): CompletionEvent => ({
  ...rest,
  ...(delta?.content !== undefined && { text: delta.content }),
});
