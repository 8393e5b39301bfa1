import { isObject, type Json, type JsonObject } from '../lib/json.ts';
import { RequestFailure } from '../lib/request-failure.ts';
import type { Unchanged } from './provider.ts';

/** What a vendor that speaks OpenAI's dialect answers otherwise. */
interface AnswerDifferences {
  /** Of a choice's `message` or `delta`. */
  readonly message?: (message: JsonObject) => JsonObject;
  readonly usage?: (usage: JsonObject) => JsonObject;
  /** OpenAI's word for one of the vendor's; `said` is the choice's `message` or `delta`. */
  readonly finishReason?: (reason: Json, said: JsonObject) => Json;
  /** Finish reasons by which it says that it gave up. */
  readonly failures?: readonly string[];
}

/**
 * Makes whole answers and chunks of streams what OpenAI publishes: what it requires is there, and what it does not allow to be
 * null is left out. Throws for what is no answer and for one that the vendor gave up, so that nobody takes it for a whole one.
 */
export function amending(
  vendor: string,
  { message, usage, finishReason = reason => reason, failures = [] }: AnswerDifferences = {},
): NonNullable<Unchanged<never>['amend']> {
  const amend = (body: JsonObject): JsonObject => {
    const { choices, usage: counted, system_fingerprint: fingerprint, ...rest } = body;
    if ('error' in body) return body;
    if (!Array.isArray(choices)) throw new RequestFailure(502, `${vendor} answered without choices`);
    return {
      ...rest,
      ...(typeof fingerprint === 'string' && { system_fingerprint: fingerprint }),
      choices: choices.map(choice => (isObject(choice) ? amendedChoice(choice) : choice)),
      ...(counted !== undefined && { usage: isObject(counted) ? withoutNulls(usage?.(counted) ?? counted) : counted }),
    };
  };
  return { answer: amend, chunk: amend };

  function amendedChoice({ message: whole, delta, finish_reason: reason = null, logprobs = null, ...rest }: JsonObject): JsonObject {
    if (failures.includes(String(reason))) throw new RequestFailure(502, `${vendor} gave up: ${reason}`);
    const part = whole ?? delta;
    return {
      ...rest,
      ...(isObject(whole) && { message: { content: null, refusal: null, ...said(whole) } }),
      ...(isObject(delta) && { delta: said(delta) }),
      logprobs,
      finish_reason: finishReason(reason, isObject(part) ? part : {}),
    };
  }

  function said(part: JsonObject): JsonObject {
    const { tool_calls: calls, ...rest } = withoutNulls(message?.(part) ?? part);
    return Array.isArray(calls) && calls.length > 0 ? { ...rest, tool_calls: calls.map(toolCall) } : rest;
  }
}

const withoutNulls = (members: JsonObject): JsonObject => Object.fromEntries(Object.entries(members).filter(([, value]) => value !== null));

/** A call, or a piece of one: pieces after the first have neither id nor name, not empty ones. */
function toolCall(call: Json): Json {
  if (!isObject(call)) return call;
  const { id, type: _always, function: called, ...rest } = call;
  const { name, ...input } = isObject(called) ? called : {};
  return { ...rest, ...(id && { id, type: 'function' }), function: { ...(name && { name }), ...input } };
}

/** For vendors that call the text of a model's thoughts `reasoning`. */
export function reasoningContent(message: JsonObject): JsonObject {
  if (!('reasoning' in message)) return message;
  const { reasoning = null, ...rest } = message;
  return { reasoning_content: reasoning, ...rest };
}

/** For errors with `message`, `type` and `code` that lie in no `error`. */
export function plainError(_status: number, body: Json): { message: string; type?: string; code?: string } {
  const { message, type, code } = isObject(body) ? body : {};
  return {
    message: typeof message === 'string' ? message : '',
    ...(typeof type === 'string' && { type }),
    ...(typeof code === 'string' && { code }),
  };
}
