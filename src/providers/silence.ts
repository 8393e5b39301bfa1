import type { Message } from '../chat/chat.ts';

/** The messages but for those of an assistant that said and did nothing, which some vendors refuse; themselves when there are none. */
export function withoutSilence(messages: readonly Message[]): readonly Message[] {
  return messages.some(isSilent) ? messages.filter(message => !isSilent(message)) : messages;
}

const isSilent = ({ role, content, refusal, reasoning_content, tool_calls }: Message): boolean =>
  role === 'assistant' && !content?.length && !refusal && !reasoning_content && !tool_calls?.length;
