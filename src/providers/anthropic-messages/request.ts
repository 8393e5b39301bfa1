import type { ChatRequest } from '../../chat/chat.ts';
import { isObject, type Json, type JsonObject, withoutAbsent } from '../../lib/json.ts';
import { RequestFailure } from '../../lib/request-failure.ts';
import { refuseUnless, refuseUnsupported } from '../unsupported.ts';
import { toConversation } from './messages.ts';
import { hasStructuredOutputs } from './models.ts';
import { toStrictSchema } from './schema.ts';
import { isThinking, type Thinking, toThinking } from './thinking.ts';
import { isForced, toTools } from './tools.ts';

/** Members of Anthropic's own that OpenAI lacks: they pass. */
const OWN_MEMBERS = ['cache_control', 'container', 'context_management', 'inference_geo', 'mcp_servers', 'speed'];

/** Anthropic has no JSON without a schema; nor does OpenAI give it to who does not ask for it in words. */
const AS_JSON = { type: 'text', text: 'Answer with one JSON object and nothing else: no words around it, no code fence.' };

/** What would change the answer if it were left out. What is neither here nor in the body would not: `seed`, `store`, `prediction` … */
const REFUSED = [
  'n',
  'presence_penalty',
  'frequency_penalty',
  'logit_bias',
  'logprobs',
  'top_logprobs',
  'modalities',
  'audio',
  'functions',
  'function_call',
] as const;

/** The body of `POST /v1/messages`: https://docs.anthropic.com/en/api/messages */
export function toMessages(request: ChatRequest): JsonObject {
  const { response_format: format, model = '', verbosity } = request;
  refuseUnsupported('anthropic', request, REFUSED);
  refuseUnless(verbosity == null || verbosity === 'medium', 'anthropic', "'verbosity' other than medium");
  const { system, messages } = toConversation(request.messages);
  const schema = format?.type === 'json_schema' ? format.json_schema.schema : undefined;
  const native = hasStructuredOutputs(model);
  const tools = toTools(request, native ? undefined : schema);
  const thinking = toThinking(request, isForced(tools));
  const isAnyJson = schema === undefined && format != null && format.type !== 'text';
  const instructions = isAnyJson ? [...system, AS_JSON] : system;

  return {
    ...withoutAbsent({ model: request.model, max_tokens: thinking.max_tokens, stream: request.stream }),
    ...(instructions.length > 0 && { system: instructions }),
    messages: messages as unknown as Json,
    ...tools,
    ...sampling(request, thinking),
    ...withoutAbsent({
      stop_sequences: toStopSequences(request.stop),
      thinking: thinking.thinking,
      output_config: toOutputConfig(request, thinking.effort, native ? schema : undefined),
      metadata: toMetadata(request),
      service_tier: toServiceTier(request.service_tier),
      ...Object.fromEntries(OWN_MEMBERS.map(name => [name, request[name]])),
    }),
  };
}

/**
 * 1 is what Anthropic does without being told, and its newer models want to hear of one of the two at most. OpenAI's temperatures
 * go to 2; Anthropic itself takes those above 1 for 1: https://docs.anthropic.com/en/api/openai-sdk
 * Who thinks samples as it likes: https://platform.claude.com/docs/en/build-with-claude/extended-thinking
 */
function sampling({ temperature, top_p, top_k }: ChatRequest, thinking: Thinking): JsonObject {
  const isTold = (value: number | null | undefined) => value != null && value < 1;
  if (isThinking(thinking)) return withoutAbsent({ top_p: isTold(top_p) && Number(top_p) >= 0.95 ? top_p : undefined });
  return withoutAbsent({ temperature: isTold(temperature) ? temperature : undefined, top_p: isTold(top_p) ? top_p : undefined, top_k });
}

function toStopSequences(stop: ChatRequest['stop']): string[] | undefined {
  const sequences = stop == null ? [] : [stop].flat();
  refuseUnless(
    sequences.every(sequence => sequence.trim() !== ''),
    'anthropic',
    "a 'stop' of blanks",
  );
  return sequences.length > 0 ? sequences : undefined;
}

function toOutputConfig(request: ChatRequest, effort: string | undefined, schema: JsonObject | undefined): JsonObject | undefined {
  const { output_config: own } = request;
  const config = {
    ...(effort !== undefined && { effort }),
    ...(schema !== undefined && { format: { type: 'json_schema', schema: toStrictSchema(schema) } }),
    ...(isObject(own) && own),
  };
  return Object.keys(config).length > 0 ? config : undefined;
}

/** OpenAI's metadata are for its own dashboard, but for the one member that Anthropic knows. */
function toMetadata({ user, safety_identifier, metadata }: ChatRequest): JsonObject | undefined {
  const { user_id = safety_identifier ?? user } = metadata ?? {};
  return typeof user_id === 'string' && user_id !== '' ? { user_id } : undefined;
}

/** https://platform.claude.com/docs/en/api/service-tiers */
function toServiceTier(tier: string | null | undefined): string | undefined {
  switch (tier) {
    case null:
    case undefined:
      return undefined;
    case 'auto':
    case 'priority':
      return 'auto';
    case 'default':
    case 'standard_only':
      return 'standard_only';
    default:
      throw new RequestFailure(400, `anthropic does not support the 'service_tier' '${tier}'`);
  }
}
