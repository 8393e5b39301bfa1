import { operationUrl, preservedCalls } from './endpoint.ts';
import { ollamaChat, ollamaCompletions, ollamaEmbeddings } from './ollama-format/format.ts';
import { defineProvider } from './provider.ts';

/** Where Ollama listens unless told otherwise: https://docs.ollama.com/api/introduction */
const ORIGIN = 'http://localhost:11434';

/** A server of models in its own dialect: https://docs.ollama.com/api */
export const ollama = defineProvider({
  name: 'ollama',

  model({ options: configured }) {
    // Nothing answers calls at the root: a URL without a path says where the server is.
    const server = configured.upstream_url == null ? null : new URL(configured.upstream_url);
    const isOrigin = server?.pathname === '/';
    const origin = isOrigin ? server.origin : ORIGIN;
    const options = isOrigin ? { ...configured, upstream_url: null } : configured;
    return {
      chat: ollamaChat(operationUrl(options, origin, '/api/chat')),
      completions: ollamaCompletions(operationUrl(options, origin, '/api/generate')),
      embeddings: ollamaEmbeddings(operationUrl(options, origin, '/api/embed')),
      preserve: preservedCalls(options, origin),
    };
  },
});
