import type { ChatRequest } from '../chat/chat.ts';
import { isObject, type Json, type JsonObject } from '../lib/json.ts';
import { amending } from './compatible-answers.ts';
import { openaiCompatible, type Patch } from './openai-compatible.ts';
import { defineProvider } from './provider.ts';
import { refuseUnsupported } from './unsupported.ts';

/** xAI: https://docs.x.ai/docs/api-reference */
export const xai = defineProvider({
  name: 'xai',

  model: ({ options }) =>
    openaiCompatible(options, {
      origin: 'https://api.x.ai',
      paths: { chat: '/v1/chat/completions', completions: '/v1/completions', embeddings: '/v1/embeddings' },
      drops: ['logit_bias', 'top_k'],
      patch,
      amend: amending('xai', { usage: withReasoningTokens }),
      error,
    }),
});

function patch(request: ChatRequest): Patch {
  // Documented as unsupported: it has no effect.
  refuseUnsupported('xai', request, ['logit_bias']);
  return {};
}

/** Tokens of thought are part of the total and of nothing else; with OpenAI they are part of the completion. */
function withReasoningTokens(usage: JsonObject): JsonObject {
  const { prompt_tokens: prompt, completion_tokens: completion, total_tokens: total } = usage;
  if (typeof prompt !== 'number' || typeof completion !== 'number' || typeof total !== 'number') return usage;
  return total > prompt + completion ? { ...usage, completion_tokens: total - prompt } : usage;
}

/** `{ "code": "…", "error": "…" }`, both for people to read. */
function error(_status: number, body: Json): { message: string; code?: string } {
  const { error: said, code } = isObject(body) ? body : {};
  const { message = said } = isObject(said) ? said : {};
  return { message: typeof message === 'string' ? message : '', ...(typeof code === 'string' && { code }) };
}
