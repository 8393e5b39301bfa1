import type { Usage } from '../../chat/chat.ts';
import { isObject, type Json, type JsonObject } from '../../lib/json.ts';
import type { Logging, ModelConfig } from './config.ts';
import type { LlmCall } from './request.ts';

/** What an answer showed of itself on its way through. */
export interface Observation {
  model: string | null;
  usage: Usage | null;
  /** By the clock of `performance.now()`; null when nothing came. */
  firstTokenAt: number | null;
  endedAt: number | null;
  /** A whole body as it was sent to the client; of a stream, its text alone. Filled when payloads are logged. */
  payload: string;
}

export const newObservation = (): Observation => ({ model: null, usage: null, firstTokenAt: null, endedAt: null, payload: '' });

/** Takes in what an answer or a chunk in OpenAI's dialect says of itself. */
export function observe(observation: Observation, body: Json | undefined) {
  if (!isObject(body)) return;
  const { model, usage } = body;
  if (typeof model === 'string' && model !== '') observation.model = model;
  if (isUsage(usage)) observation.usage = usage;
}

function isUsage(usage: Json | undefined): usage is Json & Usage {
  if (!isObject(usage)) return false;
  const { prompt_tokens, completion_tokens = 0 } = usage;
  return typeof prompt_tokens === 'number' && typeof completion_tokens === 'number';
}

export interface LogFacts {
  readonly provider: string;
  readonly pluginId: string;
  readonly options: ModelConfig['options'];
  readonly logging: Logging;
}

/** Kong's log entry of one exchange: `ai.proxy`. Milliseconds; cost in the currency of the configured costs. */
export function exchangeEntry(call: LlmCall, observation: Observation, { provider, pluginId, options, logging }: LogFacts): JsonObject {
  const { model, usage, firstTokenAt, endedAt, payload } = observation;
  const latency = Math.round((endedAt ?? performance.now()) - call.startedAt);
  const meta = {
    plugin_id: pluginId,
    provider_name: provider,
    request_model: call.model,
    response_model: model ?? call.model,
    request_mode: call.stream ? 'stream' : 'oneshot',
    llm_latency: latency,
  };
  return {
    ...(logging.log_statistics && { meta, usage: usageEntry() }),
    ...(logging.log_payloads && { payload: { request: call.text, response: payload } }),
  };

  function usageEntry(): JsonObject {
    const firstToken = call.stream && firstTokenAt !== null ? { time_to_first_token: Math.round(firstTokenAt - call.startedAt) } : {};
    // No count is better than a count of zero: who bills by it must see that there is none.
    if (usage === null) return { usage_source: 'absent', ...firstToken };
    const { prompt_tokens, completion_tokens = 0, total_tokens = prompt_tokens + completion_tokens } = usage;
    const { prompt_tokens_details, completion_tokens_details } = usage;
    const { input_cost, output_cost } = options ?? {};
    return {
      usage_source: 'provider',
      prompt_tokens,
      completion_tokens,
      total_tokens,
      ...(prompt_tokens_details && { prompt_tokens_details: { ...prompt_tokens_details } }),
      ...(completion_tokens_details && { completion_tokens_details: { ...completion_tokens_details } }),
      ...(input_cost && output_cost && { cost: (prompt_tokens * input_cost + completion_tokens * output_cost) / 1_000_000 }),
      ...(completion_tokens > 0 && { time_per_token: Math.round((latency / completion_tokens) * 100) / 100 }),
      ...firstToken,
    };
  }
}
