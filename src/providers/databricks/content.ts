import type { Message } from '../../chat/chat.ts';
import { isObject, type Json, type JsonObject } from '../../lib/json.ts';

// Databricks answers for models that think with a list of parts, thoughts among them as `{ type: 'reasoning', summary: [...] }`:
// https://docs.databricks.com/aws/en/machine-learning/foundation-model-apis/api-reference#reasoningcontent
// Signed thoughts must come back with the tool results they led to. They travel as `thinking_blocks` of the assistant's message,
// which OpenAI's clients keep and send again; in a stream piece by piece.

/** A `message` or `delta` with its text in `content` and its thoughts in `reasoning_content`. */
export function messageOfParts(message: JsonObject): JsonObject {
  const { content } = message;
  if (!Array.isArray(content)) return message;
  const parts = content.filter(isObject);
  const text = textOf(parts);
  const blocks = parts.filter(({ type }) => type === 'reasoning').flatMap(({ summary }) => (Array.isArray(summary) ? summary : []));
  const thoughts = blocks.filter(isObject);
  const thought = textOf(thoughts);
  return {
    ...message,
    content: text || null,
    ...(thought && { reasoning_content: thought }),
    ...(thoughts.length > 0 && { thinking_blocks: thoughts.map(toBlock) }),
  };
}

/** An assistant's message with the thoughts it brought back among its parts. */
export function partsOfMessage(message: Message): Message {
  const { thinking_blocks: given, reasoning_content: _forPeople, ...rest } = message as Message & { thinking_blocks?: Json };
  const blocks = Array.isArray(given) ? whole(given.filter(isObject)) : [];
  if (blocks.length === 0) return message;
  const { content } = rest;
  const text = Array.isArray(content) ? content : content ? [{ type: 'text', text: content }] : [];
  return { ...rest, content: [{ type: 'reasoning', summary: blocks.map(toSummary) }, ...text] } as unknown as Message;
}

const textOf = (parts: readonly JsonObject[]) => parts.map(({ text }) => (typeof text === 'string' ? text : '')).join('');

const toBlock = ({ text = '', signature, data }: JsonObject): JsonObject =>
  data === undefined ? { type: 'thinking', thinking: text, ...(signature ? { signature } : {}) } : { type: 'redacted_thinking', data };

const toSummary = ({ thinking = '', signature = '', data }: JsonObject): JsonObject =>
  data === undefined ? { type: 'summary_text', text: thinking, signature } : { type: 'summary_encrypted_text', data };

/** The pieces of a stream joined: a thought ends with its signature. One without is for people only. */
function whole(pieces: readonly JsonObject[]): JsonObject[] {
  const blocks: JsonObject[] = [];
  let open = '';
  for (const { type, thinking, signature, data } of pieces) {
    if (type === 'redacted_thinking' && data !== undefined) blocks.push({ data });
    if (type !== 'thinking') continue;
    open += typeof thinking === 'string' ? thinking : '';
    if (!signature) continue;
    blocks.push({ thinking: open, signature });
    open = '';
  }
  return blocks;
}
