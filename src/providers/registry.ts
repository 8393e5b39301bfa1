import { cohere } from './cohere.ts';
import { ollama } from './ollama.ts';
import { openai } from './openai.ts';
import type { Provider } from './provider.ts';

/** Every provider the gateway speaks. To add one: a file beside this, a line here. */
export const providers = [openai, cohere, ollama] as const satisfies readonly Provider[];
