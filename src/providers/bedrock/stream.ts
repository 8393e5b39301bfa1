import type { ChatEvent, Delta } from '../../chat/chat.ts';
import type { Json, JsonObject } from '../../lib/json.ts';
import type { Frame } from '../../stream/frame.ts';
import type { WithThinking } from '../anthropic-messages/thinking.ts';
import {
  isAnswer,
  isCall,
  isFailure,
  type ServiceTier,
  type TokenUsage,
  type ToolUse,
  toCited,
  toFinishReason,
  toServiceTier,
  toThought,
  toUsage,
} from './answer.ts';

/** https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ConverseStream.html */
interface StreamedEvent {
  readonly contentBlockIndex?: number;
  readonly start?: { readonly toolUse?: ToolUse };
  readonly delta?: BlockDelta;
  readonly stopReason?: string;
  readonly usage?: TokenUsage;
  readonly serviceTier?: ServiceTier;
  /** Of an exception. */
  readonly message?: string;
}
interface BlockDelta {
  readonly text?: string;
  readonly toolUse?: { readonly input?: string };
  readonly reasoningContent?: { readonly text?: string; readonly signature?: string; readonly redactedContent?: string };
  readonly citation?: JsonObject;
}

/** A block that is being sent: only tool calls say beforehand what they are. */
interface OpenBlock {
  readonly toolUse: ToolUse | undefined;
  /** Of a tool call: its place among them. */
  readonly call: number;
  /** Where it began in the text of the answer. */
  readonly from: number;
  readonly citations: JsonObject[];
  hasInput: boolean;
  thinking: string;
  signature: string;
  redacted: string;
}

type BedrockDelta = Delta & WithThinking & { annotations?: Json[] };

const send = (delta: BedrockDelta): ChatEvent[] => [{ delta }];

/** One answer's events. Its end is `metadata`, which tells the usage after the reason to stop: without it the answer is none. */
export function translateStream(): (frame: Frame) => ChatEvent[] {
  const blocks = new Map<number, OpenBlock>();
  const thoughts: Json[] = [];
  let calls = 0;
  let length = 0;
  let stopReason = '';

  return ({ event, data }) => {
    const said = JSON.parse(data) as StreamedEvent;
    switch (event) {
      case 'messageStart':
        return send({ role: 'assistant', content: '' });
      case 'contentBlockStart':
        return begin(blockOf(said.contentBlockIndex, said.start?.toolUse));
      case 'contentBlockDelta':
        return add(blockOf(said.contentBlockIndex), said.delta ?? {});
      case 'contentBlockStop':
        return close(said.contentBlockIndex);
      case 'messageStop':
        stopReason = said.stopReason ?? '';
        return [];
      case 'metadata':
        return end(said);
      default:
        return event.startsWith('exception:') ? [{ error: toError(event, said) }] : [];
    }
  };

  function blockOf(index = 0, toolUse?: ToolUse): OpenBlock {
    const open = blocks.get(index);
    if (open !== undefined) return open;
    const block = { toolUse, call: calls, from: length, citations: [], hasInput: false, thinking: '', signature: '', redacted: '' };
    blocks.set(index, block);
    return block;
  }

  function begin({ toolUse, call }: OpenBlock): ChatEvent[] {
    if (toolUse === undefined || !isCall(toolUse)) return [];
    calls += 1;
    const { toolUseId: id = '', name = '' } = toolUse;
    return send({ tool_calls: [{ index: call, id, type: 'function', function: { name, arguments: '' } }] });
  }

  function add(block: OpenBlock, { text, toolUse, reasoningContent, citation }: BlockDelta): ChatEvent[] {
    if (text) return write(text);
    if (toolUse?.input) return input(block, toolUse.input);
    if (citation !== undefined) block.citations.push(citation);
    if (reasoningContent === undefined) return [];
    block.thinking += reasoningContent.text ?? '';
    block.signature += reasoningContent.signature ?? '';
    block.redacted += reasoningContent.redactedContent ?? '';
    return reasoningContent.text ? send({ reasoning_content: reasoningContent.text }) : [];
  }

  function write(content: string): ChatEvent[] {
    length += content.length;
    return send({ content });
  }

  function input(block: OpenBlock, json: string): ChatEvent[] {
    const { toolUse, call } = block;
    block.hasInput = true;
    if (toolUse === undefined) return [];
    if (isAnswer(toolUse)) return write(json);
    return isCall(toolUse) ? send({ tool_calls: [{ index: call, function: { arguments: json } }] }) : [];
  }

  function close(index = 0): ChatEvent[] {
    const block = blocks.get(index);
    blocks.delete(index);
    if (block === undefined) return [];
    thoughts.push(...toThought(block.thinking, block.signature, block.redacted));
    // A tool without parameters may be called without a word of input.
    if (block.toolUse !== undefined && !block.hasInput) return input(block, '{}');
    if (block.citations.length === 0) return [];
    const { annotations, citations } = toCited(block.citations, block.from, length);
    return send({ ...(annotations.length > 0 && { annotations }), ...(citations.length > 0 && { citations }) });
  }

  function end({ usage, serviceTier }: StreamedEvent): ChatEvent[] {
    if (isFailure(stopReason)) return [{ error: { message: `bedrock gave up: ${stopReason}`, type: 'api_error' } }];
    // What went before was lost on the way.
    if (stopReason === '') return [{ error: { message: 'bedrock did not say why it stopped', type: 'api_error' } }];
    return [
      // All at once: clients that put a stream together keep the last of what they do not know.
      ...(thoughts.length > 0 ? send({ thinking_blocks: thoughts }) : []),
      { finish_reason: toFinishReason(stopReason, calls > 0), ...toUsage(usage), ...toServiceTier(serviceTier) },
    ];
  }
}

/** `exception:throttlingException`, as AWS names what it breaks off with. */
function toError(event: string, { message }: StreamedEvent): NonNullable<ChatEvent['error']> {
  const name = event.slice('exception:'.length);
  return { message: message || `bedrock gave up: ${name}`, type: TYPES[name] ?? 'api_error', code: name };
}

const TYPES: Readonly<Record<string, string | undefined>> = {
  throttlingException: 'rate_limit_error',
  validationException: 'invalid_request_error',
};
