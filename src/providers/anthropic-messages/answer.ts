import type { ChatResponse, FinishReason, Message, ToolCall, Usage } from '../../chat/chat.ts';
import type { Json, JsonObject } from '../../lib/json.ts';
import type { WithThinking } from './thinking.ts';
import { ANSWER_TOOL } from './tools.ts';

/** What Anthropic answers: https://docs.anthropic.com/en/api/messages */
export interface AnthropicMessage {
  readonly id: string;
  readonly model: string;
  readonly content: readonly ContentBlock[];
  readonly stop_reason: string | null;
  readonly stop_details?: StopDetails | null;
  readonly usage?: AnthropicUsage;
}
/** Those of tools that Anthropic ran itself are no part of an OpenAI answer; what came of them is in the text and its citations. */
export interface ContentBlock {
  readonly type: string;
  readonly text?: string;
  readonly citations?: readonly JsonObject[] | null;
  readonly thinking?: string;
  readonly signature?: string;
  readonly data?: string;
  readonly id?: string;
  readonly name?: string;
  readonly input?: Json;
}
export interface StopDetails {
  readonly explanation?: string | null;
}
export interface AnthropicUsage {
  readonly input_tokens?: number | null;
  readonly output_tokens?: number | null;
  readonly cache_read_input_tokens?: number | null;
  readonly cache_creation_input_tokens?: number | null;
  readonly cache_creation?: { readonly ephemeral_5m_input_tokens?: number; readonly ephemeral_1h_input_tokens?: number } | null;
  readonly output_tokens_details?: { readonly thinking_tokens?: number } | null;
  readonly service_tier?: string | null;
}

export function fromMessage(body: Json): ChatResponse {
  const { id, model, content, stop_reason, stop_details, usage } = body as unknown as AnthropicMessage;
  if (!Array.isArray(content)) throw new Error("'content' missing from anthropic's answer");

  const blocks: readonly ContentBlock[] = content;
  const message: Message & WithThinking & { annotations?: Json[] } = { role: 'assistant', content: null };
  const { text, annotations, citations } = readTexts(blocks);
  const calls = blocks.filter(isCall).map(toToolCall);
  const thoughts = blocks.filter(isThought);
  if (text !== '') message.content = text;
  if (stop_reason === 'refusal' && stop_details?.explanation) message.refusal = stop_details.explanation;
  if (calls.length > 0) message.tool_calls = calls;
  if (annotations.length > 0) message.annotations = annotations;
  if (citations.length > 0) message.citations = citations;
  const reasoning = thoughts.map(({ thinking = '' }) => thinking).join('');
  if (reasoning !== '') message.reasoning_content = reasoning;
  if (thoughts.length > 0) message.thinking_blocks = thoughts as unknown as Json[];
  return {
    id,
    model,
    choices: [{ index: 0, message, finish_reason: toFinishReason(stop_reason, calls.length > 0) }],
    ...toUsage(usage),
    ...toServiceTier(usage),
  };
}

export const isThought = ({ type }: ContentBlock): boolean => type === 'thinking' || type === 'redacted_thinking';
export const isCall = ({ type, name }: ContentBlock): boolean => type === 'tool_use' && name !== ANSWER_TOOL;
/** The answer by a schema, of models that have no other way to give it. */
export const isAnswer = ({ type, name }: ContentBlock): boolean => type === 'tool_use' && name === ANSWER_TOOL;

const toToolCall = ({ id = '', name = '', input }: ContentBlock): ToolCall => ({
  id,
  type: 'function',
  function: { name, arguments: JSON.stringify(input ?? {}) },
});

interface Texts {
  text: string;
  annotations: Json[];
  citations: Json[];
}

function readTexts(blocks: readonly ContentBlock[]): Texts {
  const texts: Texts = { text: '', annotations: [], citations: [] };
  for (const block of blocks) {
    const start = texts.text.length;
    if (isAnswer(block)) texts.text += JSON.stringify(block.input ?? {});
    if (block.type === 'text') texts.text += block.text ?? '';
    const { annotations, citations } = toAnnotations(block.citations ?? [], start, texts.text.length);
    texts.annotations.push(...annotations);
    texts.citations.push(...citations);
  }
  return texts;
}

/** What a piece of the text cites: pages of the web as OpenAI has them, places in documents as Anthropic says it. */
export function toAnnotations(cited: readonly JsonObject[], start_index: number, end_index: number): Omit<Texts, 'text'> {
  const annotations: Json[] = [];
  const citations: Json[] = [];
  for (const citation of cited) {
    const { url, source, title } = citation;
    const page = [url, source].find(address => typeof address === 'string' && URL.canParse(address));
    if (page === undefined) citations.push(citation);
    else annotations.push({ type: 'url_citation', url_citation: { url: page, title: title ?? '', start_index, end_index } });
  }
  return { annotations, citations };
}

/** https://platform.claude.com/docs/en/build-with-claude/handling-stop-reasons */
export function toFinishReason(reason: string | null, called: boolean): FinishReason {
  switch (reason) {
    case 'max_tokens':
    case 'model_context_window_exceeded':
    // A long turn of Anthropic's own tools was interrupted: there is more to come.
    case 'pause_turn':
      return 'length';
    case 'tool_use':
      return called ? 'tool_calls' : 'stop';
    case 'refusal':
      return 'content_filter';
    default:
      return 'stop';
  }
}

/** Anthropic counts what it read from its cache and wrote to it apart from the rest of the prompt, OpenAI as a part of it. */
export function toUsage(usage: AnthropicUsage = {}): { usage?: Usage } {
  const { cache_read_input_tokens: cached, cache_creation_input_tokens: written, cache_creation, output_tokens_details } = usage;
  if (usage.input_tokens == null || usage.output_tokens == null) return {};
  const prompt_tokens = usage.input_tokens + (cached ?? 0) + (written ?? 0);
  const completion_tokens = usage.output_tokens;
  const { thinking_tokens } = output_tokens_details ?? {};
  const details = {
    ...(cached != null && { cached_tokens: cached }),
    ...(written != null && { cache_write_tokens: written }),
    ...(cache_creation && {
      cache_write_tokens_details: {
        '5m': cache_creation.ephemeral_5m_input_tokens ?? 0,
        '1h': cache_creation.ephemeral_1h_input_tokens ?? 0,
      },
    }),
  };
  return {
    usage: {
      prompt_tokens,
      completion_tokens,
      total_tokens: prompt_tokens + completion_tokens,
      ...(Object.keys(details).length > 0 && { prompt_tokens_details: details }),
      ...(thinking_tokens !== undefined && { completion_tokens_details: { reasoning_tokens: thinking_tokens } }),
    },
  };
}

/** https://platform.claude.com/docs/en/api/service-tiers */
export function toServiceTier(usage: AnthropicUsage | undefined): { service_tier?: string } {
  const tier = usage?.service_tier;
  return tier ? { service_tier: tier === 'standard' ? 'default' : tier } : {};
}
