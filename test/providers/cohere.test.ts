import { describe, expect, test } from 'bun:test';
import type { ChatRequest } from '../../src/chat/chat.ts';
import type { CompletionRequest } from '../../src/chat/completion.ts';
import { RequestFailure } from '../../src/lib/request-failure.ts';
import { cohere } from '../../src/providers/cohere.ts';

describe('cohere refuses what it would have to leave out', () => {
  const { chat, completions } = cohere.model({ name: null, options: {} });
  const messages: ChatRequest['messages'] = [{ role: 'user', content: 'hi' }];
  const audio = { type: 'input_audio', input_audio: { data: '', format: 'wav' } } as const;

  test.each<[ChatRequest, string]>([
    [{ messages, n: 2 }, "'n'"],
    [{ messages, logit_bias: { 5: 1 } }, "'logit_bias'"],
    [{ messages, logprobs: true }, "'logprobs'"],
    [{ messages: [{ role: 'user', content: [audio] }] }, "content of type 'input_audio'"],
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
