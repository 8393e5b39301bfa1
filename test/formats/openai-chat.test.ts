import { expect, test } from 'bun:test';
import type { ChatEvent } from '../../src/chat/chat.ts';
import { openaiChat } from '../../src/formats/openai-chat.ts';
import { openaiCompletions } from '../../src/formats/openai-completions.ts';

const facts = { id: 'chatcmpl-1', model: 'asked', created: 5, includeUsage: false };
const usage = { prompt_tokens: 1, completion_tokens: 2, total_tokens: 3 };
const parsed = (text: string) => JSON.parse(text.slice('data: '.length));

test('a chat answer is what OpenAI documents, and what the vendor left out is filled in', () => {
  const message = { role: 'assistant', content: 'hi' } as const;
  expect(openaiChat.answer({ choices: [{ index: 0, message, finish_reason: 'stop' }], usage }, facts)).toEqual({
    id: 'chatcmpl-1',
    object: 'chat.completion',
    created: 5,
    model: 'asked',
    choices: [{ index: 0, message: { role: 'assistant', content: 'hi', refusal: null }, logprobs: null, finish_reason: 'stop' }],
    usage,
  });
});

test("the vendor's id and model hold for all chunks that follow", () => {
  const { event } = openaiChat.stream(facts);
  event({ id: 'theirs', model: 'real', delta: { role: 'assistant' } });
  expect(parsed(event({ delta: { content: 'a' } }))).toMatchObject({
    id: 'theirs',
    model: 'real',
    object: 'chat.completion.chunk',
    created: 5,
  });
});

test('the role comes first though the vendor does not name it, and only once for each choice', () => {
  const { event } = openaiChat.stream(facts);
  const deltas = (
    [{ delta: { content: 'a' } }, { delta: { role: 'assistant', content: 'b' } }, { index: 1, delta: { content: 'c' } }] as ChatEvent[]
  )
    .map(event)
    .map(text => parsed(text).choices[0].delta);
  expect(deltas).toEqual([{ role: 'assistant', content: 'a' }, { content: 'b' }, { role: 'assistant', content: 'c' }]);
});

test.each([openaiChat, openaiCompletions])('the usage comes alone and last, and only to clients who asked', format => {
  const quiet = format.stream(facts);
  expect(quiet.event({ finish_reason: 'stop', usage })).not.toContain('usage');
  expect(quiet.end()).toBe('data: [DONE]\n\n');

  const asked = format.stream({ ...facts, includeUsage: true });
  expect(parsed(asked.event({ finish_reason: 'stop', usage })).usage).toBeNull();
  const [last, done] = asked.end().trim().split('\n\n');
  expect(parsed(last as string)).toMatchObject({ choices: [], usage });
  expect(done).toBe('data: [DONE]');
});

test.each([openaiChat, openaiCompletions])('an error is an event of its own', format => {
  const text = format.stream(facts).event({ error: { message: 'overloaded', code: 'busy' } });
  expect(parsed(text)).toEqual({ error: { message: 'overloaded', type: 'api_error', param: null, code: 'busy' } });
});

test('an event that says nothing to the client is not sent', () => {
  expect(openaiChat.stream(facts).event({ usage })).toBe('');
  expect(openaiCompletions.stream(facts).event({ text: '' })).toBe('');
});
