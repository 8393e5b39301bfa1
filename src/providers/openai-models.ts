import type { ChatRequest } from '../chat/chat.ts';
import type { Patch } from './openai-compatible.ts';

/** Models that reason, fine-tuned ones included: https://platform.openai.com/docs/guides/reasoning */
const REASONING_MODEL = /^(ft:)?(o\d|gpt-[5-9])/;

/** They refuse `max_tokens`: https://platform.openai.com/docs/api-reference/chat/create#chat_create-max_tokens */
export function limitOfReasoningModels({ model, max_tokens, max_completion_tokens }: ChatRequest, deployment?: string | null): Patch {
  if (max_tokens == null || ![model, deployment].some(name => REASONING_MODEL.test(name ?? ''))) return {};
  return { max_tokens: undefined, max_completion_tokens: max_completion_tokens ?? max_tokens };
}
