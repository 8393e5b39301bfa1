import type { ChatResponse, FinishReason, Message, ToolCall, Usage } from '../../chat/chat.ts';
import { isObject, type Json, type JsonObject } from '../../lib/json.ts';
import type { WithThinking } from '../anthropic-messages/thinking.ts';
import { ANSWER_TOOL } from './tools.ts';

/** What Converse answers: https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html */
interface Answer {
  readonly output?: { readonly message?: { readonly content?: readonly ContentBlock[] } };
  readonly stopReason?: string;
  readonly usage?: TokenUsage;
  readonly serviceTier?: ServiceTier;
}
/** One member says what the block is. Images that a model draws have no place in OpenAI's answer. */
interface ContentBlock {
  readonly text?: string;
  readonly toolUse?: ToolUse;
  readonly reasoningContent?: { readonly reasoningText?: ReasoningText; readonly redactedContent?: string };
  readonly citationsContent?: { readonly content?: readonly { readonly text?: string }[]; readonly citations?: readonly JsonObject[] };
}
export interface ToolUse {
  readonly toolUseId?: string;
  readonly name?: string;
  readonly input?: Json;
  /** `server_tool_use`: Bedrock ran it itself. */
  readonly type?: string;
}
interface ReasoningText {
  readonly text?: string;
  readonly signature?: string;
}
export interface TokenUsage {
  readonly inputTokens?: number;
  readonly outputTokens?: number;
  readonly cacheReadInputTokens?: number;
  readonly cacheWriteInputTokens?: number;
  readonly cacheDetails?: readonly { readonly ttl: string; readonly inputTokens: number }[];
}
export interface ServiceTier {
  readonly type?: string;
}

export function fromConverse(body: Json): ChatResponse {
  const { output, stopReason = '', usage, serviceTier } = body as unknown as Answer;
  const blocks = output?.message?.content;
  if (!Array.isArray(blocks)) throw new Error("'output.message.content' missing from bedrock's answer");
  if (isFailure(stopReason)) throw new Error(`bedrock gave up: ${stopReason}`);

  const message: Message & WithThinking & { annotations?: Json[] } = { role: 'assistant', content: null };
  const { text, reasoning, thoughts, calls, annotations, citations } = read(blocks);
  if (text !== '') message.content = text;
  if (reasoning !== '') message.reasoning_content = reasoning;
  if (thoughts.length > 0) message.thinking_blocks = thoughts;
  if (calls.length > 0) message.tool_calls = calls;
  if (annotations.length > 0) message.annotations = annotations;
  if (citations.length > 0) message.citations = citations;
  return {
    choices: [{ index: 0, message, finish_reason: toFinishReason(stopReason, calls.length > 0) }],
    ...toUsage(usage),
    ...toServiceTier(serviceTier),
  };
}

interface Contents extends Cited {
  text: string;
  reasoning: string;
  thoughts: Json[];
  calls: ToolCall[];
}

function read(blocks: readonly ContentBlock[]): Contents {
  const contents: Contents = { text: '', reasoning: '', thoughts: [], calls: [], annotations: [], citations: [] };
  for (const { text, toolUse, reasoningContent, citationsContent } of blocks) {
    const start = contents.text.length;
    contents.text += text ?? '';
    if (toolUse !== undefined) {
      if (isAnswer(toolUse)) contents.text += JSON.stringify(toolUse.input ?? {});
      else if (isCall(toolUse)) contents.calls.push(toToolCall(toolUse));
    }
    if (reasoningContent !== undefined) {
      const { reasoningText, redactedContent } = reasoningContent;
      contents.reasoning += reasoningText?.text ?? '';
      contents.thoughts.push(...toThought(reasoningText?.text, reasoningText?.signature, redactedContent));
    }
    if (citationsContent !== undefined) {
      for (const { text: cited } of citationsContent.content ?? []) contents.text += cited ?? '';
      const { annotations, citations } = toCited(citationsContent.citations ?? [], start, contents.text.length);
      contents.annotations.push(...annotations);
      contents.citations.push(...citations);
    }
  }
  return contents;
}

export const isAnswer = ({ name }: ToolUse): boolean => name === ANSWER_TOOL;
export const isCall = (use: ToolUse): boolean => use.type !== 'server_tool_use' && !isAnswer(use);

const toToolCall = ({ toolUseId = '', name = '', input }: ToolUse): ToolCall => ({
  id: toolUseId,
  type: 'function',
  function: { name, arguments: JSON.stringify(input ?? {}) },
});

/** What must come back as it is: only what was signed or is not for reading. */
export function toThought(thinking = '', signature = '', redacted = ''): Json[] {
  if (redacted !== '') return [{ type: 'redacted_thinking', data: redacted }];
  return signature === '' ? [] : [{ type: 'thinking', thinking, signature }];
}

interface Cited {
  annotations: Json[];
  citations: Json[];
}

/** What a piece of the text cites: pages of the web as OpenAI has them, places in documents as Bedrock says it. */
export function toCited(cited: readonly JsonObject[], start_index: number, end_index: number): Cited {
  const found: Cited = { annotations: [], citations: [] };
  for (const citation of cited) {
    const { location, title } = citation;
    const { web } = isObject(location) ? location : {};
    const { url } = isObject(web) ? web : {};
    if (typeof url !== 'string') found.citations.push(citation);
    else found.annotations.push({ type: 'url_citation', url_citation: { url, title: title ?? '', start_index, end_index } });
  }
  return found;
}

/** What the model wrote was no answer: to tell it as one would be wrong. */
export const isFailure = (reason: string): boolean => reason.startsWith('malformed_');

/** https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html#API_runtime_Converse_ResponseSyntax */
export function toFinishReason(reason: string, called: boolean): FinishReason {
  switch (reason) {
    case 'max_tokens':
    case 'model_context_window_exceeded':
      return 'length';
    case 'tool_use':
      return called ? 'tool_calls' : 'stop';
    case 'guardrail_intervened':
    case 'content_filtered':
      return 'content_filter';
    default:
      return 'stop';
  }
}

/**
 * Bedrock counts what it read from its cache and wrote to it apart from the rest of the prompt, OpenAI as a part of it:
 * https://docs.aws.amazon.com/bedrock/latest/userguide/prompt-caching.html
 */
export function toUsage(usage: TokenUsage | undefined): { usage?: Usage } {
  if (usage?.inputTokens === undefined || usage.outputTokens === undefined) return {};
  const { inputTokens, outputTokens, cacheReadInputTokens: cached, cacheWriteInputTokens: written, cacheDetails } = usage;
  const prompt_tokens = inputTokens + (cached ?? 0) + (written ?? 0);
  const details = {
    ...(cached !== undefined && { cached_tokens: cached }),
    ...(written !== undefined && { cache_write_tokens: written }),
    ...(cacheDetails?.length && {
      cache_write_tokens_details: Object.fromEntries(cacheDetails.map(({ ttl, inputTokens }) => [ttl, inputTokens])),
    }),
  };
  return {
    usage: {
      prompt_tokens,
      completion_tokens: outputTokens,
      total_tokens: prompt_tokens + outputTokens,
      ...(Object.keys(details).length > 0 && { prompt_tokens_details: details }),
    },
  };
}

export const toServiceTier = (tier: ServiceTier | undefined): { service_tier?: string } => (tier?.type ? { service_tier: tier.type } : {});
