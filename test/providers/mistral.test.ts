import { describe, expect, test } from 'bun:test';
import type { ChatRequest } from '../../src/chat/chat.ts';
import { ConfigurationError } from '../../src/lib/configuration-error.ts';
import { RequestFailure } from '../../src/lib/request-failure.ts';
import { mistral } from '../../src/providers/mistral.ts';

const { chat, embeddings } = mistral.model({ name: null, options: { mistral_format: 'openai' } });
if (chat?.dialect !== 'openai' || embeddings?.dialect !== 'openai') throw new Error("mistral speaks OpenAI's dialect");

describe('mistral refuses what it would have to leave out', () => {
  const messages: ChatRequest['messages'] = [{ role: 'user', content: 'hi' }];

  test.each<[ChatRequest, string]>([
    [{ messages, logit_bias: { 5: 1 } }, "'logit_bias'"],
    [{ messages, logprobs: true }, "'logprobs'"],
    [{ messages, modalities: ['audio'] }, "'modalities'"],
    [{ messages, web_search_options: {} }, "'web_search_options'"],
  ])('of the chat %j', (request, what) => {
    expect(() => chat.patch?.(request)).toThrow(RequestFailure);
    expect(() => chat.patch?.(request)).toThrow(what);
  });

  test('of embeddings', () => {
    expect(() => embeddings.patch?.({ input: [1, 2] })).toThrow("'input' of tokens");
  });
});

test('what mistral knows as it is passes unchanged', () => {
  const messages: ChatRequest['messages'] = [
    { role: 'user', content: [{ type: 'text', text: 'hi' }] },
    { role: 'assistant', content: 'hello' },
  ];
  expect(chat.patch?.({ messages, tool_choice: 'auto', tools: [] })).toEqual({});
  expect(embeddings.patch?.({ input: 'hi', output_dimension: 3 })).toEqual({});
});

test('an answer that mistral gave up is none', () => {
  const choices = [{ index: 0, message: { role: 'assistant', content: 'Once' }, delta: { content: 'Once' }, finish_reason: 'error' }];
  expect(() => chat.amend?.answer({ choices })).toThrow('mistral gave up: error');
  expect(() => chat.amend?.chunk({ choices })).toThrow('mistral gave up: error');
});

describe('mistral is called', () => {
  const call = { model: 'm', stream: false, path: '/v1/models' };

  test('at its own address, or where the configuration says', () => {
    const urlOf = (options: object) =>
      mistral.model({ name: null, options: { mistral_format: 'openai', ...options } }).chat?.endpoint(call).url;
    expect(urlOf({})).toBe('https://api.mistral.ai/v1/chat/completions');
    expect(urlOf({ upstream_url: 'https://mistral.internal/chat' })).toBe('https://mistral.internal/chat');
  });

  test('for completions only on a server that may have them', () => {
    const has = (options: object) => 'completions' in mistral.model({ name: null, options: { mistral_format: 'openai', ...options } });
    expect([has({}), has({ upstream_url: 'http://vllm/v1/completions' })]).toEqual([false, true]);
  });

  test("in Ollama's dialect on a server that the configuration must name", () => {
    const options = { mistral_format: 'ollama', upstream_url: 'http://ollama/api/chat' } as const;
    expect(mistral.model({ name: null, options }).chat?.endpoint(call).url).toBe('http://ollama/api/chat');
    expect(() => mistral.model({ name: null, options: { mistral_format: 'ollama' } })).toThrow(ConfigurationError);
  });
});

test('ids of tool calls that mistral would refuse are others, the same for a call and its result', () => {
  const call = (id: string) => ({ id, type: 'function' as const, function: { name: 'f', arguments: '{}' } });
  const messages: ChatRequest['messages'] = [
    { role: 'user', content: 'hi' },
    { role: 'assistant', content: null, tool_calls: [call('call_abc123'), call('toolu_01A'), call('D681PevKs')] },
    { role: 'tool', tool_call_id: 'toolu_01A', content: '2' },
    { role: 'tool', tool_call_id: 'call_abc123', content: '1' },
    { role: 'tool', tool_call_id: 'D681PevKs', content: '3' },
  ];
  const sent = (chat.patch?.({ messages })['messages'] ?? []) as unknown as ChatRequest['messages'];
  const ids = sent[1]?.tool_calls?.map(({ id }) => id) ?? [];
  expect(ids).toEqual([expect.stringMatching(/^[a-z0-9]{9}$/), expect.stringMatching(/^[a-z0-9]{9}$/), 'D681PevKs']);
  expect(sent.slice(2).map(({ tool_call_id }) => tool_call_id)).toEqual([ids[1], ids[0], ids[2]]);
});

test('an assistant that said nothing is left out, since mistral refuses such a message', () => {
  const silent: ChatRequest['messages'] = [{ role: 'assistant', content: null }, { role: 'assistant', content: '' }, { role: 'assistant' }];
  const messages: ChatRequest['messages'] = [{ role: 'user', content: 'a' }, ...silent, { role: 'user', content: 'b' }];
  expect(chat.patch?.({ messages })['messages'] as unknown).toEqual([
    { role: 'user', content: 'a' },
    { role: 'user', content: 'b' },
  ]);
});
