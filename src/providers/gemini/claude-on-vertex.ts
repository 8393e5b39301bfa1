import type { ChatEvent, ChatRequest, ChatResponse } from '../../chat/chat.ts';
import type { JsonObject } from '../../lib/json.ts';
import { decodeSse } from '../../stream/sse.ts';
import { fromMessage } from '../anthropic-messages/answer.ts';
import { toMessages } from '../anthropic-messages/request.ts';
import { translateStream } from '../anthropic-messages/stream.ts';
import type { Translation } from '../provider.ts';

export const CLAUDE = /^claude-/;

/**
 * Claude on Vertex AI speaks Anthropic's dialect, but for the model, which the URL names, and the version, which the body does.
 * https://cloud.google.com/vertex-ai/generative-ai/docs/partner-models/claude/use-claude
 */
export const claudeOnVertex = (
  urlOf: (model: string, method: string, stream: boolean) => string,
): Translation<ChatRequest, ChatResponse, ChatEvent> => ({
  dialect: 'own',
  endpoint: ({ model, stream }) => ({ url: urlOf(model, 'rawPredict', stream) }),
  request: toRawPredict,
  response: fromMessage,
  stream: () => ({ decode: decodeSse(), translate: translateStream() }),
});

function toRawPredict(request: ChatRequest): JsonObject {
  const { model: _, ...body } = toMessages(request) as JsonObject & { model?: string };
  return { anthropic_version: 'vertex-2023-10-16', ...body };
}
