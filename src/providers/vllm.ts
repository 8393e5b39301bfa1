import { amending, plainError, reasoningContent } from './compatible-answers.ts';
import { openaiCompatible } from './openai-compatible.ts';
import { defineProvider } from './provider.ts';

/** A server of one's own that runs vLLM: https://docs.vllm.ai/en/latest/serving/openai_compatible_server.html */
export const vllm = defineProvider({
  name: 'vllm',

  checks: [
    {
      conditional_at_least_one_of: {
        if_field: 'model.provider',
        if_match: { one_of: ['vllm'] },
        then_at_least_one_of: ['model.options.upstream_url'],
        then_err: 'must set %s for self-hosted providers/models',
      },
    },
  ],

  model: ({ options }) =>
    openaiCompatible(options, {
      // Where it listens by default; the configuration must say where it is.
      origin: 'http://localhost:8000',
      paths: { chat: '/v1/chat/completions', completions: '/v1/completions', embeddings: '/v1/embeddings' },
      // Newer versions say `reasoning`: https://docs.vllm.ai/en/latest/features/reasoning_outputs.html
      amend: amending('vllm', { message: reasoningContent, failures: ['abort', 'error'] }),
      error: plainError,
    }),
});
