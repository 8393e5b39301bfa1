import type { ChatRequest } from '../chat/chat.ts';
import { operationUrl, preservedCalls } from './endpoint.ts';
import { defineProvider, type Unchanged } from './provider.ts';

const ORIGIN = 'https://api.openai.com';

/** Reasoning models refuse `max_tokens`: https://platform.openai.com/docs/api-reference/chat/create#chat_create-max_tokens */
const REASONING_MODEL = /^(o\d|gpt-5)/;

/** OpenAI, and every server that speaks its dialect: https://platform.openai.com/docs/api-reference */
export const openai = defineProvider({
  name: 'openai',

  model({ options }) {
    const operation = <Request extends object>(path: string): Unchanged<Request> => {
      const endpoint = { url: operationUrl(options, ORIGIN, path) };
      return {
        dialect: 'openai',
        endpoint: () => endpoint,
        // OpenAI itself refuses what others who speak its dialect know.
        patch: request => ('top_k' in request && options.upstream_url == null ? { top_k: undefined } : {}),
        streamsUsage: true,
      };
    };
    const chat = operation<ChatRequest>('/v1/chat/completions');

    return {
      chat: { ...chat, patch: request => ({ ...chat.patch?.(request), ...nameOfLimit(request) }) },
      completions: operation('/v1/completions'),
      embeddings: operation('/v1/embeddings'),
      preserve: preservedCalls(options, ORIGIN),
    };
  },
});

function nameOfLimit({ model, max_tokens, max_completion_tokens }: ChatRequest) {
  if (max_tokens == null || !REASONING_MODEL.test(model ?? '')) return {};
  return { max_tokens: undefined, max_completion_tokens: max_completion_tokens ?? max_tokens };
}
