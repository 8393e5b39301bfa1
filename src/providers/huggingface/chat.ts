import { isObject, type Json, type JsonObject } from '../../lib/json.ts';
import { amending, reasoningContent } from '../compatible-answers.ts';

/**
 * What servers of models behind Hugging Face say otherwise than OpenAI, older ones above all.
 * https://huggingface.co/docs/text-generation-inference/reference/api_reference
 */
const { answer, chunk } = amending('huggingface', {
  message: ({ tool_calls, ...said }) => ({
    ...reasoningContent(said),
    ...(isFilled(tool_calls) && { tool_calls: tool_calls.map(fromToolCall) }),
  }),
  finishReason(reason, { tool_calls }) {
    if (reason !== null && isFilled(tool_calls)) return 'tool_calls';
    // The words of text generation.
    return reason === 'eos_token' || reason === 'stop_sequence' ? 'stop' : reason;
  },
});

export const amend = { answer, chunk: (said: JsonObject) => fromError(said) ?? chunk(said) };

function fromError({ error, error_type }: JsonObject): JsonObject | undefined {
  if (typeof error !== 'string') return undefined;
  return { error: { message: error, type: error_type ?? 'api_error', param: null, code: null } };
}

const isFilled = (value: Json | undefined): value is Json[] => Array.isArray(value) && value.length > 0;

/** Arguments may be JSON and not its text, with a description of the function beside them. */
function fromToolCall(call: Json): Json {
  const { function: called } = isObject(call) ? call : {};
  if (!isObject(call) || !isObject(called)) return call;
  const { description: _, arguments: input = '', ...named } = called;
  return { ...call, function: { ...named, arguments: typeof input === 'string' ? input : JSON.stringify(input) } };
}
