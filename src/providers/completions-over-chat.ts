import type { ChatEvent, ChatRequest, ChatResponse } from '../chat/chat.ts';
import type { CompletionEvent, CompletionRequest, CompletionResponse } from '../chat/completion.ts';
import type { Translation } from './provider.ts';
import { refuseUnless, refuseUnsupported } from './unsupported.ts';

/** The completions of a vendor that has only chats: a prompt is a chat of one message, and the answer's text the completion. */
export function completionsOverChat(
  vendor: string,
  chat: Translation<ChatRequest, ChatResponse, ChatEvent>,
): Translation<CompletionRequest, CompletionResponse, CompletionEvent> {
  return {
    ...chat,
    request: request => chat.request(asChat(vendor, request)),
    response: body => asCompletion(chat.response(body)),
    stream() {
      const { decode, translate } = chat.stream();
      return { decode, translate: frame => translate(frame).map(asCompletionEvent) };
    },
  };
}

function asChat(vendor: string, { prompt, ...rest }: CompletionRequest): ChatRequest {
  const [text, ...more] = [prompt].flat();
  refuseUnless(typeof text === 'string' && more.length === 0, vendor, "a 'prompt' other than one text");
  refuseUnsupported(vendor, rest, ['suffix', 'echo', 'best_of', 'logprobs']);
  return { ...rest, messages: [{ role: 'user', content: text as string }] };
}

const asCompletion = ({ choices, ...rest }: ChatResponse): CompletionResponse => ({
  ...rest,
  choices: choices.map(({ index, message: { content }, finish_reason }) => ({
    index,
    text: typeof content === 'string' ? content : '',
    finish_reason,
  })),
});

const asCompletionEvent = ({ delta, ...rest }: ChatEvent): CompletionEvent => ({
  ...rest,
  ...(delta?.content !== undefined && { text: delta.content }),
});
