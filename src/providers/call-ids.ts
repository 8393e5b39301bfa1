import type { ChatRequest, Message } from '../chat/chat.ts';
import { messagesWith, type Patch } from './openai-compatible.ts';

/** OpenAI refuses longer ones. */
const LONGEST = 40;

/** Ids of calls that are longer than OpenAI takes, since another vendor made them, made short; the same for a call and its result. */
export const shortIds = (request: ChatRequest): Patch => (request.messages.some(hasLongId) ? messagesWith(request, withShortIds) : {});

const isLong = (id: unknown) => typeof id === 'string' && id.length > LONGEST;

function hasLongId({ role, tool_calls, tool_call_id }: Message): boolean {
  if (role === 'tool') return isLong(tool_call_id);
  return Array.isArray(tool_calls) && tool_calls.some(call => isLong(call?.id));
}

function withShortIds(message: Message): Message {
  if (!hasLongId(message)) return message;
  const { tool_calls: calls, tool_call_id: answered } = message;
  return {
    ...message,
    ...(calls && { tool_calls: calls.map(call => ({ ...call, id: short(call.id) })) }),
    ...(answered !== undefined && { tool_call_id: short(answered) }),
  };
}

const short = (id: string): string => (isLong(id) ? `call_${Bun.hash(id).toString(36)}` : id);
