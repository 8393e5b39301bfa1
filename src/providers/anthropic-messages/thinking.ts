import type { ChatRequest, Message } from '../../chat/chat.ts';
import { isObject, type Json, type JsonObject } from '../../lib/json.ts';
import { RequestFailure } from '../../lib/request-failure.ts';
import type { Block } from './content.ts';
import { thinksAdaptively, thinksUnlessTold } from './models.ts';

/**
 * Signed blocks of thought that must come back with the tool results they led to. They travel as a member of the assistant's
 * message, which OpenAI's clients keep and send again; `reasoning_content` has their text for people to read.
 */
export interface WithThinking {
  thinking_blocks?: Json[];
}

/** The signed blocks that an assistant's message brought back, as Anthropic wrote them. */
export function thinkingBlocks(message: Message): Block[] {
  const { thinking_blocks } = message as Message & WithThinking;
  if (!Array.isArray(thinking_blocks)) return [];
  return thinking_blocks.flatMap((block): Block[] => {
    if (!isObject(block)) return [];
    const { type, thinking, signature, data } = block;
    if (type === 'redacted_thinking' && typeof data === 'string') return [{ type, data }];
    return type === 'thinking' && typeof signature === 'string' ? [{ type, thinking: thinking ?? '', signature }] : [];
  });
}

/** Anthropic demands a limit, OpenAI does not: as much as every model of Anthropic's can write. */
const ANSWER_TOKENS = 4096;

/** What an effort lets older models think, in tokens; with the answer they stay below the least limit of a model that thinks. */
const BUDGETS: Readonly<Record<string, number>> = {
  minimal: 1024,
  low: 2048,
  medium: 8192,
  high: 16_384,
  xhigh: 24_576,
  max: 24_576,
};
const LEAST_BUDGET = 1024;

/** How long an answer may get, and how much of it is thought. */
export interface Thinking {
  readonly max_tokens: number;
  readonly thinking?: Json;
  readonly effort?: string;
}

/** `forced`: a tool has to be called, which excludes thinking: https://platform.claude.com/docs/en/build-with-claude/extended-thinking */
export function toThinking(request: ChatRequest, forced: boolean): Thinking {
  const { model = '', reasoning_effort: effort, thinking: own } = request;
  const limit = request.max_completion_tokens ?? request.max_tokens;
  if (isObject(own)) return asTheClientSays(own, limit);
  if (effort == null) return { max_tokens: limit ?? ANSWER_TOKENS };
  if (effort === 'none') {
    return { max_tokens: limit ?? ANSWER_TOKENS, ...(thinksUnlessTold(model) && { thinking: { type: 'disabled' } }) };
  }
  const most = Object.hasOwn(BUDGETS, effort) ? BUDGETS[effort] : undefined;
  if (most === undefined) throw new RequestFailure(400, `anthropic does not support the 'reasoning_effort' '${effort}'`);

  const max_tokens = limit ?? most + ANSWER_TOKENS;
  if (thinksAdaptively(model)) {
    const thinking = forced ? {} : { thinking: { type: 'adaptive', display: 'summarized' } };
    return { max_tokens, ...thinking, effort: effort === 'minimal' ? 'low' : effort };
  }
  // Half of a limit that the client set is for the answer.
  const budget = Math.min(most, limit == null ? most : Math.floor(limit / 2));
  const thinks = !forced && budget >= LEAST_BUDGET && hasItsThoughts(request.messages);
  return { max_tokens, ...(thinks && { thinking: { type: 'enabled', budget_tokens: budget } }) };
}

/** Anthropic's own member. */
function asTheClientSays(thinking: JsonObject, limit: number | null | undefined): Thinking {
  const { budget_tokens: budget } = thinking;
  return { max_tokens: limit ?? (typeof budget === 'number' ? budget : 0) + ANSWER_TOKENS, thinking };
}

/** A turn that called tools must begin with what was thought, else Anthropic refuses to think on: some clients do not bring it back. */
function hasItsThoughts(messages: readonly Message[]): boolean {
  const last = messages.findLast(({ role }) => role === 'assistant');
  return !last?.tool_calls?.length || thinkingBlocks(last).length > 0;
}

/** Whether the answer is thought about, which leaves the choice of tokens to the model. */
export function isThinking({ thinking }: Thinking): boolean {
  const { type = 'disabled' } = isObject(thinking) ? thinking : {};
  return type !== 'disabled';
}
