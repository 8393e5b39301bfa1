import { describe, expect, test } from 'bun:test';
import { COHERE, type Config, chat, send } from '../../support/ai-exchange.ts';

describe('a body nested deeper than JSON.stringify can go', () => {
  const deep = '['.repeat(100_000) + ']'.repeat(100_000);
  const messages = '"messages":[{"role":"user","content":"a"}]';

  test.each<[string, Config, string]>([
    ['for another dialect', { model: COHERE }, `{${messages},"stop":${deep}}`],
    [
      'in options that are added to',
      { logging: { log_statistics: true } },
      `{${messages},"stream":true,"stream_options":{"include_usage":false,"x":${deep}}}`,
    ],
  ])('is refused %s', async (_, config, body) => {
    const { refused } = await send(chat(config), body);
    expect(refused?.status).toBe(400);
    expect(await refused?.text()).toContain('request body is nested too deeply');
  });

  test('passes where nobody writes it anew', async () => {
    const body = `{"model":"gpt-4",${messages},"x":${deep}}`;
    expect((await send(chat(), body)).sent()).toBe(body);
  });
});
