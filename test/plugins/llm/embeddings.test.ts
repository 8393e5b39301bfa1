import { describe, expect, test } from 'bun:test';
import { type Config, json, send } from '../../support/ai-exchange.ts';

const embeddings = (provider: string, options: Config | null, more: Config = {}) => ({
  route_type: 'llm/v1/embeddings',
  auth: { header_name: 'Authorization', header_value: 'Bearer secret-key' },
  model: { provider, name: 'embedder', options },
  logging: { log_statistics: true },
  ...more,
});
const OPENAI_ANSWER = {
  object: 'list',
  data: [{ object: 'embedding', index: 0, embedding: [0.5, -1] }],
  model: 'text-embedding-3-small',
  usage: { prompt_tokens: 8, total_tokens: 8 },
};

describe('embeddings of a vendor in the same dialect', () => {
  test('are asked for as the client asks, with the configured dimensions', async () => {
    const body = '{"input": ["a"],"encoding_format":"base64","dimensions": 3, "x":1e2}';
    const { context, sent } = await send(embeddings('openai', { embeddings_dimensions: 256 }, { genai_category: 'text/embeddings' }), body);
    expect(context.upstream.url).toBe('https://api.openai.com/v1/embeddings');
    expect(sent()).toBe('{"input": ["a"],"encoding_format":"base64","dimensions": 256, "x":1e2,"model":"embedder"}');
  });

  test('pass as they are, and cost their input', async () => {
    const { answer } = await send(embeddings('openai', { input_cost: 20 }), '{"input":"a"}');
    const { text, log } = await answer(json(OPENAI_ANSWER));
    expect(text).toBe(JSON.stringify(OPENAI_ANSWER));
    expect((await log()).usage).toEqual({
      usage_source: 'provider',
      prompt_tokens: 8,
      completion_tokens: 0,
      total_tokens: 8,
      cost: (8 * 20) / 1_000_000,
    });
  });

  test.each(['{"messages":[{"role":"user","content":"a"}]}', '{"prompt":"a"}'])('are not asked for by %s', async body => {
    const { refused } = await send(embeddings('openai', null), body);
    expect(await refused?.text()).toContain('message format is not compatible with [llm/v1/embeddings] route type');
  });
});

describe('embeddings of a vendor in a dialect of its own', () => {
  const vendors = { embeddings: [{ values: [0.5, -1] }] };

  test.each<[string, unknown]>([
    ['float', [0.5, -1]],
    ['base64', Buffer.from(new Float32Array([0.5, -1]).buffer).toString('base64')],
  ])('are what the client asked for, in %s', async (encoding_format, embedding) => {
    const { answer } = await send(embeddings('gemini', null), JSON.stringify({ input: 'hello', encoding_format }));
    const { text, log } = await answer(json(vendors));
    expect(JSON.parse(text)).toMatchObject({ object: 'list', data: [{ object: 'embedding', index: 0, embedding }], model: 'embedder' });
    // Gemini does not count them.
    expect((await log()).usage).toMatchObject({ usage_source: 'estimated', prompt_tokens: 1, completion_tokens: 0 });
  });
});
