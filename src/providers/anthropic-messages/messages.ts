import type { Message, ToolCall } from '../../chat/chat.ts';
import { isObject } from '../../lib/json.ts';
import { RequestFailure } from '../../lib/request-failure.ts';
import { argumentsOf } from '../tool-arguments.ts';
import { refuseUnless, unsupportedRole } from '../unsupported.ts';
import { type Block, type Cached, cacheMark, toBlocks, toTexts } from './content.ts';
import { thinkingBlocks } from './thinking.ts';

/** What one side says before the other speaks. */
interface Turn {
  role: 'user' | 'assistant';
  content: Block[];
}

export interface Conversation {
  system: Block[];
  messages: Turn[];
}

/** The instructions, all in front and in their order, and the turns, which alternate. */
export function toConversation(messages: readonly Message[]): Conversation {
  const conversation: Conversation = { system: [], messages: [] };
  for (const message of messages) add(conversation, message);
  const { system, messages: turns } = conversation;
  for (const turn of turns) if (turn.role === 'user') turn.content.sort(resultsFirst);
  trimLastWords(turns.at(-1));
  if (turns.length > 0) return conversation;

  // Anthropic answers no instructions alone.
  if (system.length === 0) throw new RequestFailure(400, "anthropic needs 'messages' that say something");
  return { system: [], messages: [{ role: 'user', content: system }] };
}

function add({ system, messages }: Conversation, message: Message) {
  switch (message.role) {
    case 'system':
    case 'developer':
      system.push(...marked(toTexts(message.content), message));
      break;
    case 'user':
      say(messages, 'user', marked(toBlocks(message.content), message));
      break;
    case 'assistant':
      say(messages, 'assistant', marked(fromAssistant(message), message));
      break;
    case 'tool':
      say(messages, 'user', marked([toResult(message)], message));
      break;
    default:
      throw unsupportedRole('anthropic', message);
  }
}

/** Turns of one side after each other are one: Anthropic wants the results of all tools called in a turn in the next. */
function say(turns: Turn[], role: Turn['role'], content: Block[]) {
  const last = turns.at(-1);
  if (last?.role === role) last.content.push(...content);
  else if (content.length > 0) turns.push({ role, content });
}

/** A message's own mark holds up to its last block. */
function marked(blocks: Block[], message: Message): Block[] {
  const last = blocks.at(-1);
  return last === undefined ? [] : [...blocks.slice(0, -1), { ...last, ...cacheMark(message as Cached) }];
}

/** https://platform.claude.com/docs/en/agents-and-tools/tool-use/handle-tool-calls */
const resultsFirst = (one: Block, other: Block) => Number(other.type === 'tool_result') - Number(one.type === 'tool_result');

/** A last turn of the assistant is the beginning of the answer. Anthropic refuses blanks at its end. */
function trimLastWords(turn: Turn | undefined) {
  const block = turn?.role === 'assistant' ? turn.content.at(-1) : undefined;
  if (block?.text !== undefined) block.text = block.text.trimEnd();
}

function fromAssistant(message: Message): Block[] {
  const { content, refusal, tool_calls, audio, function_call } = message as Message & { audio?: unknown; function_call?: unknown };
  refuseUnless(audio == null && function_call == null, 'anthropic', "'audio' and 'function_call' in messages");
  const words = toBlocks(content);
  return [...thinkingBlocks(message), ...(words.length === 0 && refusal ? toBlocks(refusal) : words), ...(tool_calls ?? []).map(toToolUse)];
}

function toToolUse(call: ToolCall): Block {
  refuseUnless(isObject(call.function), 'anthropic', `'tool_calls' of type '${call.type}'`);
  return { type: 'tool_use', id: toId(call.id), name: call.function.name, input: argumentsOf(call) };
}

function toResult({ tool_call_id, content }: Message): Block {
  if (!tool_call_id) throw new RequestFailure(400, "a message of the role 'tool' needs a 'tool_call_id'");
  const blocks = toBlocks(content);
  return { type: 'tool_result', tool_use_id: toId(tool_call_id), ...(blocks.length > 0 && { content: asSaid(content, blocks) }) };
}

const asSaid = (content: Message['content'], blocks: Block[]) => (typeof content === 'string' ? content : blocks);

/** Other vendors' ids, in a chat that began with them, may have characters that Anthropic refuses. */
const toId = (id: string) => id.replace(/[^a-zA-Z0-9_-]/g, '_');
