import type { ChatRequest } from '../chat/chat.ts';
import { boolean, record } from '../schema/field.ts';
import { amending } from './compatible-answers.ts';
import { developerAsSystem, messagesWith, openaiCompatible, type Patch, renamed } from './openai-compatible.ts';
import { defineProvider } from './provider.ts';
import { refuseUnsupported } from './unsupported.ts';

/** Keys of one region are unknown in the other: https://www.alibabacloud.com/help/en/model-studio/compatibility-of-openai-with-dashscope */
const INTERNATIONAL = 'https://dashscope-intl.aliyuncs.com';
const CHINA = 'https://dashscope.aliyuncs.com';

/** Alibaba's models: https://www.alibabacloud.com/help/en/model-studio/qwen-api-via-openai-chat-completions */
export const dashscope = defineProvider({
  name: 'dashscope',

  options: { dashscope: record({ international: boolean({ default: true }) }) },

  model: ({ options }) =>
    openaiCompatible(options, {
      origin: options.dashscope?.international === false ? CHINA : INTERNATIONAL,
      paths: {
        chat: '/compatible-mode/v1/chat/completions',
        completions: '/compatible-mode/v1/completions',
        embeddings: '/compatible-mode/v1/embeddings',
      },
      drops: ['logit_bias'],
      patch,
      amend: amending('dashscope'),
    }),
});

function patch(request: ChatRequest): Patch {
  // It ignores what it does not document.
  refuseUnsupported('dashscope', request, ['logit_bias']);
  return {
    ...renamed(request, 'max_completion_tokens', 'max_tokens'),
    ...thinking(request),
    ...messagesWith(request, developerAsSystem),
  };
}

/** Thinking is on or off, without efforts: https://www.alibabacloud.com/help/en/model-studio/deep-thinking */
function thinking({ reasoning_effort: effort, enable_thinking: own }: ChatRequest): Patch {
  if (effort == null) return {};
  return { reasoning_effort: undefined, ...(own === undefined && { enable_thinking: effort !== 'none' }) };
}
