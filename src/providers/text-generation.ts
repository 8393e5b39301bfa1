import type { FinishReason, Usage } from '../chat/chat.ts';
import type { CompletionEvent, CompletionRequest, CompletionResponse } from '../chat/completion.ts';
import { isObject, type Json, type JsonObject, withoutAbsent } from '../lib/json.ts';
import type { Frame } from '../stream/frame.ts';

// Hugging Face's task of text generation, which servers of models besides theirs speak as well:
// https://huggingface.co/docs/inference-providers/tasks/text-generation

/** What chats and completions share of it. */
type Sampling = Pick<CompletionRequest, 'max_tokens' | 'temperature' | 'top_p' | 'top_k' | 'seed' | 'stop' | 'frequency_penalty'>;

/** The `parameters` of a request. The server takes a temperature of 0 and a `top_p` of 1 only by other names: no sampling, and none of it. */
export const toParameters = ({ max_tokens, temperature, top_p, top_k, seed, stop, frequency_penalty }: Sampling): JsonObject =>
  withoutAbsent({
    max_new_tokens: max_tokens,
    temperature: temperature === 0 ? undefined : temperature,
    do_sample: temperature === 0 ? false : undefined,
    top_p: top_p === 1 ? undefined : top_p,
    top_k,
    seed,
    stop: stop == null ? undefined : [stop].flat(),
    frequency_penalty,
  });

interface Details {
  readonly finish_reason?: string;
  readonly generated_tokens?: number;
  /** The prompt's tokens, in whole answers that were asked for them. */
  readonly prefill?: readonly Json[];
  /** Their number, in streams. */
  readonly input_length?: number;
}
interface Generated {
  readonly generated_text?: string;
  readonly details?: Details | null;
}

/** One object, a list of one, or Kong's `{ "data": […] }`. */
export function fromTextGeneration(body: Json): CompletionResponse {
  const { data = body, usage } = (isObject(body) ? body : {}) as { data?: Json; usage?: Usage };
  const { generated_text: text, details } = ([data].flat()[0] ?? {}) as Generated;
  if (typeof text !== 'string') throw new Error("'generated_text' missing from the answer");
  return {
    choices: [{ index: 0, text, finish_reason: fromFinishReason(details) }],
    ...fromDetails(details, details?.prefill?.length || undefined),
    ...(usage && { usage }),
  };
}

/** https://huggingface.co/docs/text-generation-inference/conceptual/streaming */
interface Token {
  readonly token?: { readonly text?: string; readonly special?: boolean };
  readonly generated_text?: string | null;
  readonly details?: Details | null;
  readonly error?: string;
  readonly error_type?: string;
}

export function fromToken({ data }: Frame): CompletionEvent[] {
  if (data === '[DONE]') return [];
  const { token, generated_text: text, details, error, error_type } = JSON.parse(data) as Token;
  if (error !== undefined) return [{ error: { message: error, ...(error_type !== undefined && { type: error_type }) } }];
  // Special tokens, such as the one that ends an answer, are no text.
  const said = token?.text && !token.special ? [{ text: token.text }] : [];
  if (text == null) return said;
  return [...said, { finish_reason: fromFinishReason(details), ...fromDetails(details, details?.input_length) }];
}

const fromFinishReason = (details: Details | null | undefined): FinishReason => (details?.finish_reason === 'length' ? 'length' : 'stop');

function fromDetails(details: Details | null | undefined, prompt: number | undefined): { usage?: Usage } {
  const completion = details?.generated_tokens;
  if (prompt === undefined || completion === undefined) return {};
  return { usage: { prompt_tokens: prompt, completion_tokens: completion, total_tokens: prompt + completion } };
}
