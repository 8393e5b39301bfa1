import type { ChatRequest, Message, Part } from '../../chat/chat.ts';
import { isObject, type JsonObject, withoutAbsent } from '../../lib/json.ts';
import { withoutSilence } from '../silence.ts';
import { choiceOf, functionsOf, refuseUnless, refuseUnsupported, unsupportedPart, unsupportedRole } from '../unsupported.ts';
import { toSchema } from './schema.ts';

const VENDOR = 'cohere';

/** Members of Cohere's own that OpenAI lacks: they pass. */
const OWN_MEMBERS = ['documents', 'citation_options', 'safety_mode', 'strict_tools', 'thinking', 'priority'];

/** What neither version of the API has. */
export const UNSUPPORTED = [
  'n',
  'logit_bias',
  'logprobs',
  'top_logprobs',
  'parallel_tool_calls',
  'modalities',
  'audio',
  'web_search_options',
  'functions',
  'verbosity',
] as const;

/** https://docs.cohere.com/reference/chat */
export function toChat(request: ChatRequest): JsonObject {
  refuseUnsupported(VENDOR, request, UNSUPPORTED);
  const strict = request.tools?.some(tool => tool.function?.strict) || undefined;
  return withoutAbsent({
    model: request.model,
    messages: withoutSilence(request.messages).map(toMessage),
    stream: request.stream ?? false,
    max_tokens: request.max_completion_tokens ?? request.max_tokens,
    temperature: request.temperature,
    p: request.top_p,
    k: request.top_k,
    seed: request.seed,
    stop_sequences: request.stop == null ? undefined : [request.stop].flat(),
    frequency_penalty: request.frequency_penalty,
    presence_penalty: request.presence_penalty,
    ...toTools(request, strict === true),
    strict_tools: strict,
    response_format: toResponseFormat(request.response_format),
    // How long a model thinks is a number of tokens here, and its own choice unless `thinking` says it.
    thinking: request.reasoning_effort === 'none' ? { type: 'disabled' } : undefined,
    ...Object.fromEntries(OWN_MEMBERS.filter(name => name in request).map(name => [name, request[name]])),
  });
}

/** One tool by name is that tool alone, required. */
function toTools(request: ChatRequest, strict: boolean): JsonObject {
  const choice = choiceOf(request.tool_choice, VENDOR);
  const only = typeof choice === 'object' ? choice.name : undefined;
  const functions = functionsOf(request.tools, VENDOR).filter(({ name }) => only === undefined || name === only);
  refuseUnless(only === undefined || functions.length > 0, VENDOR, "a 'tool_choice' that names none of the tools");
  const tools = functions.map(({ name, description, parameters }) => {
    const schema = parameters ?? { type: 'object', properties: {} };
    return { type: 'function', function: withoutAbsent({ name, description, parameters: strict ? toSchema(schema) : schema }) };
  });
  return {
    ...(request.tools && { tools }),
    ...(choice !== 'auto' && { tool_choice: choice === 'none' ? 'NONE' : 'REQUIRED' }),
  };
}

function toMessage(message: Message): JsonObject {
  switch (message.role) {
    case 'system':
    case 'developer':
      return withoutAbsent({ role: 'system', content: toContent(message) });
    case 'user':
      return withoutAbsent({ role: 'user', content: toContent(message) });
    case 'assistant':
      return toAssistantMessage(message);
    case 'tool':
      return withoutAbsent({ role: 'tool', tool_call_id: message.tool_call_id, content: toContent(message) });
    default:
      throw unsupportedRole(VENDOR, message);
  }
}

/** What a model says before it calls tools is its plan; what it thought goes back to it as it came. Cohere refuses an empty content. */
function toAssistantMessage(message: Message): JsonObject {
  const { tool_calls: calls, reasoning_content: thinking } = message;
  refuseUnless(calls?.every(call => isObject(call.function)) ?? true, VENDOR, "'tool_calls' of other things than functions");
  const said = toContent(message) || undefined;
  const isPlan = !!calls?.length && typeof said === 'string';
  const text = isPlan ? undefined : said;
  const blocks = typeof text === 'string' ? [{ type: 'text', text }] : (text ?? []);
  return withoutAbsent({
    role: 'assistant',
    content: thinking ? [{ type: 'thinking', thinking }, ...blocks] : text,
    tool_plan: isPlan ? said : undefined,
    tool_calls: calls?.length ? calls : undefined,
  });
}

function toContent({ content, refusal }: Message) {
  if (!Array.isArray(content)) return content ?? refusal ?? '';
  return content.map(toPart);
}

function toPart(part: Part | { type: 'document' }) {
  switch (part.type) {
    case 'refusal':
      return { type: 'text', text: part.refusal };
    case 'text':
      return { type: 'text', text: part.text };
    case 'image_url':
    // Cohere's own, as results of tools have it: https://docs.cohere.com/docs/tool-use-overview
    case 'document':
      return part;
    default:
      throw unsupportedPart(VENDOR, part);
  }
}

/** https://docs.cohere.com/docs/structured-outputs */
function toResponseFormat(format: ChatRequest['response_format']) {
  if (format?.type !== 'json_schema') return format;
  const { schema } = format.json_schema;
  return { type: 'json_object', ...(schema && { json_schema: toSchema(schema) }) };
}
