import type { ChatEvent, ChatRequest, ChatResponse, Message } from '../../chat/chat.ts';
import type { CompletionEvent, CompletionRequest, CompletionResponse } from '../../chat/completion.ts';
import { type Json, type JsonObject, withoutAbsent } from '../../lib/json.ts';
import { decodeSse } from '../../stream/sse.ts';
import type { Translation } from '../provider.ts';
import { fromTextGeneration, fromToken, toParameters } from '../text-generation.ts';
import { refuseUnless, refuseUnsupported, textOf, unsupportedRole } from '../unsupported.ts';

const VENDOR = "llama2's raw format";

// Llama 2 behind a server of text generation: the chat is one text, in the form that the model was trained on.
// https://huggingface.co/blog/llama2#how-to-prompt-llama-2

export const rawChat = (url: string): Translation<ChatRequest, ChatResponse, ChatEvent> => ({
  dialect: 'own',
  endpoint: () => ({ url }),
  request(request) {
    refuseUnsupported(VENDOR, request, [
      'n',
      'tools',
      'functions',
      'response_format',
      'logprobs',
      'logit_bias',
      'presence_penalty',
      'modalities',
      'audio',
      'web_search_options',
      'verbosity',
    ]);
    return toRaw(promptOf(request.messages), { ...request, max_tokens: request.max_completion_tokens ?? request.max_tokens ?? null });
  },
  response(body) {
    const { choices, ...rest } = answered(body);
    const chosen = choices.map(({ text, ...choice }) => ({ ...choice, message: { role: 'assistant' as const, content: text } }));
    return { ...rest, choices: chosen };
  },
  stream: () => ({ decode: decodeSse(), translate: frame => fromToken(frame).map(asChatEvent) }),
});

export const rawCompletions = (url: string): Translation<CompletionRequest, CompletionResponse, CompletionEvent> => ({
  dialect: 'own',
  endpoint: () => ({ url }),
  request(request) {
    refuseUnsupported(VENDOR, request, ['n', 'best_of', 'echo', 'suffix', 'logprobs', 'logit_bias', 'presence_penalty']);
    const [prompt, ...others] = [request.prompt].flat();
    refuseUnless(typeof prompt === 'string' && others.length === 0, VENDOR, "other than one text as 'prompt'");
    return toRaw(instruction([], prompt as string), request);
  },
  response: answered,
  stream: () => ({ decode: decodeSse(), translate: fromToken }),
});

/** `stream` goes only to servers that are asked to stream: others may not know it. */
const toRaw = (inputs: string, request: CompletionRequest | ChatRequest): JsonObject =>
  withoutAbsent({ inputs, parameters: toParameters(request), stream: request.stream || undefined });

/** Some servers repeat the prompt before the answer. */
function answered(body: Json): CompletionResponse {
  const { choices, ...rest } = fromTextGeneration(body);
  return { ...rest, choices: choices.map(({ text, ...choice }) => ({ ...choice, text: (text.split('[/INST]').at(-1) ?? '').trim() })) };
}

/** Each answer ends what was asked for it: system messages stand before the words of the user that follow them. */
function promptOf(messages: readonly Message[]): string {
  let prompt = '';
  let systems: string[] = [];
  let asked: string[] = [];
  for (const message of messages) {
    if (message.role === 'assistant') {
      refuseUnless(!message.tool_calls?.length, VENDOR, "'tool_calls'");
      prompt += `${instruction(systems, asked.join('\n'))} ${textOf(message, VENDOR)} </s>`;
      systems = [];
      asked = [];
    } else if (message.role === 'user') asked.push(textOf(message, VENDOR));
    else if (message.role === 'system' || message.role === 'developer') systems.push(textOf(message, VENDOR));
    else throw unsupportedRole(VENDOR, message);
  }
  return systems.length + asked.length === 0 ? prompt : prompt + instruction(systems, asked.join('\n'));
}

function instruction(systems: readonly string[], asked: string): string {
  const system = systems.length > 0 ? `<<SYS>>\n${systems.join('\n')}\n<</SYS>>\n\n` : '';
  return `<s>[INST] ${system}${asked} [/INST]`;
}

const asChatEvent = ({ text, ...rest }: CompletionEvent): ChatEvent => ({
  ...rest,
  ...(text !== undefined && { delta: { content: text } }),
});
