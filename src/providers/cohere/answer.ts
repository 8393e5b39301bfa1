import type { ChatEvent, ChatResponse, FinishReason, ToolCall, Usage } from '../../chat/chat.ts';
import type { Json } from '../../lib/json.ts';
import { cited } from './citations.ts';

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
export interface CohereUsage {
  readonly billed_units?: Tokens;
  readonly tokens?: Tokens;
  readonly cached_tokens?: number;
}
interface Tokens {
  readonly input_tokens?: number;
  readonly output_tokens?: number;
}

export function fromChat(body: Json): ChatResponse {
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
          ...cited(message.citations),
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

export const isFailure = (reason: string | undefined) => reason === 'ERROR' || reason === 'TIMEOUT';

export function fromFinishReason(reason: string): FinishReason {
  switch (reason) {
    case 'MAX_TOKENS':
    // v1: the model's own limit.
    case 'ERROR_LIMIT':
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
export function fromUsage(usage: CohereUsage | undefined): { usage?: Usage } {
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

export function fromEvent({ data }: { data: string }): ChatEvent[] {
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
      return citations === undefined ? [] : [{ delta: cited([citations].flat()) }];
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
