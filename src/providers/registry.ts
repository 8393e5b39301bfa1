import { anthropic } from './anthropic.ts';
import { azure } from './azure.ts';
import { bedrock } from './bedrock.ts';
import { cerebras } from './cerebras.ts';
import { cohere } from './cohere.ts';
import { dashscope } from './dashscope.ts';
import { databricks } from './databricks.ts';
import { deepseek } from './deepseek.ts';
import { gemini } from './gemini.ts';
import { huggingface } from './huggingface.ts';
import { llama2 } from './llama2.ts';
import { mistral } from './mistral.ts';
import { ollama } from './ollama.ts';
import { openai } from './openai.ts';
import type { Provider } from './provider.ts';
import { vllm } from './vllm.ts';
import { xai } from './xai.ts';

/** Every provider the gateway speaks. To add one: a file beside this, a line here. */
export const providers = [
  openai,
  anthropic,
  bedrock,
  cohere,
  gemini,
  ollama,
  azure,
  cerebras,
  dashscope,
  databricks,
  deepseek,
  vllm,
  xai,
  llama2,
  huggingface,
  mistral,
] as const satisfies readonly Provider[];
