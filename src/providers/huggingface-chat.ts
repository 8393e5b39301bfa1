import { isObject, type Json, type JsonObject } from '../lib/json.ts';

// What servers of models behind Hugging Face say otherwise than OpenAI.
// https://huggingface.co/docs/text-generation-inference/reference/api_reference

export const amendAnswer = (body: JsonObject): JsonObject => withChoices(body, amendChoice);

export function amendChunk(chunk: JsonObject): JsonObject {
  const { error, error_type } = chunk;
  if (typeof error === 'string') return { error: { message: error, type: error_type ?? 'api_error', param: null, code: null } };
  return withChoices(chunk, amendPart);
}

function withChoices(body: JsonObject, amend: (choice: JsonObject) => JsonObject): JsonObject {
  const { choices } = body;
  return Array.isArray(choices) ? { ...body, choices: choices.map(choice => (isObject(choice) ? amend(choice) : choice)) } : body;
}

function amendChoice({ message, logprobs, finish_reason, ...choice }: JsonObject): JsonObject {
  const { tool_calls, ...said } = isObject(message) ? message : {};
  const called = Array.isArray(tool_calls) && tool_calls.length > 0;
  return {
    ...choice,
    message: { content: null, refusal: null, ...said, ...(called && { tool_calls: tool_calls.map(withArguments) }) },
    logprobs: logprobs ?? null,
    finish_reason: called ? 'tool_calls' : fromFinishReason(finish_reason),
  };
}

function amendPart({ delta, logprobs, finish_reason, ...choice }: JsonObject): JsonObject {
  const { tool_calls, ...said } = isObject(delta) ? delta : {};
  const called = Array.isArray(tool_calls) && tool_calls.length > 0;
  return {
    ...choice,
    delta: { ...said, ...(called && { tool_calls: tool_calls.map(withoutEmptyNames) }) },
    logprobs: logprobs ?? null,
    finish_reason: fromFinishReason(finish_reason),
  };
}

/** Older servers give a call's arguments as JSON and not as its text, and a description of the function with them. */
function withArguments(call: Json): Json {
  const { function: called } = isObject(call) ? call : {};
  if (!isObject(call) || !isObject(called)) return call;
  const { description: _, arguments: input = {}, ...named } = called;
  return { ...call, function: { ...named, arguments: typeof input === 'string' ? input : JSON.stringify(input) } };
}

/** Here each piece of a call's arguments has an id, which is empty, and a type; OpenAI says both once. */
function withoutEmptyNames(call: Json, position: number): Json {
  if (!isObject(call)) return call;
  const { index = position, id, type, function: called } = call;
  const { name, arguments: input = '' } = isObject(called) ? called : {};
  return { index, ...(id && { id, type: type ?? 'function' }), function: { ...(name && { name }), arguments: input } };
}

/** The words of text generation, which older servers use for chats too. */
const fromFinishReason = (reason: Json | undefined): Json =>
  reason === 'eos_token' || reason === 'stop_sequence' ? 'stop' : (reason ?? null);
