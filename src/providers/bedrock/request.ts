import type { ChatRequest } from '../../chat/chat.ts';
import { isObject, type Json, type JsonObject, withoutAbsent } from '../../lib/json.ts';
import { RequestFailure } from '../../lib/request-failure.ts';
import { toStrictSchema } from '../anthropic-messages/schema.ts';
import { isThinking, toThinking } from '../anthropic-messages/thinking.ts';
import { refuseUnless, refuseUnsupported } from '../unsupported.ts';
import { toConversation } from './messages.ts';
import { answersBySchema, isClaude, isCohere, isNova } from './models.ts';
import { isForced, toToolConfig } from './tools.ts';

/** What leaving out would change, and Converse has no word for. */
const REFUSED = [
  'n',
  'logit_bias',
  'logprobs',
  'top_logprobs',
  'presence_penalty',
  'frequency_penalty',
  'modalities',
  'audio',
  'web_search_options',
  'functions',
  'function_call',
] as const;

/** Members of Converse's own that OpenAI lacks: they pass. */
const OWN_MEMBERS = ['additionalModelResponseFieldPaths', 'guardrailConfig', 'promptVariables'];

/** The body of Converse and ConverseStream: https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html */
export function toConverse(request: ChatRequest, latency: string | null): JsonObject {
  const { model = '', verbosity } = request;
  refuseUnsupported('bedrock', request, REFUSED);
  refuseUnless(verbosity == null || verbosity === 'medium', 'bedrock', "'verbosity' other than medium");
  const schema = toSchema(request);
  const native = answersBySchema(model) && request.response_format?.type === 'json_schema';
  const toolConfig = toToolConfig(request, native ? undefined : schema);
  const forced = isForced(toolConfig);
  const { system, messages } = toConversation(request.messages, toolConfig === undefined);
  const { thinks, effort, fields } = toReasoning(request, forced);

  return withoutAbsent({
    messages,
    system: system.length > 0 ? system : undefined,
    inferenceConfig: unlessEmpty({
      maxTokens: request.max_completion_tokens ?? request.max_tokens,
      ...(!thinks && { temperature: toTemperature(request), topP: request.top_p }),
      stopSequences: request.stop == null ? undefined : [request.stop].flat(),
    }),
    toolConfig,
    additionalModelRequestFields: unlessEmpty({
      ...(!thinks && toTopK(request)),
      ...oneCallAtATime(request, forced),
      ...fields,
      ...own(request, 'additionalModelRequestFields'),
    }),
    outputConfig: unlessEmpty({
      textFormat: native && schema ? toTextFormat(request, schema) : undefined,
      effort,
      ...own(request, 'outputConfig'),
    }),
    performanceConfig: unlessEmpty({ latency, ...own(request, 'performanceConfig') }),
    requestMetadata: unlessEmpty({ ...toMetadata(request.metadata), ...own(request, 'requestMetadata') }),
    serviceTier: unlessEmpty({ type: toServiceTier(request.service_tier), ...own(request, 'serviceTier') }),
    ...Object.fromEntries(OWN_MEMBERS.map(name => [name, request[name]])),
  });
}

function unlessEmpty(members: Record<string, unknown>): JsonObject | undefined {
  const given = withoutAbsent(members);
  return Object.keys(given).length > 0 ? given : undefined;
}

/** What a client says in Bedrock's own words goes before what the gateway makes of OpenAI's. */
function own(request: ChatRequest, name: string): JsonObject {
  const { [name]: value } = request;
  return isObject(value as Json) ? (value as JsonObject) : {};
}

/** Undefined for an answer in text. OpenAI's JSON without a schema is an object of any kind. */
function toSchema({ response_format: format }: ChatRequest): JsonObject | undefined {
  switch (format?.type) {
    case 'json_schema':
      return format.json_schema.schema ?? { type: 'object' };
    case 'json_object':
      return { type: 'object' };
    case 'text':
    case undefined:
      return undefined;
    default:
      throw new RequestFailure(400, `bedrock does not support the 'response_format' '${(format as { type: unknown }).type}'`);
  }
}

/** https://docs.aws.amazon.com/bedrock/latest/userguide/structured-output.html */
function toTextFormat({ response_format: format }: ChatRequest, schema: JsonObject): JsonObject {
  const { name, description } = format?.type === 'json_schema' ? format.json_schema : { name: undefined, description: undefined };
  return {
    type: 'json_schema',
    structure: { jsonSchema: withoutAbsent({ schema: JSON.stringify(toStrictSchema(schema)), name, description }) },
  };
}

/** Each maker has its own word: https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters.html */
function toTopK({ model = '', top_k }: ChatRequest): JsonObject {
  if (top_k == null) return {};
  if (isNova(model)) return { inferenceConfig: { topK: top_k } };
  return isCohere(model) ? { k: top_k } : { top_k };
}

/** Claude's scale ends where OpenAI's has its middle. */
const toTemperature = ({ model = '', temperature }: ChatRequest) =>
  temperature == null || !isClaude(model) ? temperature : Math.min(temperature, 1);

/** A word of Claude's alone: https://platform.claude.com/docs/en/agents-and-tools/tool-use/parallel-tool-use */
function oneCallAtATime(request: ChatRequest, forced: boolean): JsonObject {
  const { model = '', parallel_tool_calls: parallel, tools, tool_choice: choice } = request;
  if (parallel !== false || !tools?.length || choice === 'none') return {};
  refuseUnless(isClaude(model) && !forced, 'bedrock', "'parallel_tool_calls' false with this model or with a tool that must be called");
  return { tool_choice: { type: 'auto', disable_parallel_tool_use: true } };
}

interface Reasoning {
  /** Thinking leaves the choice of tokens to the model: Claude refuses both together. */
  readonly thinks?: boolean;
  /** Of `outputConfig`. */
  readonly effort?: string | undefined;
  /** Of `additionalModelRequestFields`. */
  readonly fields?: JsonObject;
}

/**
 * Claude: https://docs.aws.amazon.com/bedrock/latest/userguide/claude-messages-extended-thinking.html and …/claude-messages-adaptive-thinking.html
 * Nova: https://docs.aws.amazon.com/nova/latest/nova2-userguide/extended-thinking.html
 * Others take OpenAI's word: https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-openai.html
 */
function toReasoning(request: ChatRequest, forced: boolean): Reasoning {
  const { model = '', reasoning_effort } = request;
  if (isClaude(model)) {
    const thinking = toThinking(request, forced);
    return { thinks: isThinking(thinking), effort: thinking.effort, fields: withoutAbsent({ thinking: thinking.thinking }) };
  }
  if (reasoning_effort == null) return {};
  return { fields: isNova(model) ? toNovaReasoning(reasoning_effort) : { reasoning_effort } };
}

function toNovaReasoning(effort: string): JsonObject {
  switch (effort) {
    case 'none':
      return { reasoningConfig: { type: 'disabled' } };
    case 'minimal':
    case 'low':
      return { reasoningConfig: { type: 'enabled', maxReasoningEffort: 'low' } };
    case 'medium':
      return { reasoningConfig: { type: 'enabled', maxReasoningEffort: 'medium' } };
    case 'high':
    case 'xhigh':
      return { reasoningConfig: { type: 'enabled', maxReasoningEffort: 'high' } };
    default:
      throw new RequestFailure(400, `bedrock does not support the 'reasoning_effort' '${effort}'`);
  }
}

const LONGEST_METADATA = 256;

/** It is for the logs of calls alone: what they cannot hold is rewritten rather than refused. */
function toMetadata(metadata: ChatRequest['metadata']): JsonObject {
  const plain = (text: unknown) =>
    String(text)
      .replace(/[^a-zA-Z0-9\s:_@$#=/+,\-.]/g, '_')
      .slice(0, LONGEST_METADATA);
  return Object.fromEntries(Object.entries(metadata ?? {}).map(([name, value]) => [plain(name), plain(value)]));
}

/** https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ServiceTier.html */
function toServiceTier(tier: ChatRequest['service_tier']): string | undefined {
  switch (tier) {
    case null:
    case undefined:
    case 'auto':
      return undefined;
    case 'default':
    case 'flex':
    case 'priority':
    case 'reserved':
      return tier;
    default:
      throw new RequestFailure(400, `bedrock does not support the 'service_tier' '${tier}'`);
  }
}
