import type { Message, ToolCall } from '../../chat/chat.ts';
import { isObject, type Json, type JsonObject, parseJson } from '../../lib/json.ts';
import { RequestFailure } from '../../lib/request-failure.ts';
import { argumentsOf } from '../tool-arguments.ts';
import { unsupportedRole } from '../unsupported.ts';
import { toPart } from './parts.ts';
import { carriedBy } from './tool-call-id.ts';

interface Content {
  readonly role: 'user' | 'model';
  readonly parts: JsonObject[];
}

/** The vendor's signature of an answer that ended in text, where Google's own endpoint for OpenAI's clients puts it. */
export interface WithSignature {
  extra_content?: { google?: { thought_signature?: string } };
}

/**
 * For calls that Gemini did not sign, since another model made them. Else its newer models would refuse the chat.
 * https://ai.google.dev/gemini-api/docs/thought-signatures#faqs
 */
const UNSIGNED = 'skip_thought_signature_validator';

/** `signed`: the model refuses calls without a signature. */
export function toContents(messages: readonly Message[], signed: boolean): { contents: Json; systemInstruction?: Json } {
  const instructions = messages.filter(isInstruction).flatMap(textParts);
  const contents: Content[] = [];
  let calls: readonly ToolCall[] = [];
  for (const turn of turnsOf(messages.filter(message => !isInstruction(message)))) {
    if (turn[0]?.role === 'assistant') calls = turn.flatMap(({ tool_calls }) => tool_calls ?? []);
    const content = toContent(turn, calls, signed);
    if (content.parts.length > 0) contents.push(content);
  }
  if (contents.length === 0) {
    // Gemini answers no instructions alone.
    if (instructions.length === 0) throw new RequestFailure(400, "gemini needs 'messages' that say something");
    return { contents: [{ role: 'user', parts: instructions }] };
  }
  return {
    contents: contents as unknown as Json,
    ...(instructions.length > 0 && { systemInstruction: { parts: instructions } }),
  };
}

const isInstruction = ({ role }: Message) => role === 'system' || role === 'developer';

/** Messages of one role that follow each other are one turn. */
function turnsOf(messages: readonly Message[]): Message[][] {
  const turns: Message[][] = [];
  for (const message of messages) {
    const last = turns.at(-1);
    if (last?.[0]?.role === message.role) last.push(message);
    else turns.push([message]);
  }
  return turns;
}

function toContent(turn: readonly Message[], calls: readonly ToolCall[], signed: boolean): Content {
  switch (turn[0]?.role) {
    case 'assistant':
      return { role: 'model', parts: turn.flatMap(message => toModelParts(message, signed)) };
    case 'tool':
      return { role: 'user', parts: toFunctionResponses(turn, calls) };
    case 'user':
      return { role: 'user', parts: turn.flatMap(({ content }) => toParts(content)) };
    default:
      throw unsupportedRole('gemini', turn[0] ?? { role: '' });
  }
}

/** Gemini refuses a text of nothing. */
function toParts(content: Message['content']): JsonObject[] {
  if (!Array.isArray(content)) return content ? [{ text: content }] : [];
  return content.map(toPart).filter(({ text }) => text !== '');
}

function textParts({ content, role }: Message): { text: string }[] {
  if (!Array.isArray(content)) return content ? [{ text: content }] : [];
  const texts = content.map(part => {
    if (part.type !== 'text') throw new RequestFailure(400, `gemini takes text only in messages of role '${role}'`);
    return { text: part.text };
  });
  return texts.filter(({ text }) => text !== '');
}

function toModelParts(message: Message & WithSignature, signed: boolean): JsonObject[] {
  const { content, refusal, tool_calls: calls, extra_content: extra } = message;
  const said = toParts(content);
  const texts = said.length === 0 ? toParts(refusal) : said;
  const thoughtSignature = extra?.google?.thought_signature;
  const last = texts.pop() ?? (thoughtSignature ? { text: '' } : undefined);
  return [
    ...texts,
    ...(last ? [{ ...last, ...(thoughtSignature && { thoughtSignature }) }] : []),
    ...(calls ?? []).map((call, index) => toFunctionCall(call, signed && index === 0)),
  ];
}

/** Of parallel calls the first alone is signed. */
function toFunctionCall(call: ToolCall, mustBeSigned: boolean): JsonObject {
  const { id, thoughtSignature = mustBeSigned ? UNSIGNED : undefined } = carriedBy(call.id);
  return {
    functionCall: { ...(id !== undefined && { id }), name: call.function.name, args: argumentsOf(call) },
    ...(thoughtSignature !== undefined && { thoughtSignature }),
  };
}

/** All results of a turn, in the order of their calls: calls of one function may have no other mark. */
function toFunctionResponses(results: readonly Message[], calls: readonly ToolCall[]): JsonObject[] {
  const placeOf = ({ tool_call_id }: Message) => calls.findIndex(({ id }) => id === tool_call_id);
  return results.toSorted((one, other) => placeOf(one) - placeOf(other)).map(result => toFunctionResponse(result, calls));
}

/** Gemini knows results by the function's name, which OpenAI's messages have in the call only. */
function toFunctionResponse(message: Message, calls: readonly ToolCall[]): JsonObject {
  const { tool_call_id: callId = '', name } = message;
  const called = calls.find(({ id }) => id === callId)?.function.name ?? name;
  if (called === undefined)
    throw new RequestFailure(400, "'tool_call_id' of a tool's message is the id of no call in the assistant's turn before");
  const { id } = carriedBy(callId);
  return { functionResponse: { ...(id !== undefined && { id }), name: called, response: toResult(message) } };
}

/** A result is an object; what is none stands under the name that the reference gives for it: https://ai.google.dev/api/caching#FunctionResponse */
function toResult(message: Message): JsonObject {
  const text = textParts(message)
    .map(part => part.text)
    .join('');
  const result = parseJson(text);
  return isObject(result) ? result : { output: Array.isArray(result) ? result : text };
}
