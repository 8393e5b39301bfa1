import type { ChatRequest, Message, ToolCall } from '../../chat/chat.ts';
import { isObject, type Json, type JsonObject, parseJson, withoutAbsent } from '../../lib/json.ts';
import { RequestFailure } from '../../lib/request-failure.ts';
import { argumentsOf } from '../tool-arguments.ts';
import { choiceOf, functionsOf, refuseUnless, refuseUnsupported, textOf, unsupportedRole } from '../unsupported.ts';
import { UNSUPPORTED } from './request.ts';
import { toSchema } from './schema.ts';

const VENDOR = "cohere's v1 API";

/** Members of the v1 API that OpenAI lacks: they pass. */
const OWN_MEMBERS = [
  'documents',
  'connectors',
  'prompt_truncation',
  'citation_quality',
  'safety_mode',
  'max_input_tokens',
  'force_single_step',
];

/** https://docs.cohere.com/v1/reference/chat: the last message stands alone, with those before it as the history. */
export function toV1Chat(request: ChatRequest): JsonObject {
  refuseUnsupported(VENDOR, request, UNSUPPORTED);
  const choice = choiceOf(request.tool_choice, VENDOR);
  refuseUnless(choice === 'auto' || choice === 'none', VENDOR, "a 'tool_choice' that requires a call");
  const tools = choice === 'none' ? [] : functionsOf(request.tools, VENDOR).map(toTool);
  return withoutAbsent({
    model: request.model,
    ...toConversation(request.messages),
    stream: request.stream ?? false,
    max_tokens: request.max_completion_tokens ?? request.max_tokens,
    temperature: request.temperature,
    p: request.top_p,
    k: request.top_k,
    seed: request.seed,
    stop_sequences: request.stop == null ? undefined : [request.stop].flat(),
    frequency_penalty: request.frequency_penalty,
    presence_penalty: request.presence_penalty,
    tools: tools.length > 0 ? tools : undefined,
    response_format: toResponseFormat(request.response_format),
    ...Object.fromEntries(OWN_MEMBERS.filter(name => name in request).map(name => [name, request[name]])),
  });
}

/**
 * System messages before all others are the preamble; those after the last of the user's go before it, where the history is.
 * Results of the last calls come without a message.
 */
function toConversation(messages: readonly Message[]): JsonObject {
  const first = messages.findIndex(message => !isSystem(message));
  const preamble = messages.slice(0, first === -1 ? messages.length : first).map(message => textOf(message, VENDOR));
  const turns = toTurns(first === -1 ? [] : messages.slice(first));
  const last = turns.findLast(({ role }) => role !== 'SYSTEM');
  if (last === undefined || last.role === 'CHATBOT') {
    throw new RequestFailure(400, "cohere's v1 API wants the last of the 'messages' to be the user's or a tool's");
  }
  const history = turns.filter(turn => turn !== last);
  return withoutAbsent({
    message: last.message ?? '',
    tool_results: last.tool_results,
    chat_history: history.length > 0 ? history : undefined,
    preamble: preamble.length > 0 ? preamble.join('\n') : undefined,
  });
}

interface Turn {
  readonly role: 'SYSTEM' | 'USER' | 'CHATBOT' | 'TOOL';
  readonly message?: string;
  readonly tool_calls?: readonly JsonObject[];
  readonly tool_results?: readonly JsonObject[];
}

const isSystem = ({ role }: Message) => role === 'system' || role === 'developer';

/** Results of tools name the call and not its id; those of one turn are together. */
function toTurns(messages: readonly Message[]): Turn[] {
  const calls = new Map<string, ToolCall>();
  const turns: Turn[] = [];
  let results: JsonObject[] | undefined;
  for (const message of messages) {
    for (const call of message.tool_calls ?? []) calls.set(call.id, call);
    if (message.role !== 'tool') {
      results = undefined;
      turns.push(toTurn(message));
      continue;
    }
    if (results === undefined) {
      results = [];
      turns.push({ role: 'TOOL', tool_results: results });
    }
    const call = calls.get(message.tool_call_id ?? '');
    if (call === undefined) throw new RequestFailure(400, `'tool_call_id': no call '${message.tool_call_id}' goes before its result`);
    results.push({ call: toCall(call), outputs: toOutputs(textOf(message, VENDOR)) });
  }
  return turns;
}

function toTurn(message: Message): Turn {
  const text = textOf(message, VENDOR);
  switch (message.role) {
    case 'system':
    case 'developer':
      return { role: 'SYSTEM', message: text };
    case 'user':
      return { role: 'USER', message: text };
    case 'assistant':
      return { role: 'CHATBOT', message: text, ...(message.tool_calls?.length && { tool_calls: message.tool_calls.map(toCall) }) };
    default:
      throw unsupportedRole(VENDOR, message);
  }
}

function toCall(call: ToolCall): JsonObject {
  refuseUnless(isObject(call.function), VENDOR, "'tool_calls' of other things than functions");
  return { name: call.function.name, parameters: argumentsOf(call) };
}

/** Outputs are objects. */
function toOutputs(text: string): Json[] {
  const parsed = parseJson(text);
  const outputs = Array.isArray(parsed) ? parsed : [parsed ?? null];
  return outputs.length > 0 && outputs.every(isObject) ? outputs : [{ output: text }];
}

/** Parameters have types of Python's: https://docs.cohere.com/v1/docs/parameter-types-in-tool-use */
function toTool({ name, description, parameters }: ReturnType<typeof functionsOf>[number]): JsonObject {
  const { properties, required } = parameters ?? {};
  const needed = Array.isArray(required) ? required : [];
  const definitions = Object.entries(isObject(properties) ? properties : {}).map(([parameter, schema]) => {
    const definition = toDefinition(isObject(schema) ? schema : {});
    return [parameter, { ...definition, required: needed.includes(parameter) }];
  });
  return { name, description: description ?? '', parameter_definitions: Object.fromEntries(definitions) };
}

/** What a type of Python's cannot say stands as JSON Schema in the description. */
function toDefinition(schema: JsonObject): JsonObject {
  const { type, description, ...rest } = schema;
  const told =
    Object.keys(rest).length > 0 && !(type === 'array' && isPlainList(rest)) ? `JSON Schema: ${JSON.stringify({ type, ...rest })}` : '';
  const text = [description, told].filter(Boolean).join(' ');
  return { type: toType(schema), ...(text !== '' && { description: text }) };
}

const isPlainList = ({ items, ...rest }: JsonObject) =>
  Object.keys(rest).length === 0 && isObject(items) && Object.keys(items).length === 1;

function toType({ type, items }: JsonObject): string {
  switch (type) {
    case 'integer':
      return 'int';
    case 'number':
      return 'float';
    case 'boolean':
      return 'bool';
    case 'array':
      return isObject(items) && 'type' in items ? `List[${toType(items)}]` : 'List';
    case 'object':
      return 'Dict';
    default:
      return 'str';
  }
}

function toResponseFormat(format: ChatRequest['response_format']) {
  if (format?.type !== 'json_schema') return format;
  const { schema } = format.json_schema;
  return { type: 'json_object', ...(schema && { schema: toSchema(schema) }) };
}
