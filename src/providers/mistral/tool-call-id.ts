import type { Message } from '../../chat/chat.ts';

/** What Mistral takes: its API refuses all others, such as those of another vendor that began the conversation. */
const OWN = /^[a-zA-Z0-9]{9}$/;

/** The message with ids that Mistral takes, the same for a call and its result; itself where it has no others. */
export function withOwnIds(message: Message): Message {
  const { tool_calls: calls, tool_call_id: answered } = message;
  const hasOthers = calls?.some(({ id }) => isForeign(id)) || isForeign(answered);
  if (!hasOthers) return message;
  return {
    ...message,
    ...(calls && { tool_calls: calls.map(call => ({ ...call, id: ownId(call.id) })) }),
    ...(answered !== undefined && { tool_call_id: ownId(answered) }),
  };
}

const isForeign = (id: unknown) => typeof id === 'string' && !OWN.test(id);

const ownId = (id: string): string => (isForeign(id) ? Bun.hash(id).toString(36).padStart(9, '0').slice(-9) : id);
