import type { ChatEvent, ChatResponse, ToolCall, ToolCallDelta } from '../../chat/chat.ts';
import type { Json, JsonObject } from '../../lib/json.ts';
import type { Frame } from '../../stream/frame.ts';
import { type CohereUsage, fromFinishReason, fromUsage, isFailure } from './answer.ts';
import { cited } from './citations.ts';

/** What v1 answers: https://docs.cohere.com/v1/reference/chat */
interface Answer {
  readonly text?: string;
  readonly generation_id?: string;
  readonly finish_reason?: string;
  readonly tool_calls?: readonly Call[] | null;
  readonly citations?: readonly Json[] | null;
  readonly documents?: readonly Json[] | null;
  readonly meta?: CohereUsage;
}
/** v1 gives calls no ids: that of the answer and their place make one that no other turn of the chat has. */
interface Call {
  readonly name: string;
  readonly parameters?: JsonObject;
}

export function fromV1Chat(body: Json): ChatResponse {
  const { text, generation_id: id, finish_reason: reason = 'COMPLETE', tool_calls, citations, documents, meta } = body as Answer;
  if (text === undefined) throw new Error("'text' missing from cohere's answer");
  if (isFailure(reason)) throw new Error(`cohere gave up: ${reason}`);
  const calls = (tool_calls ?? []).map((call, index) => toToolCall(call, id, index));
  const message = {
    role: 'assistant' as const,
    content: text === '' && calls.length > 0 ? null : text,
    ...(calls.length > 0 && { tool_calls: calls }),
    ...cited(citations ?? [], documents ?? []),
  };
  return {
    ...(id !== undefined && { id }),
    choices: [{ index: 0, message, finish_reason: calls.length > 0 ? 'tool_calls' : fromFinishReason(reason) }],
    ...fromUsage(meta),
  };
}

/** https://docs.cohere.com/v1/docs/streaming */
interface StreamedEvent {
  readonly event_type?: string;
  readonly generation_id?: string;
  readonly text?: string;
  readonly tool_call_delta?: { readonly name?: string; readonly index?: number; readonly parameters?: string };
  readonly tool_calls?: readonly Call[];
  readonly citations?: readonly Json[];
  readonly documents?: readonly Json[];
  readonly finish_reason?: string;
  readonly response?: Answer;
}

/** Calls come in pieces and then once more whole; some models give them whole alone. */
export function v1Events(): (frame: Frame) => ChatEvent[] {
  let id = '';
  let documents: readonly Json[] = [];
  const started = new Set<number>();

  return ({ data }) => {
    const event = JSON.parse(data) as StreamedEvent;
    switch (event.event_type) {
      case 'stream-start':
        id = event.generation_id ?? '';
        return [{ ...(id !== '' && { id }), delta: { role: 'assistant', content: '' } }];
      case 'text-generation':
        return event.text ? [{ delta: { content: event.text } }] : [];
      case 'tool-calls-chunk':
        return fromChunk(event);
      case 'tool-calls-generation':
        return (event.tool_calls ?? []).flatMap((call, index) => (started.has(index) ? [] : [start(toToolCall(call, id, index), index)]));
      case 'search-results':
        documents = [...documents, ...(event.documents ?? [])];
        return [];
      case 'citation-generation':
        return event.citations?.length ? [{ delta: cited(event.citations, documents) }] : [];
      case 'stream-end':
        return [end(event)];
      default:
        return [];
    }
  };

  function fromChunk({ text, tool_call_delta: call }: StreamedEvent): ChatEvent[] {
    const plan = text ? [{ delta: { content: text } }] : [];
    if (call === undefined) return plan;
    const { index = 0, name, parameters } = call;
    if (name !== undefined)
      return [...plan, start({ ...toToolCall({ name }, id, index), function: { name, arguments: parameters ?? '' } }, index)];
    return parameters ? [...plan, { delta: { tool_calls: [{ index, function: { arguments: parameters } }] } }] : plan;
  }

  function start(call: ToolCall, index: number): ChatEvent {
    started.add(index);
    return { delta: { tool_calls: [{ index, ...call } satisfies ToolCallDelta] } };
  }

  function end({ finish_reason: reason = 'COMPLETE', response }: StreamedEvent): ChatEvent {
    if (isFailure(reason)) return { error: { message: `cohere gave up: ${reason}`, type: 'api_error' } };
    return { finish_reason: started.size > 0 ? 'tool_calls' : fromFinishReason(reason), ...fromUsage(response?.meta) };
  }
}

const toToolCall = ({ name, parameters }: Call, answer = '', index: number): ToolCall => ({
  id: `call_${answer}_${index}`,
  type: 'function',
  function: { name, arguments: JSON.stringify(parameters ?? {}) },
});
