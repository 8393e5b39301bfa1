import type { ChatRequest, Message, Part } from '../../chat/chat.ts';
import type { EmbeddingsRequest } from '../../chat/embeddings.ts';
import { isObject, type Json, withoutAbsent } from '../../lib/json.ts';
import { messagesWith, type Patch, renamed } from '../openai-compatible.ts';
import { withoutSilence } from '../silence.ts';
import { refuseUnless, refuseUnsupported } from '../unsupported.ts';
import { withOwnIds } from './tool-call-id.ts';

const VENDOR = 'mistral';

/** Mistral refuses members that it does not know. These change nothing in the answer, or little, as `top_k` does, or ask for nothing. */
export const DROPPED: readonly string[] = [
  'audio',
  'function_call',
  'functions',
  'logit_bias',
  'logprobs',
  'modalities',
  'prompt_cache_retention',
  'safety_identifier',
  'service_tier',
  'store',
  'stream_options',
  'top_k',
  'top_logprobs',
  'user',
  'verbosity',
  'web_search_options',
];

/** https://docs.mistral.ai/api/endpoint/chat */
export function toChat(request: ChatRequest): Patch {
  refuseUnsupported(VENDOR, request, [
    'logit_bias',
    'logprobs',
    'top_logprobs',
    'modalities',
    'audio',
    'web_search_options',
    'functions',
    'verbosity',
  ]);
  return {
    ...renamed(request, 'max_completion_tokens', 'max_tokens'),
    ...renamed(request, 'seed', 'random_seed'),
    ...toMessages(request),
    ...(request.tools?.some(needsParameters) && { tools: request.tools.map(withParameters) as Json }),
    ...(request.tool_choice === 'required' && { tool_choice: 'any' }),
    ...(request.reasoning_effort != null && { reasoning_effort: request.reasoning_effort === 'none' ? 'none' : 'high' }),
  };
}

function toMessages(request: ChatRequest): Patch {
  const messages = [...withoutSilence(request.messages)];
  const changed = messagesWith({ ...request, messages }, toMessage);
  return messages.length === request.messages.length ? changed : { messages: messages as unknown as Json, ...changed };
}

/** https://docs.mistral.ai/api/endpoint/embeddings */
export function toEmbeddings(request: EmbeddingsRequest): Patch {
  refuseUnless(
    [request.input].flat().every(text => typeof text === 'string'),
    VENDOR,
    "'input' of tokens",
  );
  return {
    ...('user' in request && { user: undefined }),
    ...(request.dimensions !== undefined && { dimensions: undefined, output_dimension: request.dimensions }),
  };
}

type Tool = NonNullable<ChatRequest['tools']>[number];
const needsParameters = ({ function: called }: Tool) => isObject(called) && called.parameters == null;
const withParameters = (tool: Tool) =>
  needsParameters(tool) ? { ...tool, function: { ...tool.function, parameters: { type: 'object', properties: {} } } } : tool;

/** What Mistral knows of a message, by role; the content of it is looked at first. */
const KNOWN: Readonly<Record<string, readonly string[]>> = {
  system: ['role', 'content'],
  user: ['role', 'content'],
  assistant: ['role', 'content', 'tool_calls', 'prefix'],
  tool: ['role', 'content', 'tool_call_id', 'name'],
};

/** The message itself where nothing has to change. */
function toMessage(given: Message): Message {
  const message = withOwnIds(given);
  const role = message.role === 'developer' ? 'system' : message.role;
  const content = toContent(message);
  const strangers = Object.keys(message).some(name => !(KNOWN[role] ?? []).includes(name));
  if (role === message.role && content === message.content && !strangers) return message;
  const known = (KNOWN[role] ?? Object.keys(message)).map(name => [name, (message as unknown as Record<string, unknown>)[name]]);
  return withoutAbsent({ ...Object.fromEntries(known), role, content }) as unknown as Message;
}

function toContent({ content, refusal, reasoning_content: reasoning }: Message): unknown {
  const said = Array.isArray(content) ? toParts(content) : (content ?? refusal);
  if (!reasoning) return said;
  // A model's thoughts come back where it said them: https://docs.mistral.ai/capabilities/reasoning
  const thoughts = { type: 'thinking', thinking: [{ type: 'text', text: reasoning }] };
  return [thoughts, ...(typeof said === 'string' ? [{ type: 'text', text: said }] : ((said as Json[] | null | undefined) ?? []))];
}

function toParts(parts: readonly Part[]): readonly unknown[] {
  const changed = parts.map(toPart);
  return changed.every((part, index) => part === parts[index]) ? parts : changed;
}

/** https://docs.mistral.ai/capabilities/document_ai/document_qna and https://docs.mistral.ai/capabilities/audio */
function toPart(part: Part): unknown {
  switch (part.type) {
    case 'refusal':
      return { type: 'text', text: part.refusal };
    case 'input_audio':
      return { type: 'input_audio', input_audio: part.input_audio.data };
    case 'file': {
      const { file_id, file_data, filename } = part.file;
      if (file_id !== undefined) return { type: 'file', file_id };
      return { type: 'document_url', document_url: file_data, ...(filename !== undefined && { document_name: filename }) };
    }
    default:
      return part;
  }
}
