import { describe, expect, test } from 'bun:test';
import type { ChatRequest } from '../../src/chat/chat.ts';
import type { CompletionRequest } from '../../src/chat/completion.ts';
import { ConfigurationError } from '../../src/lib/configuration-error.ts';
import { RequestFailure } from '../../src/lib/request-failure.ts';
import { cohere } from '../../src/providers/cohere.ts';

function ask(request: ChatRequest) {
  const { chat } = cohere.model({ name: null, options: {} });
  if (chat?.dialect !== 'own') throw new Error('cohere has its own dialect');
  return chat.request(request);
}

describe('cohere refuses what it would have to leave out', () => {
  const { chat, completions } = cohere.model({ name: null, options: {} });
  const messages: ChatRequest['messages'] = [{ role: 'user', content: 'hi' }];
  const audio = { type: 'input_audio', input_audio: { data: '', format: 'wav' } } as const;

  test.each<[ChatRequest, string]>([
    [{ messages, n: 2 }, "'n'"],
    [{ messages, logit_bias: { 5: 1 } }, "'logit_bias'"],
    [{ messages, logprobs: true }, "'logprobs'"],
    [{ messages, parallel_tool_calls: false }, "'parallel_tool_calls'"],
    [{ messages, modalities: ['audio'] }, "'modalities'"],
    [{ messages, tool_choice: { type: 'function', function: { name: 'f' } } }, "a 'tool_choice' that names none of the tools"],
    [{ messages, tools: [{ type: 'custom', custom: { name: 'c' } } as never] }, "tools of type 'custom'"],
    [{ messages: [{ role: 'user', content: [audio] }] }, "content of type 'input_audio'"],
    [{ messages: [{ role: 'function', name: 'f', content: '1' } as never] }, "messages of role 'function'"],
  ])('of the chat %j', (request, what) => {
    const ask = () => chat?.dialect === 'own' && chat.request(request);
    expect(ask).toThrow(RequestFailure);
    expect(ask).toThrow(what);
  });

  test.each<CompletionRequest>([
    { prompt: ['a', 'b'] },
    { prompt: 'a', suffix: 'z' },
    { prompt: 'a', echo: true },
    { prompt: 'a', best_of: 3 },
  ])('of the completion %j', request => {
    expect(() => completions?.dialect === 'own' && completions.request(request)).toThrow(RequestFailure);
  });
});

describe('cohere claims no success that did not happen', () => {
  const { chat } = cohere.model({ name: null, options: {} });
  if (chat?.dialect !== 'own') throw new Error('cohere has its own dialect');

  test.each(['ERROR', 'TIMEOUT'])('when the answer ends in %s', finish_reason => {
    expect(() => chat.response({ id: '1', finish_reason, message: { role: 'assistant' } })).toThrow(finish_reason);
    const { translate } = chat.stream();
    const [event] = translate({ event: 'message', data: JSON.stringify({ type: 'message-end', delta: { finish_reason } }) });
    expect(event?.error?.message).toContain(finish_reason);
    expect(event?.finish_reason).toBeUndefined();
  });

  test('when a stream says what went wrong', () => {
    const data = JSON.stringify({ type: 'message-end', delta: { finish_reason: 'COMPLETE', error: 'out of memory' } });
    expect(chat.stream().translate({ event: 'message', data })).toEqual([{ error: { message: 'out of memory', type: 'api_error' } }]);
  });
});

describe("cohere's v1 API refuses what it would have to leave out", () => {
  const { chat } = cohere.model({ name: null, options: { upstream_url: 'https://api.cohere.com/v1/chat' } });
  if (chat?.dialect !== 'own') throw new Error('cohere has its own dialect');
  const messages: ChatRequest['messages'] = [{ role: 'user', content: 'hi' }];
  const image = { type: 'image_url', image_url: { url: 'data:,' } } as const;
  const call = { id: '1', type: 'function', function: { name: 'f', arguments: '[]' } } as const;

  test.each<[ChatRequest, string]>([
    [{ messages, n: 2 }, "'n'"],
    [{ messages, tool_choice: 'required' }, "a 'tool_choice' that requires a call"],
    [{ messages: [{ role: 'user', content: [image] }] }, "content of type 'image_url'"],
    [{ messages: [...messages, { role: 'assistant', content: 'hello' }] }, "the last of the 'messages'"],
    [{ messages: [{ role: 'system', content: 'alone' }] }, "the last of the 'messages'"],
    [{ messages: [...messages, { role: 'tool', tool_call_id: 'x', content: '' }] }, "no call 'x' goes before its result"],
    [{ messages: [{ role: 'assistant', tool_calls: [call] }, ...messages] }, "the arguments of 'f'"],
  ])('of the chat %j', (request, what) => {
    expect(() => chat.request(request)).toThrow(RequestFailure);
    expect(() => chat.request(request)).toThrow(what);
  });

  test('and claims no success that did not happen', () => {
    expect(() => chat.response({ generation_id: '1' })).toThrow("'text' missing");
    expect(() => chat.response({ text: '', finish_reason: 'ERROR' })).toThrow('cohere gave up: ERROR');
  });
});

describe('cohere is called', () => {
  const call = { model: 'm', stream: true, path: '/v2/rerank' };

  test('for each operation at its place', () => {
    const { chat, completions, embeddings, preserve } = cohere.model({ name: null, options: {} });
    const urls = [chat, completions, embeddings, preserve].map(operation => operation?.endpoint(call).url);
    expect(urls).toEqual(['chat', 'chat', 'embed', 'rerank'].map(name => `https://api.cohere.com/v2/${name}`));
  });

  test('at its v1 API where the configuration names that, which streams events only when asked to', () => {
    const { chat, completions } = cohere.model({ name: null, options: { upstream_url: 'https://cohere.internal/v1/chat' } });
    expect(chat?.endpoint(call)).toEqual({ url: 'https://cohere.internal/v1/chat', headers: { accepts: 'text/event-stream' } });
    expect(chat?.endpoint({ ...call, stream: false }).headers).toBeUndefined();
    expect(completions?.dialect === 'own' && completions.request({ prompt: 'hi' })).toEqual({ message: 'hi', stream: false });
  });

  test('not at what was shut down, nor with options that it cannot honour', () => {
    const model = (options: Parameters<typeof cohere.model>[0]['options']) => () => cohere.model({ name: null, options });
    expect(model({ upstream_url: 'https://api.cohere.com/v1/generate' })).toThrow('was shut down');
    expect(model({ cohere: { embedding_input_type: 'clustering', wait_for_model: true } })).toThrow(ConfigurationError);
    expect(model({ cohere: { embedding_input_type: 'clustering', wait_for_model: false } })).not.toThrow();
  });
});

describe("cohere's embeddings", () => {
  const embeddingsFor = (embedding_input_type: 'search_query' | 'clustering') => {
    const { embeddings } = cohere.model({ name: null, options: { cohere: { embedding_input_type, wait_for_model: null } } });
    if (embeddings?.dialect !== 'own') throw new Error('cohere has its own dialect');
    return embeddings;
  };

  test('are for what the configuration says, or the client', () => {
    expect(embeddingsFor('search_query').request({ input: 'a' })).toMatchObject({ input_type: 'search_query', texts: ['a'] });
    expect(embeddingsFor('search_query').request({ input: 'a', input_type: 'clustering' })).toMatchObject({ input_type: 'clustering' });
  });

  test('are of texts, and answers without any are none', () => {
    expect(() => embeddingsFor('clustering').request({ input: [[1]] })).toThrow("'input' of tokens");
    expect(() => embeddingsFor('clustering').response({ embeddings: {} })).toThrow("'embeddings.float' missing");
  });
});

test('an assistant that said nothing is left out, since cohere refuses such a message', () => {
  const silent: ChatRequest['messages'] = [{ role: 'assistant', content: null }, { role: 'assistant', content: '' }, { role: 'assistant' }];
  const messages: ChatRequest['messages'] = [{ role: 'user', content: 'a' }, ...silent, { role: 'user', content: 'b' }];
  expect(ask({ messages })['messages'] as unknown).toEqual([
    { role: 'user', content: 'a' },
    { role: 'user', content: 'b' },
  ]);
});

test.each([
  ['^[A-Z]{3}$', '[A-Z]{3}'],
  ['^(a|b)[|]\\|$', '(a|b)[|]\\|'],
  ['^https://', null],
  ['a', null],
  ['a$', null],
  ['^a|b$', null],
  ['^a\\$', null],
])('a pattern binds when it is for the whole text: %s', (pattern, sent) => {
  const tools = [
    { type: 'function' as const, function: { name: 'f', strict: true, parameters: { type: 'object', properties: { a: { pattern } } } } },
  ];
  const body = ask({ messages: [{ role: 'user', content: 'a' }], tools });
  const [
    {
      function: { parameters },
    },
  ] = body['tools'] as unknown as [{ function: { parameters: { properties: { a: object } } } }];
  expect(parameters.properties.a).toEqual(sent === null ? { description: `(pattern: ${JSON.stringify(pattern)})` } : { pattern: sent });
});
