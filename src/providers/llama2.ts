import { ConfigurationError } from '../lib/configuration-error.ts';
import type { EntityCheck } from '../schema/entity-check.ts';
import { string } from '../schema/field.ts';
import { rawChat, rawCompletions } from './llama2/raw.ts';
import { ollamaChat, ollamaCompletions, ollamaEmbeddings } from './ollama-format/format.ts';
import { defineProvider, type Model, type Unchanged } from './provider.ts';

const required = (option: string, then_err: string): EntityCheck => ({
  conditional_at_least_one_of: {
    if_field: 'model.provider',
    if_match: { one_of: ['llama2'] },
    then_at_least_one_of: [`model.options.${option}`],
    then_err,
  },
});

/** Llama 2 on a server of one's own, in the dialect that the server speaks: https://developer.konghq.com/ai-gateway/ai-providers/llama/ */
export const llama2 = defineProvider({
  name: 'llama2',

  options: { llama2_format: string({ one_of: ['raw', 'openai', 'ollama'] }) },

  checks: [
    required('llama2_format', 'must set %s for llama2 provider'),
    required('upstream_url', 'must set %s for self-hosted providers/models'),
  ],

  model({ options: { llama2_format, upstream_url } }): Model {
    if (upstream_url == null) throw new ConfigurationError('llama2 has no address of its own', 'model.options.upstream_url');
    const url = new URL(upstream_url).href;
    const unchanged: Unchanged<object> = { dialect: 'openai', endpoint: () => ({ url }), streamsUsage: true };

    switch (llama2_format) {
      case 'ollama':
        return { chat: ollamaChat(url), completions: ollamaCompletions(url), embeddings: ollamaEmbeddings(url), preserve: unchanged };
      case 'raw':
        return { chat: rawChat(url), completions: rawCompletions(url), preserve: unchanged };
      default:
        return { chat: unchanged, completions: unchanged, embeddings: unchanged, preserve: unchanged };
    }
  },
});
