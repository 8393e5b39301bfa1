import type { JsonObject } from '../../lib/json.ts';
import type { RequestBody } from '../context.ts';
import type { Logging } from './config.ts';
import type { Cost } from './cost.ts';
import { estimateUsage } from './estimate.ts';
import type { Observation } from './observation.ts';
import type { LlmCall } from './request.ts';

export interface LogFacts {
  readonly provider: string;
  readonly pluginId: string;
  readonly cost: Cost;
  readonly logging: Logging;
}

/** Kong's word for a model that nobody named. */
const UNKNOWN = 'UNSPECIFIED';

/** Kong's log entry of one exchange: `ai.proxy`. Milliseconds; cost in the currency of the configured costs. */
export async function exchangeEntry(
  { body }: { readonly body: Pick<RequestBody, 'json'> },
  call: LlmCall,
  observation: Observation,
  { provider, pluginId, cost, logging }: LogFacts,
): Promise<JsonObject> {
  const { model, serviceTier, firstTokenAt, endedAt, said, answered, payload } = observation;
  const latency = Math.round((endedAt ?? performance.now()) - call.startedAt);
  const asked = call.model || UNKNOWN;
  const meta = {
    plugin_id: pluginId,
    provider_name: provider,
    request_model: asked,
    response_model: model ?? asked,
    request_mode: call.stream ? 'stream' : 'oneshot',
    llm_latency: latency,
  };
  return {
    ...(logging.log_statistics && { meta, usage: await usageEntry() }),
    ...(logging.log_payloads && { payload: { request: call.text, response: payload } }),
  };

  async function usageEntry(): Promise<JsonObject> {
    const firstToken = call.stream && firstTokenAt !== null ? { time_to_first_token: Math.round(firstTokenAt - call.startedAt) } : {};
    const source = observation.usage !== null ? 'provider' : answered ? 'estimated' : 'absent';
    // No count is better than a count of zero: who bills by it must see that there is none.
    if (source === 'absent') return { usage_source: source, ...firstToken };

    const usage = observation.usage ?? (await estimateUsage(await body.json(0), said));
    const { prompt_tokens, completion_tokens = 0, total_tokens = prompt_tokens + completion_tokens } = usage;
    const { prompt_tokens_details, completion_tokens_details } = usage;
    const price = cost({ usage, serviceTier });
    return {
      usage_source: source,
      prompt_tokens,
      completion_tokens,
      total_tokens,
      ...(prompt_tokens_details && { prompt_tokens_details: { ...prompt_tokens_details } }),
      ...(completion_tokens_details && { completion_tokens_details: { ...completion_tokens_details } }),
      ...(price !== undefined && { cost: price }),
      ...(completion_tokens > 0 && { time_per_token: Math.round((latency / completion_tokens) * 100) / 100 }),
      ...firstToken,
    };
  }
}
