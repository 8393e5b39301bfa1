import type { ChatEvent, ChatRequest, ChatResponse } from '../chat/chat.ts';
import type { EmbeddingsRequest, EmbeddingsResponse } from '../chat/embeddings.ts';
import { ConfigurationError } from '../lib/configuration-error.ts';
import { boolean, record, string } from '../schema/field.ts';
import { decodeSse } from '../stream/sse.ts';
import { fromChat, fromEvent } from './cohere/answer.ts';
import { embedding, fromEmbed, INPUT_TYPES } from './cohere/embeddings.ts';
import { toChat } from './cohere/request.ts';
import { fromV1Chat, v1Events } from './cohere/v1-answer.ts';
import { toV1Chat } from './cohere/v1-request.ts';
import { completionsOverChat } from './completions-over-chat.ts';
import { operationUrl, preservedCalls } from './endpoint.ts';
import { defineProvider, type Translation } from './provider.ts';

const ORIGIN = 'https://api.cohere.com';

/**
 * Cohere's v2 API, and its v1 chat where the configuration names that: https://docs.cohere.com/reference/about
 * It has no completions since `/v1/generate` was shut down: https://docs.cohere.com/docs/migrating-from-cogenerate-to-cochat
 */
export const cohere = defineProvider({
  name: 'cohere',

  options: {
    cohere: record({
      embedding_input_type: string({ default: 'classification', one_of: INPUT_TYPES }),
      wait_for_model: boolean(),
    }),
  },

  model({ options }) {
    if (options.cohere?.wait_for_model) {
      throw new ConfigurationError('all models of cohere are loaded', 'model.options.cohere.wait_for_model');
    }
    const chat = chatAt(operationUrl(options, ORIGIN, '/v2/chat'));
    const embedUrl = operationUrl(options, ORIGIN, '/v2/embed');
    const embeddings: Translation<EmbeddingsRequest, EmbeddingsResponse, never> = {
      dialect: 'own',
      endpoint: () => ({ url: embedUrl }),
      request: embedding(options.cohere?.embedding_input_type ?? 'classification'),
      response: fromEmbed,
      stream() {
        throw new Error('embeddings are not streamed');
      },
    };
    return { chat, completions: completionsOverChat('cohere', chat), embeddings, preserve: preservedCalls(options, ORIGIN) };
  },
});

function chatAt(url: string): Translation<ChatRequest, ChatResponse, ChatEvent> {
  const { pathname } = new URL(url);
  if (pathname.endsWith('/v1/generate'))
    throw new ConfigurationError('was shut down, /v2/chat took its place', 'model.options.upstream_url');
  if (pathname.endsWith('/v1/chat')) return v1Chat(url);
  return {
    dialect: 'own',
    endpoint: () => ({ url }),
    request: toChat,
    response: fromChat,
    stream: () => ({ decode: decodeSse(), translate: fromEvent }),
  };
}

const v1Chat = (url: string): Translation<ChatRequest, ChatResponse, ChatEvent> => ({
  dialect: 'own',
  // Without it v1 streams lines of JSON: https://docs.cohere.com/reference/chat-stream-v1
  endpoint: ({ stream }) => ({ url, ...(stream && { headers: { accepts: 'text/event-stream' } }) }),
  request: toV1Chat,
  response: fromV1Chat,
  stream: () => ({ decode: decodeSse(), translate: v1Events() }),
});
