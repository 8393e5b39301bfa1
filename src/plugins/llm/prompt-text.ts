import { isObject, isTooDeep, type Json } from '../../lib/json.ts';
import type { Prompt } from './prompt.ts';

/** A prompt, or a part of one, in which nobody could look for words. */
export class UnreadablePrompt extends Error {}

/** What is looked at of a chat. */
export interface ChatScope {
  /** Messages of all roles, not of users alone. */
  readonly allRoles: boolean;
  /** The last such message, not all of them. */
  readonly latestOnly: boolean;
  /** So many messages at the end are the operator's: none of them is the client's latest. */
  readonly appended: number;
}

/** Roles that are not the user's. One that nobody knows is taken for the user's. */
const OTHER_ROLES: readonly Json[] = ['system', 'developer', 'assistant', 'tool', 'function'];

/** What a model would read of a chat, of each of several prompts, or of both. Throws an UnreadablePrompt. */
export function generationTexts({ messages, prompt, suffix }: Prompt, scope: ChatScope): string[] {
  if (messages === undefined && prompt === undefined) throw new UnreadablePrompt('neither messages nor prompt');
  const chat = messages === undefined ? [] : chatTexts(messages, scope);
  const prompts = prompt === undefined ? [] : textsIn(prompt);
  const rest = typeof suffix === 'string' ? ` ${suffix}` : '';
  return [...chat, ...prompts.map(text => text + rest)];
}

/** The texts of a request for embeddings. Throws an UnreadablePrompt. */
export const embeddingsTexts = ({ input }: Prompt): string[] => textsIn(input);

/** One text or several. Tokens could be anything. */
function textsIn(value: Json | undefined): string[] {
  const texts = typeof value === 'string' ? [value] : value;
  if (Array.isArray(texts) && texts.length > 0 && texts.every(text => typeof text === 'string')) return texts;
  throw new UnreadablePrompt('a prompt that is no text');
}

/**
 * A chat as one text, the newest message first as in Kong. How a model puts the parts of a message together is its own
 * affair: where there are several, the chat is told in two ways, with spaces between them and without.
 */
function chatTexts(messages: Json, { allRoles, latestOnly, appended }: ChatScope): string[] {
  if (!Array.isArray(messages) || messages.length === 0) throw new UnreadablePrompt('no messages');
  const clients = latestOnly ? messages.slice(0, messages.length - appended) : messages;
  const read = clients.filter(message => allRoles || !OTHER_ROLES.includes(roleOf(message)));
  const pieces = (latestOnly ? read.slice(-1) : read.toReversed()).map(piecesOf);
  const apart = pieces.flat().join(' ');
  const together = pieces.map(parts => parts.join('')).join(' ');
  return apart === together ? [apart] : [apart, together];
}

function roleOf(message: Json): string {
  const { role } = isObject(message) ? message : {};
  if (typeof role !== 'string') throw new UnreadablePrompt('a message without a role');
  return role;
}

/** All that a message says, part by part. */
function piecesOf(message: Json): string[] {
  const { role, content, refusal, reasoning_content, tool_calls, function_call } = isObject(message) ? message : {};
  if (role !== 'assistant') return contentPieces(content);
  const said = [refusal, reasoning_content, tool_calls, function_call].filter(part => part !== undefined);
  if (isTooDeep(said)) throw new UnreadablePrompt('a message nested too deeply');
  return [...(content === undefined || content === null ? [] : contentPieces(content)), ...stringsIn(said)];
}

function contentPieces(content: Json | undefined): string[] {
  return Array.isArray(content) ? content.flatMap(partPieces) : textsIn(content);
}

/** Nobody can look into an image, a sound or a file here. */
function partPieces(part: Json): string[] {
  const { type, text, refusal } = isObject(part) ? part : {};
  if (type === 'text') return textsIn(text);
  if (type === 'refusal') return textsIn(refusal);
  throw new UnreadablePrompt('a part that is no text');
}

function stringsIn(value: Json): string[] {
  if (typeof value === 'string') return [value];
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(stringsIn) : [];
}
