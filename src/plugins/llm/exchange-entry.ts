import type { Usage } from '../../chat/chat.ts';
import { isObject, type Json, type JsonObject } from '../../lib/json.ts';
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

/**
 * Kong's log entry of one exchange: `ai.proxy`. Milliseconds; cost in the currency of the configured costs.
 * It is a promise where the tokens have to be estimated.
 */
export function exchangeEntry(
  { body }: { readonly body: Pick<RequestBody, 'json'> },
  call: LlmCall,
  observation: Observation,
  facts: LogFacts,
): JsonObject | Promise<JsonObject> {
  const { usage, answered, said } = observation;
  const latency = Math.round((observation.endedAt ?? performance.now()) - call.startedAt);
  const isCounted = usage !== null || !answered || !facts.logging.log_statistics;
  if (isCounted) return entryOf(call, observation, facts, latency, usage);
  const estimated = body.json(0).then(request => estimateUsage(request, said));
  return estimated.then(usage => entryOf(call, observation, facts, latency, usage));
}

/** Adds the entry to those of the request's other exchanges, by the word for what it was for. */
export function noteExchange(log: JsonObject & { ai?: Json }, name: string, entry: JsonObject): void {
  const { ai } = log;
  log.ai = { ...(isObject(ai) && ai), [name]: entry };
}

function entryOf(call: LlmCall, observation: Observation, facts: LogFacts, latency: number, usage: Usage | null): JsonObject {
  const { provider, pluginId, cost, logging } = facts;
  const entry: { meta?: JsonObject; usage?: JsonObject; payload?: JsonObject } = {};
  if (logging.log_statistics) {
    const asked = call.model || UNKNOWN;
    entry.meta = {
      plugin_id: pluginId,
      provider_name: provider,
      request_model: asked,
      response_model: observation.model ?? asked,
      request_mode: call.stream ? 'stream' : 'oneshot',
      llm_latency: latency,
    };
    entry.usage = usageEntry(call, observation, cost, latency, usage);
  }
  if (logging.log_payloads) entry.payload = { request: call.text, response: observation.payload };
  return entry;
}

/** `usage`: what the vendor or an estimate says; null: neither. */
function usageEntry(call: LlmCall, observation: Observation, cost: Cost, latency: number, usage: Usage | null): JsonObject {
  const { firstTokenAt, serviceTier } = observation;
  const entry: UsageEntry = { usage_source: observation.usage !== null ? 'provider' : usage !== null ? 'estimated' : 'absent' };
  // No count is better than a count of zero: who bills by it must see that there is none.
  if (usage !== null) {
    const { prompt_tokens, completion_tokens = 0, total_tokens = prompt_tokens + completion_tokens } = usage;
    const { prompt_tokens_details, completion_tokens_details } = usage;
    entry.prompt_tokens = prompt_tokens;
    entry.completion_tokens = completion_tokens;
    entry.total_tokens = total_tokens;
    if (prompt_tokens_details) entry.prompt_tokens_details = { ...prompt_tokens_details };
    if (completion_tokens_details) entry.completion_tokens_details = { ...completion_tokens_details };
    const price = cost({ usage, serviceTier });
    if (price !== undefined) entry.cost = price;
    if (completion_tokens > 0) entry.time_per_token = Math.round((latency / completion_tokens) * 100) / 100;
  }
  if (call.stream && firstTokenAt !== null) entry.time_to_first_token = Math.round(firstTokenAt - call.startedAt);
  return entry;
}

type UsageEntry = JsonObject & {
  prompt_tokens?: number;
  completion_tokens?: number;
  total_tokens?: number;
  prompt_tokens_details?: JsonObject;
  completion_tokens_details?: JsonObject;
  cost?: number;
  time_per_token?: number;
  time_to_first_token?: number;
};
