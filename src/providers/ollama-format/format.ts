import type { ChatEvent, ChatRequest, ChatResponse } from '../../chat/chat.ts';
import type { CompletionEvent, CompletionRequest, CompletionResponse } from '../../chat/completion.ts';
import type { EmbeddingsRequest, EmbeddingsResponse } from '../../chat/embeddings.ts';
import { decodeJsonLines } from '../../stream/json-lines.ts';
import type { Translation } from '../provider.ts';
import { chatEvents, fromChat, fromEmbed, fromGenerate, fromGenerateLine } from './answer.ts';
import { toChat, toEmbed, toGenerate } from './request.ts';

/** https://docs.ollama.com/api/streaming */
const STREAM_TYPE = 'application/x-ndjson';

// Ollama's own API, which servers of several providers speak: https://docs.ollama.com/api

export const ollamaChat = (url: string): Translation<ChatRequest, ChatResponse, ChatEvent> => ({
  dialect: 'own',
  endpoint: () => ({ url }),
  request: toChat,
  response: fromChat,
  streamType: STREAM_TYPE,
  stream: () => ({ decode: decodeJsonLines(), translate: chatEvents() }),
});

export const ollamaCompletions = (url: string): Translation<CompletionRequest, CompletionResponse, CompletionEvent> => ({
  dialect: 'own',
  endpoint: () => ({ url }),
  request: toGenerate,
  response: fromGenerate,
  streamType: STREAM_TYPE,
  stream: () => ({ decode: decodeJsonLines(), translate: fromGenerateLine }),
});

export const ollamaEmbeddings = (url: string): Translation<EmbeddingsRequest, EmbeddingsResponse, never> => ({
  dialect: 'own',
  endpoint: () => ({ url }),
  request: toEmbed,
  response: fromEmbed,
  stream() {
    throw new Error('embeddings are not streamed');
  },
});
