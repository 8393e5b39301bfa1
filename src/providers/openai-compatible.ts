import type { ChatRequest, Message } from '../chat/chat.ts';
import type { Json } from '../lib/json.ts';
import { operationUrl, preservedCalls } from './endpoint.ts';
import type { Model, Options, Unchanged } from './provider.ts';

/** Members of a request that the vendor wants otherwise; undefined takes one away. */
export type Patch = Readonly<Record<string, Json | undefined>>;

/** A vendor that speaks OpenAI's dialect, by where it differs. */
export interface Differences {
  readonly origin: string;
  /** The operations it has. */
  readonly paths: { readonly chat: string; readonly completions?: string; readonly embeddings?: string };
  /** Parameters of every URL that does not say them itself. A client may ask for other values. */
  readonly query?: Readonly<Record<string, string>>;
  /** Members that are taken away: the vendor refuses or ignores them, and the answer does not depend on them. */
  readonly drops?: readonly string[];
  /** What a chat has to say otherwise. */
  readonly patch?: (request: ChatRequest) => Patch;
  /** What it answers otherwise. */
  readonly amend?: NonNullable<Unchanged<never>['amend']>;
  readonly error?: NonNullable<Unchanged<never>['error']>;
  /** Whether it knows `stream_options.include_usage`. */
  readonly streamsUsage?: boolean;
}

export function openaiCompatible(options: Options, differences: Differences): Model {
  const { origin, paths, drops = [], patch, amend, error, streamsUsage = true } = differences;
  const query = Object.entries(differences.query ?? {});
  const shared = { dialect: 'openai' as const, ...(error && { error }) };

  const operation = <Request extends object>(path: string): Unchanged<Request> => {
    const url = operationUrl(options, origin, path);
    const endpoint = { url: withQuery(url, query) };
    return {
      ...shared,
      endpoint: call => (query.length > 0 && call.query ? { url: withQuery(url, query, call.query) } : endpoint),
      ...(drops.length > 0 && { patch: (request: Request) => without(request, drops) }),
      streamsUsage,
    };
  };
  const preserved = preservedCalls(options, origin);
  return {
    chat: {
      ...operation<ChatRequest>(paths.chat),
      ...(patch && { patch: drops.length === 0 ? patch : request => ({ ...without(request, drops), ...patch(request) }) }),
      ...(amend && { amend }),
    },
    ...(paths.completions !== undefined && { completions: { ...operation(paths.completions), ...(amend && { amend }) } }),
    ...(paths.embeddings !== undefined && { embeddings: operation(paths.embeddings) }),
    preserve: {
      ...preserved,
      ...shared,
      endpoint: call => ({ url: withQuery(preserved.endpoint(call).url, query, call.query) }),
    },
  };
}

function withQuery(url: string, query: readonly (readonly [string, string])[], clients = ''): string {
  if (query.length === 0) return url;
  const target = new URL(url);
  const asked = new URLSearchParams(clients);
  for (const [name, value] of query) {
    if (!target.searchParams.has(name)) target.searchParams.set(name, asked.get(name) ?? value);
  }
  return target.href;
}

const without = (request: object, names: readonly string[]): Patch =>
  Object.fromEntries(names.filter(name => name in request).map(name => [name, undefined]));

/** For a member that the vendor knows by another name. A value under the vendor's own name wins. */
export function renamed(request: ChatRequest, from: string, to: string): Patch {
  const { [from]: value, [to]: own } = request as Readonly<Record<string, Json | undefined>>;
  return value == null ? without(request, [from]) : { [from]: undefined, [to]: own ?? value };
}

/** The messages, when `change` changes any. */
export function messagesWith({ messages }: ChatRequest, change: (message: Message) => Message): Patch {
  const changed = messages.map(change);
  return changed.every((message, index) => message === messages[index]) ? {} : { messages: changed as unknown as Json };
}

/** For vendors that know no role `developer`: OpenAI treats both alike. https://platform.openai.com/docs/api-reference/chat/create */
export const developerAsSystem = (message: Message): Message => (message.role === 'developer' ? { ...message, role: 'system' } : message);

/** For vendors that call the text of a model's thoughts `reasoning`, on its way back to them. */
export function contentOfReasoning(message: Message): Message {
  if (message.role !== 'assistant' || message.reasoning_content == null) return message;
  const { reasoning_content: reasoning, ...rest } = message;
  return { ...rest, reasoning } as Message;
}
