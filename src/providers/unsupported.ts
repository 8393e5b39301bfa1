import type { ChatRequest, Message, Part, Tool, ToolChoice } from '../chat/chat.ts';
import { isObject } from '../lib/json.ts';
import { RequestFailure } from '../lib/request-failure.ts';

/** When a member asks for something that leaving it out would change. */
const ASKS = {
  n: value => value !== 1,
  best_of: value => value !== 1,
  echo: value => value === true,
  suffix: () => true,
  logit_bias: value => !isObject(value) || Object.keys(value).length > 0,
  logprobs: value => value !== false,
  top_logprobs: value => value !== 0,
  parallel_tool_calls: value => value === false,
  presence_penalty: value => value !== 0,
  frequency_penalty: value => value !== 0,
  modalities: value => !Array.isArray(value) || value.some(modality => modality !== 'text'),
  audio: () => true,
  web_search_options: () => true,
  functions: () => true,
  function_call: value => value !== 'auto' && value !== 'none',
  verbosity: value => value !== 'medium',
  tools: value => !Array.isArray(value) || value.length > 0,
  response_format: value => (value as { type?: unknown }).type !== 'text',
  dimensions: () => true,
} satisfies Record<string, (value: unknown) => boolean>;

/** How those are called of which a vendor has some values. */
const WORDS: { readonly [name: string]: string } = {
  n: "'n' other than 1",
  best_of: "'best_of' other than 1",
  parallel_tool_calls: "'parallel_tool_calls' of false",
  modalities: "'modalities' other than text",
  verbosity: "'verbosity' other than medium",
};

/** Throws a RequestFailure (400) for the first of `members` that asks for something. */
export function refuseUnsupported(vendor: string, request: object, members: readonly (keyof typeof ASKS)[]) {
  const given = request as Readonly<Record<string, unknown>>;
  for (const name of members) refuseUnless(given[name] == null || !ASKS[name](given[name]), vendor, WORDS[name] ?? `'${name}'`);
}

export function refuseUnless(supported: boolean, vendor: string, what: string) {
  if (!supported) throw new RequestFailure(400, `${vendor} does not support ${what}`);
}

export const unsupportedPart = (vendor: string, part: Part): RequestFailure =>
  new RequestFailure(400, `${vendor} does not support content of type '${part.type}'`);

export const unsupportedRole = (vendor: string, { role }: { role: string }): RequestFailure =>
  new RequestFailure(400, `${vendor} does not support messages of role '${role}'`);

/** The text of a message. Throws a RequestFailure (400) where it has anything else. */
export function textOf({ content, refusal }: Message, vendor: string): string {
  if (!Array.isArray(content)) return content ?? refusal ?? '';
  return content.map(part => textOfPart(part, vendor)).join('\n');
}

export function textOfPart(part: Part, vendor: string): string {
  if (part.type === 'text') return part.text;
  if (part.type === 'refusal') return part.refusal;
  throw unsupportedPart(vendor, part);
}

/** OpenAI has tools that are no functions as well; these vendors have none. */
export function functionsOf(tools: ChatRequest['tools'], vendor: string): Tool['function'][] {
  return (tools ?? []).map(tool => {
    refuseUnless(isObject(tool.function), vendor, `tools of type '${tool.type}'`);
    return tool.function;
  });
}

/** The word of `tool_choice`, or the name of the one function that must be called. */
export function choiceOf(choice: ToolChoice | null | undefined, vendor: string): 'none' | 'auto' | 'required' | { name: string } {
  if (choice == null) return 'auto';
  if (typeof choice === 'string') return choice;
  refuseUnless(isObject(choice.function), vendor, `'tool_choice' of type '${choice.type}'`);
  return { name: choice.function.name };
}
