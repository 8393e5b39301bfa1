import type { Message, ToolCall } from '../../chat/chat.ts';
import { isObject, type JsonObject } from '../../lib/json.ts';
import { RequestFailure } from '../../lib/request-failure.ts';
import { thinkingBlocks } from '../anthropic-messages/thinking.ts';
import { argumentsOf } from '../tool-arguments.ts';
import { refuseUnless, textOf, unsupportedRole } from '../unsupported.ts';
import { type Block, cachePoint, type DocumentNames, textBlocks, toBlocks } from './content.ts';

/** What one side says before the other speaks. */
interface Turn {
  readonly role: 'user' | 'assistant';
  readonly content: Block[];
}

export interface Conversation {
  readonly system: Block[];
  readonly messages: Turn[];
}

/**
 * The instructions, all in front and in their order, and the turns, which alternate.
 * `asText`: no tool may be called. Bedrock refuses calls in the past without a tool to call now, so that they are told in words.
 */
export function toConversation(messages: readonly Message[], asText: boolean): Conversation {
  const conversation: Conversation = { system: [], messages: [] };
  const names: DocumentNames = new Set();
  const told = asText ? inWords(messages) : messages;
  for (const message of told) add(conversation, message, names);
  const { messages: turns } = conversation;
  trimLastWords(turns);
  // Bedrock wants the user to begin: https://docs.aws.amazon.com/bedrock/latest/userguide/conversation-inference-call.html
  if (turns[0]?.role === 'assistant') turns.unshift({ role: 'user', content: [{ text: '.' }] });
  if (turns.length > 0) return conversation;

  // Bedrock answers no instructions alone.
  if (conversation.system.length === 0) throw new RequestFailure(400, "bedrock needs 'messages' that say something");
  return { system: [], messages: [{ role: 'user', content: conversation.system }] };
}

/** A last turn of the assistant is the beginning of the answer. Models refuse blanks at its end. */
function trimLastWords(turns: Turn[]) {
  const last = turns.at(-1);
  const block = last?.role === 'assistant' ? last.content.at(-1) : undefined;
  if (block === undefined) return;
  const { text } = block;
  if (typeof text === 'string') Object.assign(block, { text: text.trimEnd() });
}

function add({ system, messages }: Conversation, message: Message, names: DocumentNames) {
  switch (message.role) {
    case 'system':
    case 'developer':
      system.push(...marked(toInstructions(message, names), message));
      break;
    case 'user':
      say(messages, 'user', marked(toBlocks(message.content, names), message));
      break;
    case 'assistant':
      say(messages, 'assistant', marked(fromAssistant(message, names), message));
      break;
    case 'tool':
      say(messages, 'user', toResult(message, names));
      break;
    default:
      throw unsupportedRole('bedrock', message);
  }
}

/** Turns of one side after each other are one: the results of all tools called in a turn come in the next. */
function say(turns: Turn[], role: Turn['role'], content: Block[]) {
  const last = turns.at(-1);
  if (last?.role === role) last.content.push(...content);
  else if (content.length > 0) turns.push({ role, content: [...content] });
}

/** A message's own mark of what to keep holds up to its last block. */
const marked = (blocks: Block[], message: Message): Block[] => (blocks.length === 0 ? [] : [...blocks, ...cachePoint(message)]);

function toInstructions({ content }: Message, names: DocumentNames): Block[] {
  const blocks = toBlocks(content, names);
  const isText = blocks.every(block => 'text' in block || 'cachePoint' in block);
  refuseUnless(isText, 'bedrock', 'content other than text in system messages');
  return blocks;
}

function fromAssistant(message: Message, names: DocumentNames): Block[] {
  const { content, refusal, tool_calls } = message;
  const words = toBlocks(content, names);
  return [...toReasoning(message), ...(words.length === 0 ? textBlocks(refusal ?? '') : words), ...(tool_calls ?? []).map(toToolUse)];
}

/** What was thought comes back as it was signed, in the member that Anthropic's models have for it whoever serves them. */
const toReasoning = (message: Message): Block[] =>
  thinkingBlocks(message).map(({ type, thinking = '', signature = '', data = '' }) => ({
    reasoningContent: type === 'thinking' ? { reasoningText: { text: thinking, signature } } : { redactedContent: data },
  }));

function toToolUse(call: ToolCall): Block {
  refuseUnless(isObject(call.function), 'bedrock', `'tool_calls' of type '${call.type}'`);
  return { toolUse: { toolUseId: toId(call.id), name: call.function.name, input: argumentsOf(call) } };
}

/** `is_error` is Anthropic's word for a tool that failed; OpenAI has none. */
function toResult(message: Message, names: DocumentNames): Block[] {
  const { tool_call_id, is_error: failed } = message as Message & { is_error?: unknown };
  if (!tool_call_id) throw new RequestFailure(400, "a message of the role 'tool' needs a 'tool_call_id'");
  const blocks = toBlocks(message.content, names);
  // A mark of what to keep may not stand within a result.
  const content = blocks.filter(block => !('cachePoint' in block));
  const toolResult: JsonObject = { toolUseId: toId(tool_call_id), content, ...(failed === true && { status: 'error' }) };
  return [{ toolResult }, ...blocks.filter(block => 'cachePoint' in block), ...cachePoint(message)];
}

const LONGEST_ID = 64;

/** Other vendors' ids, in a chat that began with them, may be longer than Bedrock's and have other characters. */
function toId(id: string): string {
  const plain = id.replace(/[^a-zA-Z0-9_-]/g, '_');
  return plain.length <= LONGEST_ID ? plain : new Bun.CryptoHasher('sha256').update(id).digest('hex');
}

function inWords(messages: readonly Message[]): Message[] {
  const called = new Map(messages.flatMap(({ tool_calls }) => (tool_calls ?? []).map(call => [call.id, call.function?.name] as const)));
  return messages.map(message => {
    const { role, tool_calls, tool_call_id = '' } = message;
    if (role === 'tool')
      return { role: 'user', content: `The tool ${called.get(tool_call_id) ?? ''} answered: ${textOf(message, 'bedrock')}` };
    if (!tool_calls?.length) return message;
    const { content } = message;
    const said = typeof content === 'string' ? [{ type: 'text' as const, text: content }] : (content ?? []);
    return { role, content: [...said, ...tool_calls.map(call => ({ type: 'text' as const, text: callInWords(call) }))] };
  });
}

const callInWords = ({ function: called }: ToolCall) => `(I called the tool ${called?.name} with ${called?.arguments})`;
