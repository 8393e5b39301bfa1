import { operationUrl, preservedCalls } from './endpoint.ts';
import { ollamaChat, ollamaCompletions, ollamaEmbeddings } from './ollama-format.ts';
import { defineProvider } from './provider.ts';

/** Where Ollama listens unless told otherwise: https://docs.ollama.com/api/introduction */
const ORIGIN = 'http://localhost:11434';

/** A server of models in its own dialect: https://docs.ollama.com/api */
export const ollama = defineProvider({
  name: 'ollama',

  model({ options }) {
    const url = (path: string) => {
      // Nothing answers calls at the root: a URL without a path says where the server is.
      const base = options.upstream_url == null ? null : new URL(options.upstream_url);
      if (base?.pathname === '/') return operationUrl({ ...options, upstream_url: null }, base.href, path);
      return operationUrl(options, ORIGIN, path);
    };
    return {
      chat: ollamaChat(url('/api/chat')),
      completions: ollamaCompletions(url('/api/generate')),
      embeddings: ollamaEmbeddings(url('/api/embed')),
      preserve: preservedCalls(options, ORIGIN),
    };
  },
});
