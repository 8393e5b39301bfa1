import { describe, expect, test } from 'bun:test';
import type { CompletionRequest } from '../../src/chat/completion.ts';
import { RequestFailure } from '../../src/lib/request-failure.ts';
import { huggingface } from '../../src/providers/huggingface.ts';

const { completions, embeddings } = huggingface.model({ name: null, options: {} });
if (completions?.dialect !== 'own' || embeddings?.dialect !== 'own') throw new Error('tasks have dialects of their own');

describe('huggingface is called', () => {
  const callsOf = (options: Parameters<typeof huggingface.model>[0]['options'], model = 'org/model-1') => {
    const { chat, completions, embeddings, preserve } = huggingface.model({ name: null, options });
    return [chat, completions, embeddings, preserve].map(operation => operation?.endpoint({ model, stream: false, path: '/v1/models' }));
  };
  const urlsOf = (...asked: Parameters<typeof callsOf>) => callsOf(...asked).map(call => call?.url);

  test('at its router, the model of a task being in the path', () => {
    const origin = 'https://router.huggingface.co';
    expect(urlsOf({})).toEqual([
      `${origin}/v1/chat/completions`,
      `${origin}/hf-inference/models/org/model-1`,
      `${origin}/hf-inference/models/org/model-1/pipeline/feature-extraction`,
      `${origin}/v1/models`,
    ]);
    expect(urlsOf({}, 'org/a?b#c')[1]).toBe(`${origin}/hf-inference/models/org/a%3Fb%23c`);
  });

  test('at an endpoint, where chats have their path', () => {
    const [chat, ...others] = urlsOf({ upstream_url: 'https://abc.endpoints.huggingface.cloud/' });
    expect(chat).toBe('https://abc.endpoints.huggingface.cloud/v1/chat/completions');
    expect(new Set(others)).toEqual(new Set(['https://abc.endpoints.huggingface.cloud/']));
    expect(urlsOf({ upstream_url: 'http://tgi/v2/chat/completions?a=b' })[0]).toBe('http://tgi/v2/chat/completions?a=b');
  });

  test('with the headers that the options ask for', () => {
    for (const call of callsOf({ huggingface: { use_cache: false, wait_for_model: true } })) {
      expect(call?.headers).toEqual({ 'x-use-cache': 'false', 'x-wait-for-model': 'true' });
    }
    for (const call of callsOf({ huggingface: { use_cache: null, wait_for_model: null } })) expect(call?.headers).toEqual({});
  });

  test.each(['..', 'a/../../b', '.', 'a//b', 'a\ud800'])('never at a path that the model %j chooses', model => {
    expect(() => completions.endpoint({ model, stream: false, path: '' })).toThrow(RequestFailure);
  });
});

describe('huggingface refuses what it would have to leave out', () => {
  test.each<CompletionRequest>([
    { prompt: ['a', 'b'] },
    { prompt: 'a', n: 2 },
    { prompt: 'a', suffix: 'b' },
    { prompt: 'a', logprobs: 2 },
    { prompt: 'a', presence_penalty: 1 },
  ])('of the completion %j', request => {
    expect(() => completions.request(request)).toThrow(RequestFailure);
  });

  test.each([
    [{ input: 'a', dimensions: 3 }, "'dimensions'"],
    [{ input: [1, 2] }, "'input' of tokens"],
  ])('of the embeddings %j', (request, what) => {
    expect(() => embeddings.request(request)).toThrow(what);
  });
});

test.each([[{ error: 'x' }], [[[[0.1], [0.2]]]], [[0.1, 0.2]]])('%j is no list of embeddings', answer => {
  expect(() => embeddings.response(answer)).toThrow('not a list of embeddings');
});
