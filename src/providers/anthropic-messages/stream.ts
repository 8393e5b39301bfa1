import type { ChatEvent, Delta } from '../../chat/chat.ts';
import type { Json, JsonObject } from '../../lib/json.ts';
import type { Frame } from '../../stream/frame.ts';
import {
  type AnthropicMessage,
  type AnthropicUsage,
  type ContentBlock,
  isAnswer,
  isCall,
  isThought,
  type StopDetails,
  toAnnotations,
  toFinishReason,
  toServiceTier,
  toUsage,
} from './answer.ts';
import type { WithThinking } from './thinking.ts';

/** https://platform.claude.com/docs/en/build-with-claude/streaming */
interface StreamEvent {
  readonly type?: string;
  readonly index?: number;
  readonly message?: Partial<AnthropicMessage>;
  readonly content_block?: ContentBlock;
  readonly delta?: BlockDelta & { readonly stop_reason?: string | null; readonly stop_details?: StopDetails | null };
  readonly usage?: AnthropicUsage;
  readonly error?: { readonly type?: string; readonly message?: string };
}
interface BlockDelta {
  readonly type?: string;
  readonly text?: string;
  readonly partial_json?: string;
  readonly thinking?: string;
  readonly signature?: string;
  readonly citation?: JsonObject;
}

/** A block that is being sent. */
interface OpenBlock {
  readonly start: ContentBlock;
  /** Of a tool call: its place among them. */
  readonly call: number;
  /** Where it began in the text of the answer. */
  readonly from: number;
  readonly citations: JsonObject[];
  /** Whether anything of a tool's input came. */
  hasInput: boolean;
  thinking: string;
  signature: string;
}

type AnthropicDelta = Delta & WithThinking & { annotations?: Json[] };

/** One answer's events. What is only known at the end of the message is told with its last event, without which it is none. */
export function translateStream(): (frame: Frame) => ChatEvent[] {
  const blocks = new Map<number, OpenBlock>();
  const thoughts: Json[] = [];
  let calls = 0;
  let length = 0;
  let usage: AnthropicUsage = {};
  let stopReason: string | null = null;
  let explanation: string | undefined;

  const send = (delta: AnthropicDelta): ChatEvent[] => [{ delta }];

  return ({ data }) => {
    const event = JSON.parse(data) as StreamEvent;
    switch (event.type) {
      case 'message_start':
        return begin(event.message ?? {});
      case 'content_block_start':
        return open(event.index ?? 0, event.content_block);
      case 'content_block_delta':
        return add(blocks.get(event.index ?? 0), event.delta ?? {});
      case 'content_block_stop':
        return close(event.index ?? 0);
      case 'message_delta':
        usage = merged(usage, event.usage);
        stopReason = event.delta?.stop_reason ?? stopReason;
        explanation = event.delta?.stop_details?.explanation ?? explanation;
        return [];
      case 'message_stop':
        return end();
      case 'error':
        return [{ error: { message: event.error?.message || 'anthropic gave up', type: event.error?.type ?? 'api_error' } }];
      default:
        // Pings, and what may come to be: https://docs.anthropic.com/en/api/versioning
        return [];
    }
  };

  function begin({ id, model, usage: first = {} }: Partial<AnthropicMessage>): ChatEvent[] {
    usage = first;
    const names = { ...(id !== undefined && { id }), ...(model !== undefined && { model }), ...toServiceTier(usage) };
    return [{ ...names, delta: { role: 'assistant', content: '' } }];
  }

  function open(index: number, start: ContentBlock = { type: '' }): ChatEvent[] {
    const { thinking = '', signature = '', text } = start;
    const block = { start, call: calls, from: length, citations: [...(start.citations ?? [])], hasInput: false, thinking, signature };
    blocks.set(index, block);
    if (start.type === 'text') return text ? write(text) : [];
    if (!isCall(start)) return [];
    calls += 1;
    const { id = '', name = '' } = start;
    return send({ tool_calls: [{ index: block.call, id, type: 'function', function: { name, arguments: '' } }] });
  }

  function add(block: OpenBlock | undefined, delta: BlockDelta): ChatEvent[] {
    if (block === undefined) return [];
    switch (delta.type) {
      case 'text_delta':
        return delta.text ? write(delta.text) : [];
      case 'input_json_delta':
        return delta.partial_json ? input(block, delta.partial_json) : [];
      case 'thinking_delta':
        block.thinking += delta.thinking ?? '';
        return delta.thinking ? send({ reasoning_content: delta.thinking }) : [];
      case 'signature_delta':
        block.signature += delta.signature ?? '';
        return [];
      case 'citations_delta':
        if (delta.citation !== undefined) block.citations.push(delta.citation);
        return [];
      default:
        return [];
    }
  }

  function write(content: string): ChatEvent[] {
    length += content.length;
    return send({ content });
  }

  function input(block: OpenBlock, json: string): ChatEvent[] {
    block.hasInput = true;
    if (isAnswer(block.start)) return write(json);
    return isCall(block.start) ? send({ tool_calls: [{ index: block.call, function: { arguments: json } }] }) : [];
  }

  function close(index: number): ChatEvent[] {
    const block = blocks.get(index);
    blocks.delete(index);
    if (block === undefined) return [];
    const { start, thinking, signature, citations, from, hasInput } = block;
    if (isThought(start)) thoughts.push({ ...(start as object), ...(start.type === 'thinking' && { thinking, signature }) });
    // A tool without parameters may be called without a word of input.
    if (!hasInput && start.type === 'tool_use') return input(block, JSON.stringify(start.input ?? {}));
    if (citations.length === 0) return [];
    const cited = toAnnotations(citations, from, length);
    return send({
      ...(cited.annotations.length > 0 && { annotations: cited.annotations }),
      ...(cited.citations.length > 0 && { citations: cited.citations }),
    });
  }

  function end(): ChatEvent[] {
    const refusal = stopReason === 'refusal' ? explanation : undefined;
    return [
      // All at once: clients that put a stream together keep the last of what they do not know.
      ...(thoughts.length > 0 ? send({ thinking_blocks: thoughts }) : []),
      ...(refusal ? send({ refusal }) : []),
      { finish_reason: toFinishReason(stopReason, calls > 0), ...toUsage(usage) },
    ];
  }
}

/** Counts are cumulative; those that a later event leaves out, or says to be null, hold. */
const merged = (usage: AnthropicUsage, more: AnthropicUsage = {}): AnthropicUsage => ({
  ...usage,
  ...Object.fromEntries(Object.entries(more).filter(([, value]) => value !== null && value !== undefined)),
});
