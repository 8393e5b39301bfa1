import type { ChatRequest, Tool, ToolChoice } from '../../chat/chat.ts';
import { isObject, type JsonObject } from '../../lib/json.ts';
import { RequestFailure } from '../../lib/request-failure.ts';
import { hasStructuredOutputs } from './models.ts';
import { toStrictSchema } from './schema.ts';

/**
 * The tool that models without structured outputs are made to call with their answer: its input is the text of the answer.
 * https://platform.claude.com/docs/en/agents-and-tools/tool-use/overview
 */
export const ANSWER_TOOL = 'sluice_json_answer';

/** Anthropic's own members of a tool: https://platform.claude.com/docs/en/agents-and-tools/tool-use/tool-reference */
const OWN_MEMBERS = ['cache_control', 'eager_input_streaming', 'input_examples', 'defer_loading', 'allowed_callers'];

const ANY_INPUT: JsonObject = { type: 'object', properties: {} };

export interface Tools {
  readonly tools?: JsonObject[];
  readonly tool_choice?: JsonObject & { type: Choice['type'] };
}

/** `answer`: the schema to answer by, for models that know no other way. */
export function toTools(request: ChatRequest, answer: JsonObject | undefined): Tools {
  const { web_search_options: search } = request;
  const choice = toChoice(request.tool_choice);
  const tools = (request.tools ?? [])
    .filter(tool => choice.only === undefined || choice.only.includes(tool.function?.name))
    .map(tool => toTool(tool, request.model ?? ''));
  if (isObject(search)) tools.push(toWebSearch(search));

  // Who forces a call of another tool gets the answer in a later turn.
  if (answer !== undefined && (choice.type === 'auto' || choice.type === 'none')) return withAnswerTool(tools, choice.type, answer);
  // Anthropic refuses calls in the past of tools it is not told of.
  if (tools.length === 0) return calledTools(request);
  const alone = request.parallel_tool_calls === false && choice.type !== 'none' && { disable_parallel_tool_use: true };
  if (request.tool_choice == null && !alone) return { tools };
  return { tools, tool_choice: { type: choice.type, ...(choice.name !== undefined && { name: choice.name }), ...alone } };
}

/** Whether the answer has to call a tool. */
export const isForced = ({ tool_choice }: Tools): boolean => tool_choice?.type === 'any' || tool_choice?.type === 'tool';

interface Choice {
  readonly type: 'auto' | 'none' | 'any' | 'tool';
  readonly name?: string;
  /** The tools that may be called, where not all of them may. */
  readonly only?: readonly (string | undefined)[];
}

function toChoice(choice: ChatRequest['tool_choice']): Choice {
  if (choice == null || choice === 'auto') return { type: 'auto' };
  if (choice === 'none') return { type: 'none' };
  if (choice === 'required') return { type: 'any' };
  const { function: named, allowed_tools: allowed } = choice as Exclude<ToolChoice, string> & { allowed_tools?: AllowedTools };
  if (named?.name) return { type: 'tool', name: named.name };
  if (allowed?.tools) return { type: allowed.mode === 'required' ? 'any' : 'auto', only: allowed.tools.map(tool => tool.function?.name) };
  throw new RequestFailure(400, "anthropic does not support a 'tool_choice' other than of functions");
}

/** https://platform.openai.com/docs/api-reference/chat/create#chat_create-tool_choice */
interface AllowedTools {
  readonly mode?: string;
  readonly tools?: readonly Partial<Tool>[];
}

function toTool(tool: Tool, model: string): JsonObject {
  if (!isObject(tool.function)) return serverTool(tool as unknown as JsonObject);
  const { name, description, parameters, strict } = tool.function;
  const own = { ...(tool as object), ...tool.function } as JsonObject;
  const schema = { ...ANY_INPUT, ...parameters };
  const isStrict = strict === true && hasStructuredOutputs(model);
  return {
    name,
    ...(description && { description }),
    input_schema: isStrict ? toStrictSchema(schema) : schema,
    ...(isStrict && { strict: true }),
    ...Object.fromEntries(OWN_MEMBERS.flatMap(member => (own[member] == null ? [] : [[member, own[member]]]))),
  };
}

/** Tools that Anthropic runs or defines pass as they are: their types end in a date, `web_search_20250305`. */
function serverTool(tool: JsonObject): JsonObject {
  const { type } = tool;
  if (typeof type === 'string' && /_\d{8}$/.test(type)) return tool;
  throw new RequestFailure(400, `anthropic does not support 'tools' of type '${String(type)}'`);
}

/** https://platform.claude.com/docs/en/agents-and-tools/tool-use/web-search-tool */
function toWebSearch({ user_location: location }: JsonObject): JsonObject {
  const { approximate } = isObject(location) ? location : {};
  return {
    type: 'web_search_20250305',
    name: 'web_search',
    ...(isObject(approximate) && { user_location: { type: 'approximate', ...approximate } }),
  };
}

function withAnswerTool(tools: JsonObject[], asked: Choice['type'], input_schema: JsonObject): Tools {
  const answering = { name: ANSWER_TOOL, description: 'Gives the answer to the user.', input_schema };
  const isOnly = tools.length === 0 || asked === 'none';
  const once = { type: 'tool', name: ANSWER_TOOL, disable_parallel_tool_use: true } as const;
  return { tools: [...tools, answering], tool_choice: isOnly ? once : { type: 'any' } };
}

function calledTools({ messages }: ChatRequest): Tools {
  const names = new Set(messages.flatMap(({ tool_calls }) => (tool_calls ?? []).map(call => call.function?.name)));
  if (names.size === 0) return {};
  return { tools: [...names].map(name => ({ name: String(name), input_schema: ANY_INPUT })), tool_choice: { type: 'none' } };
}
