import { expect, test } from 'bun:test';
import type { Json } from '../../../src/lib/json.ts';
import { Excerpt, estimateUsage } from '../../../src/plugins/llm/estimate.ts';

const excerpt = (...texts: string[]) => {
  const made = new Excerpt();
  for (const text of texts) made.add(text);
  return made;
};

test.each<[string, Json, string, number, number]>([
  ['messages', { messages: [{ role: 'user', content: 'What is 1+1?' }] }, 'It is 2.', 7, 5],
  [
    'parts, images not counted',
    { messages: [{ role: 'user', content: [{ type: 'text', text: 'What is 1+1?' }, { type: 'image_url' }] }] },
    '',
    7,
    0,
  ],
  ['a prompt', { prompt: ['What is', ' 1+1?'] }, '2', 7, 1],
  ['inputs', { input: 'What is 1+1?' }, '', 7, 0],
  ['words that are special to the tokenizer', { prompt: '<|endoftext|>' }, '<|im_start|>', 7, 6],
  ['nothing', null, '', 0, 0],
])('%s are counted', async (_, request, answer, prompt_tokens, completion_tokens) => {
  expect(await estimateUsage(request, excerpt(answer))).toEqual({
    prompt_tokens,
    completion_tokens,
    total_tokens: prompt_tokens + completion_tokens,
  });
});

test('tools are a part of what the model reads', async () => {
  const tools = [{ type: 'function', function: { name: 'weather', parameters: { type: 'object' } } }];
  const { prompt_tokens } = await estimateUsage({ messages: [{ role: 'user', content: 'a' }], tools }, excerpt());
  expect(prompt_tokens).toBeGreaterThan(10);
});

test('a long text is estimated by its beginning, and keeps no more than that', async () => {
  const long = excerpt(...Array.from({ length: 100_000 }, () => 'word '));
  expect(long.text.length).toBe(16 * 1024);
  const { completion_tokens } = await estimateUsage(null, long);
  expect(Math.abs(completion_tokens - 100_000)).toBeLessThan(2000);
});
