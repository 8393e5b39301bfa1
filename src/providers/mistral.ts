import { ConfigurationError } from '../lib/configuration-error.ts';
import { string } from '../schema/field.ts';
import { preservedCalls } from './endpoint.ts';
import { amend, fromError } from './mistral/answer.ts';
import { DROPPED, toChat, toEmbeddings } from './mistral/request.ts';
import { ollamaChat, ollamaCompletions, ollamaEmbeddings } from './ollama-format/format.ts';
import { openaiCompatible } from './openai-compatible.ts';
import { defineProvider, type Model, type Options } from './provider.ts';

const ORIGIN = 'https://api.mistral.ai';

/** Mistral's API, nearly OpenAI's: https://docs.mistral.ai/api; or its models on a server of one's own that speaks Ollama's dialect. */
export const mistral = defineProvider({
  name: 'mistral',

  options: { mistral_format: string({ one_of: ['openai', 'ollama'] }) },

  checks: [
    {
      conditional_at_least_one_of: {
        if_field: 'model.provider',
        if_match: { one_of: ['mistral'] },
        then_at_least_one_of: ['model.options.mistral_format'],
        then_err: 'must set %s for mistral provider',
      },
    },
  ],

  model: ({ options }): Model => (options.mistral_format === 'ollama' ? ownServer(options) : mistrals(options)),
});

function ownServer(options: Options): Model {
  const { upstream_url } = options;
  if (upstream_url == null) throw new ConfigurationError('must say where the server is', 'model.options.upstream_url');
  const url = new URL(upstream_url).href;
  return {
    chat: ollamaChat(url),
    completions: ollamaCompletions(url),
    embeddings: ollamaEmbeddings(url),
    preserve: preservedCalls(options, ORIGIN),
  };
}

function mistrals(options: Options): Model {
  const { chat, completions, embeddings, preserve } = openaiCompatible(options, {
    origin: ORIGIN,
    paths: { chat: '/v1/chat/completions', completions: '/v1/completions', embeddings: '/v1/embeddings' },
    drops: DROPPED,
    patch: toChat,
    amend,
    error: fromError,
    // The last chunk has the usage without being asked.
    streamsUsage: false,
  });
  return {
    ...(chat && { chat }),
    // Mistral has none itself, servers that run its models may.
    ...(options.upstream_url != null && completions && { completions }),
    ...(embeddings?.dialect === 'openai' && { embeddings: { ...embeddings, patch: toEmbeddings } }),
    ...(preserve && { preserve }),
  };
}
