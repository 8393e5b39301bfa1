import type { ChatRequest } from '../chat/chat.ts';
import { amending, plainError, reasoningContent } from './compatible-answers.ts';
import { contentOfReasoning, developerAsSystem, messagesWith, openaiCompatible, type Patch, renamed } from './openai-compatible.ts';
import { defineProvider } from './provider.ts';

/** Cerebras: https://inference-docs.cerebras.ai/api-reference/chat-completions */
export const cerebras = defineProvider({
  name: 'cerebras',

  model: ({ options }) =>
    openaiCompatible(options, {
      origin: 'https://api.cerebras.ai',
      paths: { chat: '/v1/chat/completions', completions: '/v1/completions' },
      // It answers members that it does not know with status 400.
      drops: ['top_k', 'store', 'metadata'],
      patch,
      amend: amending('cerebras', { message: reasoningContent }),
      error: plainError,
    }),
});

function patch(request: ChatRequest): Patch {
  return {
    ...renamed(request, 'max_tokens', 'max_completion_tokens'),
    // Its system messages are developer messages: https://inference-docs.cerebras.ai/resources/openai
    ...messagesWith(request, message => contentOfReasoning(developerAsSystem(message))),
  };
}
