import { shortIds } from './call-ids.ts';
import { openaiCompatible } from './openai-compatible.ts';
import { limitOfReasoningModels } from './openai-models.ts';
import { defineProvider } from './provider.ts';

/** OpenAI, and every server that speaks its dialect: https://platform.openai.com/docs/api-reference */
export const openai = defineProvider({
  name: 'openai',

  model: ({ options }) =>
    openaiCompatible(options, {
      origin: 'https://api.openai.com',
      paths: { chat: '/v1/chat/completions', completions: '/v1/completions', embeddings: '/v1/embeddings' },
      // OpenAI itself refuses what others who speak its dialect know.
      drops: options.upstream_url == null ? ['top_k'] : [],
      patch: request => ({ ...limitOfReasoningModels(request), ...shortIds(request) }),
    }),
});
