import type { Json, JsonObject } from '../lib/json.ts';

/**
 * The OpenAI chat format: what clients send, what plugins read, what every provider translates from and to.
 * https://platform.openai.com/docs/api-reference/chat
 */
export interface ChatRequest {
  model?: string;
  messages: Message[];
  stream?: boolean | null;
  stream_options?: { include_usage?: boolean } | null;
  max_tokens?: number | null;
  max_completion_tokens?: number | null;
  temperature?: number | null;
  top_p?: number | null;
  top_k?: number | null;
  n?: number | null;
  seed?: number | null;
  stop?: string | string[] | null;
  presence_penalty?: number | null;
  frequency_penalty?: number | null;
  logit_bias?: Record<string, number> | null;
  logprobs?: boolean | null;
  top_logprobs?: number | null;
  tools?: Tool[] | null;
  tool_choice?: ToolChoice | null;
  parallel_tool_calls?: boolean | null;
  response_format?: ResponseFormat | null;
  reasoning_effort?: string | null;
  service_tier?: string | null;
  metadata?: Record<string, string> | null;
  user?: string | null;
  [other: string]: unknown;
}

export interface Message {
  role: 'system' | 'developer' | 'user' | 'assistant' | 'tool';
  content?: string | Part[] | null;
  name?: string;
  refusal?: string | null;
  reasoning_content?: string | null;
  tool_calls?: ToolCall[] | null;
  tool_call_id?: string;
  /** What an answer drew on, as the vendor says it. */
  citations?: Json[];
}

export type Part =
  | { type: 'text'; text: string }
  | { type: 'image_url'; image_url: { url: string; detail?: string } }
  | { type: 'input_audio'; input_audio: { data: string; format: string } }
  | { type: 'file'; file: { filename?: string; file_data?: string; file_id?: string } }
  | { type: 'refusal'; refusal: string };

export interface Tool {
  type: 'function';
  function: { name: string; description?: string; parameters?: JsonObject; strict?: boolean | null };
}
export type ToolChoice = 'none' | 'auto' | 'required' | { type: 'function'; function: { name: string } };
export interface ToolCall {
  id: string;
  type: 'function';
  function: { name: string; arguments: string };
}
export type ResponseFormat =
  | { type: 'text' }
  | { type: 'json_object' }
  | { type: 'json_schema'; json_schema: { name: string; description?: string; schema?: JsonObject; strict?: boolean | null } };

export type FinishReason = 'stop' | 'length' | 'tool_calls' | 'content_filter';

/** What a provider's translation answers: the edge adds `object` and `created`, and what the vendor does not say of id and model. */
export interface ChatResponse {
  id?: string;
  model?: string;
  choices: { index: number; message: Message & { annotations?: Json[] }; finish_reason: FinishReason | null; logprobs?: Json }[];
  usage?: Usage;
  /** What the vendor says it served the request with: costs may depend on it. */
  service_tier?: string;
  system_fingerprint?: string;
}

/** Tokens, as the vendor counted them. */
export interface Usage {
  prompt_tokens: number;
  completion_tokens: number;
  total_tokens: number;
  prompt_tokens_details?: {
    cached_tokens?: number;
    audio_tokens?: number;
    cache_write_tokens?: number;
    /** The same by how long they are kept, where the vendor tells: `{ '5m': 100, '1h': 0 }`. */
    cache_write_tokens_details?: Readonly<Record<string, number>>;
  };
  completion_tokens_details?: { reasoning_tokens?: number; audio_tokens?: number };
}

export interface ToolCallDelta {
  index: number;
  id?: string;
  type?: 'function';
  function?: { name?: string; arguments?: string };
}
export interface Delta {
  role?: 'assistant';
  content?: string;
  reasoning_content?: string;
  refusal?: string;
  tool_calls?: ToolCallDelta[];
  citations?: Json[];
  annotations?: Json[];
}

/** One streamed step: the edge puts it in a `chat.completion.chunk`. `id`, `model`, `service_tier` and `system_fingerprint` hold for all that follow. */
export interface ChatEvent {
  id?: string;
  model?: string;
  index?: number;
  delta?: Delta;
  finish_reason?: FinishReason;
  logprobs?: Json;
  usage?: Usage;
  service_tier?: string;
  system_fingerprint?: string;
  /** The vendor gave up in the middle: an error event follows, and no `[DONE]`. */
  error?: { message: string; type?: string; code?: string };
}
