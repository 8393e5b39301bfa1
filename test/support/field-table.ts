import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ChatRequest } from '../../src/chat/chat.ts';
import type { Json, JsonObject } from '../../src/lib/json.ts';
import { RequestFailure } from '../../src/lib/request-failure.ts';
import type { Provider } from '../../src/providers/provider.ts';
import { providers } from '../../src/providers/registry.ts';

/** `bun test/support/field-table.ts` writes the tables of src/providers/README.md anew: what each provider does with each field. */
export const README = join(import.meta.dir, '../../src/providers/README.md');
const BEGIN = '<!-- Made by `bun test/support/field-table.ts`: -->';
const END = '<!-- /made -->';

/** Enough for a model of every provider. */
const OPTIONS = {
  azure_instance: 'contoso',
  azure_deployment_id: 'gpt-4o',
  azure_api_version: '2024-10-21',
  anthropic_version: '2023-06-01',
  llama2_format: 'openai',
  mistral_format: 'openai',
  databricks: { workspace_instance_id: 'dbc-a1b2345c-d6e7' },
  bedrock: { aws_region: 'us-east-1' },
};
/** Rules that depend on the model are shown for one of the vendor's own. */
const MODELS: Readonly<Record<string, string>> = {
  openai: 'gpt-4o',
  azure: 'gpt-4o',
  anthropic: 'claude-sonnet-4-5',
  bedrock: 'anthropic.claude-sonnet-4-5-20250929-v1:0',
  gemini: 'gemini-2.5-flash',
};

const question: ChatRequest['messages'] = [{ role: 'user', content: 'Weather in Oslo?' }];
const IMAGE = 'data:image/png;base64,iVBORw0KGgo=';
const tools: ChatRequest['tools'] = [
  { type: 'function', function: { name: 'weather', parameters: { type: 'object', properties: { city: { type: 'string' } } } } },
];
const schema = { type: 'object', properties: { city: { type: 'string' } }, required: ['city'], additionalProperties: false };
const call = { id: 'call_1', type: 'function', function: { name: 'weather', arguments: '{"city":"Oslo"}' } } as const;

/** A field as a row names it, a chat that has it, and the same chat without. */
type Row = readonly [name: string, chat: Partial<ChatRequest>, without?: Partial<ChatRequest>];
const told = (role: 'system' | 'developer'): Row => [
  `\`${role}\` message`,
  { messages: [{ role, content: 'Be brief.' }, ...question] },
  { messages: question },
];
const part = (name: string, given: object): Row => [
  name,
  { messages: [{ role: 'user', content: [{ type: 'text', text: 'See' }, given as never] }] },
  { messages: [{ role: 'user', content: [{ type: 'text', text: 'See' }] }] },
];

const MESSAGES: readonly Row[] = [
  told('system'),
  told('developer'),
  part('image by URL', { type: 'image_url', image_url: { url: 'https://images.test/dog.png' } }),
  part('image as data', { type: 'image_url', image_url: { url: IMAGE } }),
  part('`input_audio`', { type: 'input_audio', input_audio: { data: 'UklGRg==', format: 'wav' } }),
  part('`file` as data', { type: 'file', file: { filename: 'a.pdf', file_data: 'data:application/pdf;base64,JVBERi0=' } }),
  part('`file` by id', { type: 'file', file: { file_id: 'file-1' } }),
  ['`name`', { messages: [{ role: 'user', content: 'Hi', name: 'ada' }] }, { messages: [{ role: 'user', content: 'Hi' }] }],
  [
    'tool calls and results',
    {
      tools,
      messages: [
        ...question,
        { role: 'assistant', content: null, tool_calls: [call] },
        { role: 'tool', tool_call_id: 'call_1', content: 'Rain' },
      ],
    },
    { tools, messages: question },
  ],
  [
    '`reasoning_content`',
    { messages: [...question, { role: 'assistant', content: 'Rain.', reasoning_content: 'It is Oslo.' }, ...question] },
    { messages: [...question, { role: 'assistant', content: 'Rain.' }, ...question] },
  ],
];

const FIELDS: readonly Row[] = [
  ['max_tokens', { max_tokens: 77 }],
  ['max_completion_tokens', { max_completion_tokens: 77 }],
  ['temperature', { temperature: 0.5 }],
  ['top_p', { top_p: 0.5 }],
  ['top_k', { top_k: 7 }],
  ['n', { n: 2 }],
  ['seed', { seed: 7 }],
  ['stop', { stop: ['END'] }],
  ['presence_penalty', { presence_penalty: 0.5 }],
  ['frequency_penalty', { frequency_penalty: 0.5 }],
  ['logit_bias', { logit_bias: { '50256': -100 } }],
  ['logprobs', { logprobs: true }],
  ['top_logprobs', { logprobs: true, top_logprobs: 3 }, { logprobs: true }],
  ['tools', { tools }],
  ['tool_choice: none', { tools, tool_choice: 'none' }, { tools }],
  ['tool_choice: required', { tools, tool_choice: 'required' }, { tools }],
  ['tool_choice: a function', { tools, tool_choice: { type: 'function', function: { name: 'weather' } } }, { tools }],
  ['parallel_tool_calls: false', { tools, parallel_tool_calls: false }, { tools }],
  ['response_format: json_object', { response_format: { type: 'json_object' } }],
  ['response_format: json_schema', { response_format: { type: 'json_schema', json_schema: { name: 'a', schema, strict: true } } }],
  ['reasoning_effort', { reasoning_effort: 'high' }],
  ['reasoning_effort: none', { reasoning_effort: 'none' }],
  ['verbosity', { verbosity: 'low' }],
  ['modalities', { modalities: ['text'] }],
  ['audio', { modalities: ['text', 'audio'], audio: { voice: 'alloy', format: 'mp3' } }, { modalities: ['text', 'audio'] }],
  ['prediction', { prediction: { type: 'content', content: 'Rain' } }],
  ['web_search_options', { web_search_options: { search_context_size: 'low' } }],
  ['service_tier', { service_tier: 'priority' }],
  ['stream', { stream: true }],
  ['stream_options', { stream: true, stream_options: { include_usage: true } }, { stream: true }],
  ['user', { user: 'u-1' }],
  ['safety_identifier', { safety_identifier: 'u-1' }],
  ['prompt_cache_key', { prompt_cache_key: 'k' }],
  ['metadata', { metadata: { team: 'a' } }],
  ['store', { store: true }],
  ['a member unknown to OpenAI', { of_tomorrow: { x: 1 } }],
];

/** A provider's chats, bound to a model. */
function chatOf(provider: Provider) {
  const needsUrl = JSON.stringify(provider.checks ?? []).includes('"then_at_least_one_of":["model.options.upstream_url"]');
  const options = { ...OPTIONS, ...(needsUrl && { upstream_url: 'http://127.0.0.1:8000/v1/chat/completions' }) };
  const { chat } = provider.model({ name: null, options });
  if (chat === undefined) throw new Error(`${provider.name} has no chat`);
  const model = MODELS[provider.name] ?? 'a-model';
  return {
    model,
    isOwn: chat.dialect === 'own',
    url: (stream: boolean) => chat.endpoint({ model, stream, path: '/' }).url,
    body(request: ChatRequest): JsonObject {
      const body = chat.dialect === 'own' ? chat.request(request) : { ...request, ...chat.patch?.(request) };
      return JSON.parse(JSON.stringify(body));
    },
  };
}

/** `sent`, the name it is sent by, `dropped` or `refused`. */
function outcome({ model, isOwn, url, body }: ReturnType<typeof chatOf>, [name, chat, without = {}]: Row): string {
  // A limit besides, so that vendors with an object for such settings have it already.
  const plain = { model, messages: question, ...(!('max_completion_tokens' in chat) && { max_tokens: 30_000 }) };
  const field = Object.keys(chat).find(key => !(key in without)) ?? 'messages';
  if (field === 'stream' && url(true) !== url(false)) return 'in the URL';
  if (field === 'stream_options' && isOwn) return 'by the gateway';
  try {
    const sent = body({ ...plain, ...chat });
    // What has to be there besides may be refused itself.
    const changed = difference(body({ ...plain, ...without }), sent);
    if (changed.length === 0) return 'dropped';
    if (field === 'messages' || Bun.deepEquals(sent[field], (chat as JsonObject)[field])) return 'sent';
    return changed.map(path => `\`${path}\``).join(', ');
  } catch (error) {
    if (error instanceof RequestFailure && error.status === 400) return 'refused';
    throw new Error(`${name}: ${error}`);
  }
}

/** Where two bodies differ: the names of what is new or another, within objects that both have. */
function difference(before: JsonObject, after: JsonObject, path = ''): string[] {
  return [...new Set([...Object.keys(before), ...Object.keys(after)])].flatMap(name => {
    const [old, current] = [before[name], after[name]];
    if (Bun.deepEquals(old, current)) return [];
    const isInside = isPlain(current) && (isPlain(old) || (old === undefined && path === '' && Object.keys(current).length === 1));
    return isInside ? difference(isPlain(old) ? old : {}, current, `${path}${name}.`) : [`${path}${name}`];
  });
}
const isPlain = (value: Json | undefined): value is JsonObject => typeof value === 'object' && value !== null && !Array.isArray(value);

function table(title: string, rows: readonly Row[]): string {
  const all = [...providers].sort((a, b) => a.name.localeCompare(b.name));
  const chats = all.map(chatOf);
  const lines = rows.map(row => `| ${row[0]} | ${chats.map(chat => outcome(chat, row)).join(' | ')} |`);
  return [`| ${title} | ${all.map(({ name }) => name).join(' | ')} |`, `|---|${all.map(() => '---|').join('')}`, ...lines].join('\n');
}

/** The README with its tables as they are now. */
export function currentReadme(): string {
  const text = readFileSync(README, 'utf8');
  const before = text.slice(0, text.indexOf(BEGIN) + BEGIN.length);
  const after = text.slice(text.indexOf(END));
  return `${before}\n\n${table('field', FIELDS)}\n\n${table('in messages', MESSAGES)}\n\n${after}`;
}

if (import.meta.main) writeFileSync(README, currentReadme());
