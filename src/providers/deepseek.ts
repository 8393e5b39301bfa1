import type { ChatRequest } from '../chat/chat.ts';
import type { JsonObject } from '../lib/json.ts';
import { amending } from './compatible-answers.ts';
import { developerAsSystem, messagesWith, openaiCompatible, type Patch, renamed } from './openai-compatible.ts';
import { defineProvider } from './provider.ts';
import { refuseUnless, refuseUnsupported } from './unsupported.ts';

/** DeepSeek: https://api-docs.deepseek.com/api/create-chat-completion. Completions are its FIM: …/api/create-completion */
export const deepseek = defineProvider({
  name: 'deepseek',

  model: ({ options }) =>
    openaiCompatible(options, {
      origin: 'https://api.deepseek.com',
      paths: { chat: '/v1/chat/completions', completions: '/beta/completions' },
      // It samples by no seed and by no number of tokens; of the others only what changes nothing comes this far.
      drops: ['seed', 'top_k', 'n', 'logit_bias', 'parallel_tool_calls'],
      patch,
      amend: amending('deepseek', { usage: withCachedTokens, failures: ['insufficient_system_resource'] }),
    }),
});

function patch(request: ChatRequest): Patch {
  // It ignores what it does not document.
  refuseUnsupported('deepseek', request, ['n', 'logit_bias', 'parallel_tool_calls']);
  refuseUnless(request.response_format?.type !== 'json_schema', 'deepseek', "'response_format' of type 'json_schema'");
  return {
    ...renamed(request, 'max_completion_tokens', 'max_tokens'),
    ...thinking(request),
    ...messagesWith(request, developerAsSystem),
  };
}

/** Efforts below `high` count as `high`; none at all is a switch: https://api-docs.deepseek.com/guides/thinking_mode */
function thinking({ reasoning_effort: effort, thinking: own }: ChatRequest): Patch {
  if (effort === 'none') return { reasoning_effort: undefined, ...(own === undefined && { thinking: { type: 'disabled' } }) };
  return effort === 'minimal' ? { reasoning_effort: 'low' } : {};
}

function withCachedTokens(usage: JsonObject): JsonObject {
  const { prompt_cache_hit_tokens: cached, prompt_tokens_details: details } = usage;
  if (typeof cached !== 'number' || details != null) return usage;
  return { ...usage, prompt_tokens_details: { cached_tokens: cached } };
}
