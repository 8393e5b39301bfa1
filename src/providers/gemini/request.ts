import type { ChatRequest, Tool } from '../../chat/chat.ts';
import { isObject, type Json, type JsonObject, withoutAbsent } from '../../lib/json.ts';
import { RequestFailure } from '../../lib/request-failure.ts';
import { refuseUnless, refuseUnsupported } from '../unsupported.ts';
import { toContents } from './contents.ts';
import { toGeminiSchema } from './schema.ts';

/** Members of Gemini's own that OpenAI lacks: they pass, in either of its spellings. `generationConfig` adds to what OpenAI's members say. */
const OWN_MEMBERS = ['safetySettings', 'safety_settings', 'cachedContent', 'cached_content', 'labels'];

/** What would change the answer if it were left out. What is neither here nor in the body would not: `user`, `metadata`, `service_tier` … */
const REFUSED = ['logit_bias', 'modalities', 'audio', 'functions', 'function_call'] as const;

/** Models before the third generation think by budget, later ones by level: https://ai.google.dev/gemini-api/docs/thinking */
const BY_BUDGET = /(^|\/)gemini-(1|2)\./;
/** These also refuse calls that come back without the signature of their thoughts. */
const LATER = /(^|\/)gemini-([3-9]|[a-z-]+-latest)/;

/** How Google itself reads `reasoning_effort`: https://ai.google.dev/gemini-api/docs/openai#thinking */
const BUDGETS: Readonly<Record<string, number>> = { none: 0, minimal: 1024, low: 1024, medium: 8192, high: 24_576, xhigh: 24_576 };
const LEVELS: Readonly<Record<string, string>> = { minimal: 'MINIMAL', low: 'LOW', medium: 'MEDIUM', high: 'HIGH', xhigh: 'HIGH' };

/** A chat as Gemini's `generateContent` takes it: https://ai.google.dev/api/generate-content */
export function toGenerateContent(request: ChatRequest): JsonObject {
  const { model = '', messages, tools, verbosity, generationConfig: own } = request;
  refuseUnsupported('gemini', request, REFUSED);
  refuseUnless(request.parallel_tool_calls !== false || !tools?.length, 'gemini', "'parallel_tool_calls' false");
  refuseUnless(verbosity == null || verbosity === 'medium', 'gemini', "'verbosity' other than medium");
  const generationConfig = { ...toGenerationConfig(request, model), ...(isObject(own) && own) };
  return {
    ...toContents(messages, LATER.test(model)),
    ...toTools(request),
    ...(Object.keys(generationConfig).length > 0 && { generationConfig }),
    ...Object.fromEntries(OWN_MEMBERS.filter(name => request[name] != null).map(name => [name, request[name] as Json])),
  };
}

function toGenerationConfig(request: ChatRequest, model: string): JsonObject {
  const { stop, logprobs, response_format: format } = request;
  return withoutAbsent({
    maxOutputTokens: request.max_completion_tokens ?? request.max_tokens,
    temperature: request.temperature,
    topP: request.top_p,
    topK: request.top_k,
    candidateCount: request.n,
    seed: request.seed,
    stopSequences: stop == null ? undefined : [stop].flat(),
    presencePenalty: request.presence_penalty,
    frequencyPenalty: request.frequency_penalty,
    responseLogprobs: logprobs || undefined,
    logprobs: logprobs ? request.top_logprobs : undefined,
    responseMimeType: format?.type === 'json_object' || format?.type === 'json_schema' ? 'application/json' : undefined,
    responseJsonSchema: format?.type === 'json_schema' && format.json_schema.schema ? toGeminiSchema(format.json_schema.schema) : undefined,
    thinkingConfig: toThinkingConfig(request.reasoning_effort, model),
  });
}

/** Thoughts come with the answer when the client says how much to think. */
function toThinkingConfig(effort: string | null | undefined, model: string): JsonObject | undefined {
  if (effort == null) return undefined;
  const [name, values] = BY_BUDGET.test(model) ? ['thinkingBudget', BUDGETS] : ['thinkingLevel', LEVELS];
  const value = Object.hasOwn(values, effort) ? values[effort] : undefined;
  if (value === undefined) {
    throw new RequestFailure(400, `gemini does not support the 'reasoning_effort' '${effort}' with ${model || 'this model'}`);
  }
  return { [name]: value, ...(effort !== 'none' && { includeThoughts: true }) };
}

/** Tools of Gemini's own, such as `{ googleSearch: {} }`, pass as they are. */
function toTools({ tools, tool_choice: choice, web_search_options: search }: ChatRequest): JsonObject {
  const allowed = allowedNames(choice);
  const functions = (tools ?? []).filter(tool => tool.type === 'function');
  const declared = functions
    .filter(({ function: { name } }) => allowed?.mode !== 'auto' || allowed.names.includes(name))
    .map(toDeclaration);
  const others = (tools ?? []).filter(tool => tool.type !== 'function').map(toOwnTool);
  const all = [...(declared.length > 0 ? [{ functionDeclarations: declared }] : []), ...others, ...toSearch(search)];
  const functionCallingConfig = declared.length > 0 ? toCallingConfig(choice, allowed) : undefined;
  return {
    ...(all.length > 0 && { tools: all }),
    ...(functionCallingConfig && { toolConfig: { functionCallingConfig } }),
  };
}

/** `strict` goes without saying: Gemini calls functions by their schemas. A function without parameters has no schema. */
function toDeclaration({ function: { name, description, parameters } }: Tool): JsonObject {
  return {
    name,
    ...(description && { description }),
    ...(parameters && !takesNone(parameters) && { parametersJsonSchema: toGeminiSchema(parameters) }),
  };
}

const takesNone = ({ properties, additionalProperties: others = false }: JsonObject) =>
  isObject(properties) && Object.keys(properties).length === 0 && others === false;

function toOwnTool(tool: { type?: unknown }): JsonObject {
  refuseUnless(tool.type === undefined, 'gemini', `tools of type '${tool.type}'`);
  return tool as JsonObject;
}

/** https://ai.google.dev/gemini-api/docs/google-search */
function toSearch(search: unknown): JsonObject[] {
  if (!isObject(search)) return [];
  const { user_location: place } = search;
  refuseUnless(place == null, 'gemini', "'user_location' in 'web_search_options'");
  return [{ googleSearch: {} }];
}

interface Allowed {
  readonly mode: 'auto' | 'required';
  readonly names: readonly string[];
}

/** OpenAI's choice among some of the tools: https://platform.openai.com/docs/guides/function-calling#tool-choice */
function allowedNames(choice: ChatRequest['tool_choice']): Allowed | undefined {
  if (!isObject(choice)) return undefined;
  const { type, function: one, allowed_tools: some } = choice as JsonObject & { function?: Json; allowed_tools?: Json; type?: Json };
  if (type === 'allowed_tools' && isObject(some)) {
    const { mode, tools } = some as unknown as { mode: Allowed['mode']; tools: { function: { name: string } }[] };
    return { mode, names: tools.map(({ function: { name } }) => name) };
  }
  const { name } = isObject(one) ? one : {};
  if (typeof name !== 'string') throw new RequestFailure(400, `gemini does not support the 'tool_choice' of type '${type}'`);
  return { mode: 'required', names: [name] };
}

/** https://ai.google.dev/gemini-api/docs/function-calling#function_calling_modes */
function toCallingConfig(choice: ChatRequest['tool_choice'], allowed: Allowed | undefined): JsonObject | undefined {
  if (allowed?.mode === 'required') return { mode: 'ANY', allowedFunctionNames: [...allowed.names] };
  if (choice === 'none') return { mode: 'NONE' };
  return choice === 'required' ? { mode: 'ANY' } : undefined;
}
