import { describe, expect, test } from 'bun:test';
import type { ChatRequest, Message, ToolChoice } from '../../src/chat/chat.ts';
import type { CompletionRequest } from '../../src/chat/completion.ts';
import type { JsonObject } from '../../src/lib/json.ts';
import { RequestFailure } from '../../src/lib/request-failure.ts';
import { aiProxy } from '../../src/plugins/ai-proxy.ts';
import { anthropic } from '../../src/providers/anthropic.ts';
import { validate } from '../../src/schema/validate.ts';
import { chat as config, json, QUESTION, send, stream as streamed } from '../support/ai-exchange.ts';

const { chat, completions, preserve } = anthropic.model({ name: null, options: { anthropic_version: '2023-06-01' } });
if (chat?.dialect !== 'own' || completions?.dialect !== 'own') throw new Error('anthropic has a dialect of its own');
const { request, response, stream, endpoint } = chat;
const messages: ChatRequest['messages'] = [{ role: 'user', content: 'hi' }];
const call = { model: 'claude-opus-4-5', stream: false, path: '/v1/messages/count_tokens' };

describe('anthropic is called', () => {
  const headers = { 'anthropic-version': '2023-06-01' };

  test('at its Messages API in the version that is configured', () => {
    expect(endpoint(call)).toEqual({ url: 'https://api.anthropic.com/v1/messages', headers });
    expect(completions.endpoint(call)).toEqual({ url: 'https://api.anthropic.com/v1/messages', headers });
  });

  test('at any path when calls are preserved', () => {
    expect(preserve?.endpoint(call)).toEqual({ url: 'https://api.anthropic.com/v1/messages/count_tokens', headers });
  });

  test('where the configuration says', () => {
    const elsewhere = anthropic.model({ name: null, options: { upstream_url: 'http://127.0.0.1:1/messages' } });
    expect(elsewhere.chat?.endpoint(call)).toEqual({ url: 'http://127.0.0.1:1/messages', headers: {} });
  });
});

describe('anthropic is configured as with Kong', () => {
  const configFor = (route_type: string, options: object, logging: object = {}) => ({
    route_type,
    auth: { header_name: 'x-api-key', header_value: 'key' },
    model: { provider: 'anthropic', options },
    logging,
  });
  const version = { anthropic_version: '2023-06-01' };

  test.each([
    [configFor('llm/v1/chat', {}), "must set 'model.options.anthropic_version' for anthropic provider"],
    [
      configFor('llm/v1/completions', version, { log_statistics: true }),
      'anthropic does not support statistics when route_type is llm/v1/completions',
    ],
  ])('%j is refused', (given, message) => {
    expect(JSON.stringify(validate(aiProxy.config, given))).toContain(message);
  });

  test.each([
    configFor('llm/v1/chat', version, { log_statistics: true }),
    configFor('llm/v1/completions', version),
    configFor('preserve', version),
  ])('%j is taken', given => {
    expect(validate(aiProxy.config, given)).toHaveProperty('value');
  });
});

describe('a client of anthropic', () => {
  const auth = { header_name: 'x-api-key', header_value: 'sk-ant-gateway' };
  const model = { provider: 'anthropic', name: 'claude-opus-4-5', options: { anthropic_version: '2023-06-01' } };
  const frames = (name: string) => Bun.file(`${import.meta.dir}/anthropic/${name}/answer.stream`).text();
  const ask = (members: object = {}, headers: Record<string, string> = {}) =>
    send(config({ auth, model }), JSON.stringify({ ...JSON.parse(QUESTION), ...members }), {
      headers: { 'content-type': 'application/json', ...headers },
    });

  test('may ask for what is in beta, with the key of the gateway and in its version', async () => {
    const beta = 'files-api-2025-04-14,context-1m-2025-08-07';
    const { context } = await ask({}, { 'anthropic-beta': beta, 'anthropic-version': '2020-01-01', authorization: 'Bearer own' });
    const { headers, url } = context.upstream;
    expect(url).toBe('https://api.anthropic.com/v1/messages');
    expect(headers).toMatchObject({ 'anthropic-beta': beta, 'anthropic-version': '2023-06-01', 'x-api-key': 'sk-ant-gateway' });
    expect(headers).not.toHaveProperty('authorization');
  });

  test('reads that the vendor is overloaded, and when to come again', async () => {
    const { answer } = await ask();
    const error = { type: 'overloaded_error', message: 'Overloaded' };
    const { response, text } = await answer(json({ type: 'error', error }, { status: 529, headers: { 'retry-after': '7' } }));
    expect([response.status, response.headers.get('retry-after')]).toEqual([529, '7']);
    expect(JSON.parse(text)).toEqual({ error: { ...error, param: null, code: null } });
  });

  test('reads the whole of a stream, its usage if it asked for that', async () => {
    const { answer } = await ask({ stream: true, stream_options: { include_usage: true } });
    const { text } = await answer(streamed(await frames('prompt-caching')));
    const chunks = text.split('\n\n').filter(Boolean);
    expect(chunks.at(-1)).toBe('data: [DONE]');
    expect(JSON.parse((chunks.at(-2) ?? '').slice('data: '.length))).toMatchObject({ choices: [], usage: { prompt_tokens: 2098 } });
  });

  test.each(['event: message_stop', 'event: message_delta', 'event: content_block_stop'])(
    'reads of a stream that broke off before %j that it did',
    async end => {
      const { answer } = await ask({ stream: true });
      const { text } = await answer(streamed((await frames('text')).split(end)[0] ?? ''));
      expect(text).toContain('"error"');
      expect(text).not.toContain('[DONE]');
      expect(text).not.toContain('"finish_reason":"stop"');
    },
  );
});

describe('anthropic refuses what it would have to leave out', () => {
  const user = (part: object): ChatRequest => ({ messages: [{ role: 'user', content: [part as never] }] });
  const assistant = (message: object): ChatRequest => ({ messages: [...messages, { role: 'assistant', ...message }] });
  const format = (schema: JsonObject): Partial<ChatRequest> => ({
    model: 'claude-opus-4-5',
    response_format: { type: 'json_schema', json_schema: { name: 'a', schema } },
  });

  test.each<[ChatRequest, string]>([
    [{ messages, n: 2 }, "'n'"],
    [{ messages, logit_bias: { 5: 1 } }, "'logit_bias'"],
    [{ messages, logprobs: true }, "'logprobs'"],
    [{ messages, presence_penalty: 0.5 }, "'presence_penalty'"],
    [{ messages, frequency_penalty: -1 }, "'frequency_penalty'"],
    [{ messages, modalities: ['text', 'audio'] }, "'modalities'"],
    [{ messages, functions: [] }, "'functions'"],
    [{ messages, verbosity: 'low' }, "'verbosity'"],
    [{ messages, stop: ['\n'] }, "'stop'"],
    [{ messages, service_tier: 'flex' }, "'service_tier'"],
    [{ messages, reasoning_effort: 'toString' }, "'reasoning_effort'"],
    [{ messages, tools: [{ type: 'custom', custom: { name: 'a' } } as never] }, "'tools' of type 'custom'"],
    [{ messages, tool_choice: { type: 'custom', custom: { name: 'a' } } as never }, "'tool_choice'"],
    [{ messages, ...format({ type: 'object', additionalProperties: { type: 'string' } }) }, "without 'properties'"],
    [{ messages: [] }, "'messages'"],
    [{ messages: [{ role: 'user', content: ' ' }] }, "'messages'"],
    [{ messages: [{ role: 'system', content: [{ type: 'image_url', image_url: { url: 'https://a' } }] }] }, 'system'],
    [{ messages: [{ role: 'function' as never, name: 'a', content: 'b' }] }, "role 'function'"],
    [{ messages: [...messages, { role: 'tool', content: 'b' }] }, "'tool_call_id'"],
    [user({ type: 'input_audio', input_audio: { data: '', format: 'wav' } }), "'input_audio'"],
    [user({ type: 'image_url', image_url: { url: 'ftp://a/b.png' } }), "'image_url'"],
    [user({ type: 'file', file: { filename: 'a.pdf' } }), "'file'"],
    [user({ type: 'file', file: { file_data: 'data:application/zip;base64,UEs=' } }), "'application/zip'"],
    [user({ type: 'file', file: { file_data: 'data:text/plain,%' } }), 'data URI'],
    [assistant({ audio: { id: 'a' } }), "'audio'"],
    [assistant({ tool_calls: [{ id: 'a', type: 'custom', custom: { name: 'a', input: '' } }] }), "'tool_calls'"],
    [assistant({ tool_calls: [{ id: 'a', type: 'function', function: { name: 'a', arguments: '[1]' } }] }), "'a'"],
  ])('of the chat %j', (asked, what) => {
    const ask = () => request(asked);
    expect(ask).toThrow(RequestFailure);
    expect(ask).toThrow(what);
  });

  test.each<CompletionRequest>([
    { prompt: ['a', 'b'] },
    { prompt: [1, 2] as never },
    { prompt: 'a', suffix: 'z' },
    { prompt: 'a', echo: true },
    { prompt: 'a', best_of: 3 },
    { prompt: 'a', logprobs: 2 },
  ])('of the completion %j', asked => {
    expect(() => completions.request(asked)).toThrow(RequestFailure);
  });
});

test.each<[ToolChoice, string[], object]>([
  ['auto', ['look', 'sluice_json_answer'], { type: 'any' }],
  ['none', ['look', 'sluice_json_answer'], { type: 'tool', name: 'sluice_json_answer', disable_parallel_tool_use: true }],
  ['required', ['look'], { type: 'any' }],
  [{ type: 'function', function: { name: 'look' } }, ['look'], { type: 'tool', name: 'look' }],
])('anthropic answers by a schema with the tools of %j, of older models', (tool_choice, names, expected) => {
  const sent = request({
    model: 'claude-3-5-haiku-20241022',
    messages,
    tools: [{ type: 'function', function: { name: 'look' } }],
    tool_choice,
    response_format: { type: 'json_schema', json_schema: { name: 'a', schema: { type: 'object' } } },
  });
  expect(sent).toMatchObject({ tools: names.map(name => ({ name })), tool_choice: expected });
});

test('anthropic gets what a schema that is a reference refers to', () => {
  const schema = { $ref: '#/$defs/a', $defs: { a: { type: 'object', properties: { b: { type: 'string', maxLength: 3 } } } } };
  const response_format = { type: 'json_schema', json_schema: { name: 'a', schema } } as const;
  const b = { type: 'string', description: '(maxLength: 3)' };
  const strict = { $ref: '#/$defs/a', $defs: { a: { type: 'object', properties: { b }, additionalProperties: false } } };
  expect(request({ messages, response_format })).toHaveProperty('output_config', { format: { type: 'json_schema', schema: strict } });
});

test('anthropic is told of the tools that are allowed alone', () => {
  const tools: ChatRequest['tools'] = ['look', 'listen'].map(name => ({ type: 'function', function: { name } }));
  const allowed = { type: 'allowed_tools', allowed_tools: { mode: 'required', tools: tools.slice(1) } };
  const sent = request({ messages, tools, tool_choice: allowed as never });
  expect(sent).toMatchObject({ tools: [{ name: 'listen' }], tool_choice: { type: 'any' } });
});

describe('anthropic thinks', () => {
  const tools: ChatRequest['tools'] = [{ type: 'function', function: { name: 'look' } }];

  test.each<[string, Partial<ChatRequest>, object]>([
    [
      'claude-3-7-sonnet-20250219',
      { reasoning_effort: 'minimal' },
      { max_tokens: 5120, thinking: { type: 'enabled', budget_tokens: 1024 } },
    ],
    ['claude-opus-4-20250514', { reasoning_effort: 'high' }, { max_tokens: 20480, thinking: { type: 'enabled', budget_tokens: 16384 } }],
    [
      'claude-opus-4-5',
      { reasoning_effort: 'high', max_tokens: 8000 },
      { max_tokens: 8000, thinking: { type: 'enabled', budget_tokens: 4000 } },
    ],
    ['claude-opus-4-5', { reasoning_effort: 'high', max_tokens: 2000 }, { max_tokens: 2000 }],
    ['claude-opus-4-5', { reasoning_effort: 'low', tools, tool_choice: 'required' }, { max_tokens: 6144 }],
    ['claude-opus-4-5', { reasoning_effort: 'none' }, { max_tokens: 4096 }],
    ['claude-opus-5', { reasoning_effort: 'none' }, { max_tokens: 4096, thinking: { type: 'disabled' } }],
    [
      'claude-opus-4-10',
      { reasoning_effort: 'minimal', max_completion_tokens: 50, max_tokens: 7 },
      { max_tokens: 50, thinking: { type: 'adaptive', display: 'summarized' }, output_config: { effort: 'low' } },
    ],
    ['claude-next', { reasoning_effort: 'max', tools, tool_choice: 'required' }, { max_tokens: 28672, output_config: { effort: 'max' } }],
  ])('as %s can, told %j', (model, members, expected) => {
    const { max_tokens, thinking, output_config } = request({ model, messages, ...members }) as JsonObject & { [name: string]: JsonObject };
    expect(JSON.parse(JSON.stringify({ max_tokens, thinking, output_config }))).toEqual(expected);
  });

  test('on with the thoughts that the client brings back as it got them', () => {
    const thoughts = [
      { type: 'thinking', thinking: 'Hm.', signature: 'c2ln' },
      { type: 'redacted_thinking', data: 'c2VjcmV0' },
    ];
    const content = [...thoughts, { type: 'tool_use', id: 'toolu_1', name: 'look', input: { at: 1 } }];
    const { choices } = response({ id: 'msg_1', model: 'claude-opus-4-5', content, stop_reason: 'tool_use' });
    const answered = JSON.parse(JSON.stringify(choices[0]?.message)) as Message;
    const next = request({ messages: [...messages, answered, { role: 'tool', tool_call_id: 'toolu_1', content: 'it' }] });
    expect(next).toHaveProperty(['messages', 1], { role: 'assistant', content });
  });
});

test.each<[string | null, string]>([
  ['end_turn', 'stop'],
  ['stop_sequence', 'stop'],
  ['tool_use', 'tool_calls'],
  ['max_tokens', 'length'],
  ['model_context_window_exceeded', 'length'],
  ['pause_turn', 'length'],
  ['refusal', 'content_filter'],
  ['something_new', 'stop'],
  [null, 'stop'],
])('anthropic stopping for %p is %p to the client', (stop_reason, finish_reason) => {
  const content = [{ type: 'tool_use', id: 'toolu_1', name: 'look', input: {} }];
  expect(response({ id: 'msg_1', model: 'm', content, stop_reason }).choices[0]?.finish_reason).toBe(finish_reason as never);
});

describe('anthropic claims no success that did not happen', () => {
  const frame = (event: JsonObject & { type: string }) => ({ event: event.type, data: JSON.stringify(event) });

  test('when an answer is none', () => {
    expect(() => response({ type: 'error', error: { type: 'api_error', message: 'Internal server error' } })).toThrow("'content' missing");
  });

  test('when a stream says what went wrong', () => {
    const error = { type: 'overloaded_error', message: 'Overloaded' };
    expect(stream().translate(frame({ type: 'error', error }))).toEqual([{ error }]);
    expect(stream().translate(frame({ type: 'error' }))).toEqual([{ error: { type: 'api_error', message: 'anthropic gave up' } }]);
  });

  test('before the last event of the stream, nor with counts that nobody told', () => {
    const { translate } = stream();
    translate(frame({ type: 'message_start', message: { id: 'msg_1', model: 'm' } }));
    expect(translate(frame({ type: 'message_delta', delta: { stop_reason: 'end_turn' } }))).toEqual([]);
    expect(translate(frame({ type: 'message_stop' }))).toEqual([{ finish_reason: 'stop' }]);
  });

  test('nor stumbles over events that may come to be', () => {
    const { translate } = stream();
    const unknown = [{ type: 'ping' }, { type: 'news' }, { type: 'content_block_delta', index: 9, delta: { type: 'news_delta' } }];
    expect(unknown.flatMap(event => translate(frame(event)))).toEqual([]);
  });
});
