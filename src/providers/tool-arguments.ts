import type { ToolCall } from '../chat/chat.ts';
import { isObject, type JsonObject, parseJson } from '../lib/json.ts';
import { RequestFailure } from '../lib/request-failure.ts';

/** The arguments of a call, for vendors that want them as JSON and not as its text. */
export function argumentsOf({ function: { name, arguments: text } }: ToolCall): JsonObject {
  const parsed = text.trim() === '' ? {} : parseJson(text);
  if (!isObject(parsed)) throw new RequestFailure(400, `'tool_calls': the arguments of '${name}' are not a JSON object`);
  return parsed;
}
