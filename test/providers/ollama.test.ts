import { describe, expect, test } from 'bun:test';
import type { ChatRequest } from '../../src/chat/chat.ts';
import type { CompletionRequest } from '../../src/chat/completion.ts';
import type { EmbeddingsRequest } from '../../src/chat/embeddings.ts';
import { RequestFailure } from '../../src/lib/request-failure.ts';
import { ollama } from '../../src/providers/ollama.ts';

const { chat, completions, embeddings } = ollama.model({ name: null, options: {} });
if (chat?.dialect !== 'own' || completions?.dialect !== 'own' || embeddings?.dialect !== 'own')
  throw new Error('ollama has its own dialect');

describe('ollama refuses what it would have to leave out', () => {
  const messages: ChatRequest['messages'] = [{ role: 'user', content: 'hi' }];
  const of = (part: unknown) => ({ messages: [{ role: 'user', content: [part] }] }) as ChatRequest;
  const called = (call: unknown) => ({ messages: [{ role: 'assistant', tool_calls: [call] }] }) as ChatRequest;

  test.each<[ChatRequest, string]>([
    [{ messages, n: 2 }, "'n'"],
    [{ messages, logit_bias: { 5: 1 } }, "'logit_bias'"],
    [{ messages, parallel_tool_calls: false }, "'parallel_tool_calls'"],
    [{ messages, verbosity: 'low' }, "'verbosity'"],
    [{ messages, modalities: ['text', 'audio'] }, "'modalities'"],
    [{ messages, tool_choice: 'required' }, "a 'tool_choice' that requires a call"],
    [{ messages, tool_choice: { type: 'function', function: { name: 'f' } } }, "a 'tool_choice' that requires a call"],
    [{ messages, tool_choice: { type: 'allowed_tools' } as never }, "'tool_choice' of type 'allowed_tools'"],
    [{ messages, tools: [{ type: 'custom', custom: { name: 'c' } } as never] }, "tools of type 'custom'"],
    [of({ type: 'input_audio', input_audio: { data: '', format: 'wav' } }), "content of type 'input_audio'"],
    [of({ type: 'file', file: { file_id: 'file-1' } }), "content of type 'file'"],
    [of({ type: 'image_url', image_url: { url: 'https://example.test/a.png' } }), 'only as a data URI'],
    [called({ id: '1', type: 'function', function: { name: 'f', arguments: '[1]' } }), "the arguments of 'f'"],
    [called({ id: '1', type: 'custom', custom: { name: 'c', input: '' } }), "calls of type 'custom'"],
    [{ messages: [{ role: 'function', name: 'f', content: '1' } as never] }, "messages of role 'function'"],
  ])('of the chat %j', (request, what) => {
    expect(() => chat.request(request)).toThrow(RequestFailure);
    expect(() => chat.request(request)).toThrow(what);
  });

  test.each<CompletionRequest>([
    { prompt: ['a', 'b'] },
    { prompt: [1, 2] as never },
    { prompt: 'a', echo: true },
    { prompt: 'a', best_of: 3 },
    { prompt: 'a', logprobs: 1 },
  ])('of the completion %j', request => {
    expect(() => completions.request(request)).toThrow(RequestFailure);
  });

  test.each<EmbeddingsRequest>([{ input: [1, 2] }, { input: [[1], [2]] }])('of the embeddings %j', request => {
    expect(() => embeddings.request(request)).toThrow("'input' of tokens");
  });
});

describe('ollama is called', () => {
  const urlOf = (options: object, path = '/asked') => {
    const { chat, embeddings, preserve } = ollama.model({ name: null, options });
    return [chat, embeddings, preserve].map(operation => operation?.endpoint({ model: 'm', stream: false, path }).url);
  };

  test('where it listens by default', () => {
    const origin = 'http://localhost:11434';
    expect(urlOf({}, '/api/tags')).toEqual([`${origin}/api/chat`, `${origin}/api/embed`, `${origin}/api/tags`]);
  });

  test('at the server, or at the very URL, that the configuration names', () => {
    const server = 'http://gpu:11434';
    expect(urlOf({ upstream_url: server })).toEqual([`${server}/api/chat`, `${server}/api/embed`, `${server}/asked`]);
    expect(urlOf({ upstream_url: 'http://gpu/models/chat?x=1' })[0]).toBe('http://gpu/models/chat?x=1');
  });
});

test('an answer without a message, or with an error in it, is none', () => {
  expect(() => chat.response({ done: true })).toThrow("'message' missing");
  expect(() => chat.response({ error: 'out of memory' })).toThrow('out of memory');
  expect(() => completions.response({})).toThrow("'response' missing");
  expect(() => embeddings.response({})).toThrow("'embeddings' missing");
});

test('what ollama did not count is not zero', () => {
  expect(chat.response({ message: { content: 'hi' }, done: true, eval_count: 3 })).not.toHaveProperty('usage');
});
