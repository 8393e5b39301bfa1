import type { ToolCall } from '../../chat/chat.ts';

/** A call of a function, as Gemini asks for it: https://ai.google.dev/api/caching#FunctionCall */
export interface FunctionCall {
  /** Newer models give one. */
  readonly id?: string;
  readonly name: string;
  readonly args?: object;
}

/** What the id of a tool call carries for the next turn. */
export interface CarriedCall {
  readonly id?: string;
  readonly thoughtSignature?: string;
}

const GIVEN = 'gemini_';
const MADE = 'call_';
const SIGNATURE = '__signature_';

/**
 * The id of a tool call holds Gemini's own id, where it gave one, and the signature of the thoughts that led to the call: newer models
 * refuse a call that comes back without it, and the id is what every client of OpenAI's sends back.
 * https://ai.google.dev/gemini-api/docs/thought-signatures
 */
export function toToolCall({ id, name, args }: FunctionCall, signature: string | undefined, made: string): ToolCall {
  const base = id === undefined ? `${MADE}${made}` : `${GIVEN}${id}`;
  return {
    id: signature === undefined ? base : `${base}${SIGNATURE}${toUrlSafe(signature)}`,
    type: 'function',
    function: { name, arguments: JSON.stringify(args ?? {}) },
  };
}

/** Nothing for an id that another vendor made. */
export function carriedBy(id: string): CarriedCall {
  const [base = '', signature] = id.split(SIGNATURE, 2);
  return {
    ...(base.startsWith(GIVEN) && { id: base.slice(GIVEN.length) }),
    ...(signature !== undefined && { thoughtSignature: fromUrlSafe(signature) }),
  };
}

/** Ids are letters, digits, `_` and `-` to other vendors, who may get this chat's next turn. */
const toUrlSafe = (base64: string) => base64.replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '');

function fromUrlSafe(text: string): string {
  const base64 = text.replaceAll('-', '+').replaceAll('_', '/');
  return base64.padEnd(Math.ceil(base64.length / 4) * 4, '=');
}
