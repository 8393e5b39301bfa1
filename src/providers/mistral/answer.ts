import { isObject, type Json, type JsonObject } from '../../lib/json.ts';
import { amending } from '../compatible-answers.ts';

/** Where Mistral's answers differ from OpenAI's: https://docs.mistral.ai/api/endpoint/chat */
export const amend = amending('mistral', {
  message: ({ content = null, tool_calls, ...said }) => ({
    ...said,
    ...fromContent(content),
    ...(Array.isArray(tool_calls) && { tool_calls: tool_calls.map(fromToolCall) }),
  }),
  finishReason: reason => (reason === 'model_length' ? 'length' : reason),
  failures: ['error'],
});

/** A text, or chunks of text, of thoughts and of references, which say nothing by themselves. */
function fromContent(content: Json): JsonObject {
  if (!Array.isArray(content)) return { content };
  const chunks = content.filter(isObject);
  const text = chunks.map(textOf).join('');
  const thoughts = chunks
    .flatMap(({ thinking }) => (Array.isArray(thinking) ? thinking.filter(isObject) : []))
    .map(textOf)
    .join('');
  return { ...(thoughts !== '' && { reasoning_content: thoughts }), ...((text !== '' || thoughts === '') && { content: text }) };
}

const textOf = ({ type, text }: JsonObject): string => (type === 'text' && typeof text === 'string' ? text : '');

/** Calls come whole, in streams too, where they may not say their place; their arguments may be JSON and not its text. */
function fromToolCall(call: Json, position: number): Json {
  const { index = position, function: called, ...rest } = isObject(call) ? call : {};
  const { name = '', arguments: input = '' } = isObject(called) ? called : {};
  return { index, ...rest, function: { name, arguments: typeof input === 'string' ? input : JSON.stringify(input) } };
}

/** Of a request that it did not understand Mistral says what and where, in a list: `{ "detail": [{ "loc", "msg" }] }`. */
export function fromError(_status: number, body: Json): { message: string; type?: string; code?: string } {
  const { message = body, type, code } = isObject(body) ? body : {};
  return {
    message: typeof message === 'string' ? message : problemsOf(message),
    ...(typeof type === 'string' && { type }),
    ...(code != null && { code: `${code}` }),
  };
}

function problemsOf(message: Json): string {
  const { detail = message } = isObject(message) ? message : {};
  if (typeof detail === 'string') return detail;
  const problems = Array.isArray(detail) ? detail.filter(isObject) : [];
  return problems.map(({ loc, msg }) => `${Array.isArray(loc) ? loc.join('.') : ''}: ${msg}`).join('; ');
}
