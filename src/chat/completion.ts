import type { Json } from '../lib/json.ts';
import type { FinishReason, Usage } from './chat.ts';

/** The OpenAI completions format. https://platform.openai.com/docs/api-reference/completions */
export interface CompletionRequest {
  model?: string;
  prompt: string | string[];
  stream?: boolean | null;
  stream_options?: { include_usage?: boolean } | null;
  max_tokens?: number | null;
  temperature?: number | null;
  top_p?: number | null;
  top_k?: number | null;
  n?: number | null;
  seed?: number | null;
  stop?: string | string[] | null;
  presence_penalty?: number | null;
  frequency_penalty?: number | null;
  user?: string | null;
  [other: string]: unknown;
}

/** As with a ChatResponse, the edge adds what is missing. */
export interface CompletionResponse {
  id?: string;
  model?: string;
  choices: { index: number; text: string; finish_reason: FinishReason | null; logprobs?: Json }[];
  usage?: Usage;
  service_tier?: string;
  system_fingerprint?: string;
}

export interface CompletionEvent {
  id?: string;
  model?: string;
  index?: number;
  text?: string;
  finish_reason?: FinishReason;
  logprobs?: Json;
  usage?: Usage;
  service_tier?: string;
  system_fingerprint?: string;
  error?: { message: string; type?: string; code?: string };
}
