import { describe, expect, test } from 'bun:test';
import type { JsonObject } from '../../../src/lib/json.ts';
import { ANSWER, broken, COHERE, COHERE_ANSWER, chat, json, send, stream } from '../../support/ai-exchange.ts';

const STREAMED = '{"stream":true,"messages":[{"role":"user","content":"hi"}]}';
const chunk = (delta: JsonObject, more: JsonObject = {}) =>
  `data: ${JSON.stringify({ id: 'c', model: 'gpt-4-0613', choices: [{ index: 0, delta, finish_reason: null }], usage: null, ...more })}\n\n`;
const TEXT = [chunk({ role: 'assistant' }), chunk({ content: 'say "usage":' }), chunk({ content: ' 2' })];
const USAGE = `data: ${JSON.stringify({ id: 'c', model: 'gpt-4-0613', choices: [], usage: ANSWER.usage })}\n\n`;
const DONE = 'data: [DONE]\n\n';

describe('a stream in the same dialect', () => {
  test('passes untouched when nothing looks inside', async () => {
    const { answer } = await send(chat(), STREAMED);
    const vendor = stream(...TEXT, DONE);
    const { response, text } = await answer(vendor);
    expect(response).toBe(vendor);
    expect(text).toBe([...TEXT, DONE].join(''));
  });

  const whole = [': waiting\n\n', ...TEXT, USAGE, DONE].join('');
  const bytes = new TextEncoder().encode(whole);
  test.each([1, 7, 50, bytes.length])('is read for its usage, which only the gateway asked for, in pieces of %d bytes', async size => {
    const { answer } = await send(chat({ logging: { log_statistics: true, log_payloads: true } }), STREAMED);
    const pieces = Array.from({ length: Math.ceil(bytes.length / size) }, (_, at) => whole.slice(at * size, (at + 1) * size));
    const { text, log } = await answer(stream(...pieces));
    expect(text).toBe([': waiting\n\n', ...TEXT, DONE].join(''));
    expect(await log()).toMatchObject({
      meta: { request_model: 'gpt-4', response_model: 'gpt-4-0613', provider_name: 'openai', plugin_id: 'c4fe', request_mode: 'stream' },
      usage: { usage_source: 'provider', ...ANSWER.usage, time_to_first_token: expect.any(Number) },
      payload: { request: STREAMED, response: 'say "usage": 2' },
    });
  });

  test('shows the usage to a client who asked for it', async () => {
    const body = '{"stream":true,"stream_options":{"include_usage":true},"messages":[{"role":"user"}]}';
    const { answer, sent } = await send(chat({ logging: { log_statistics: true } }), body);
    expect(sent()).toContain('"stream_options":{"include_usage":true}');
    const { text, log } = await answer(stream(...TEXT, USAGE, DONE));
    expect(text).toBe([...TEXT, USAGE, DONE].join(''));
    expect((await log()).usage).toMatchObject(ANSWER.usage);
  });

  test('keeps a usage chunk that nobody here asked for', async () => {
    const { answer } = await send(chat(), STREAMED, { outcome: { unframed: true } });
    expect((await answer(stream(...TEXT, USAGE, DONE))).text).toBe([...TEXT, USAGE, DONE].join(''));
  });

  test('keeps a chunk that has content beside its usage', async () => {
    const last = chunk({ content: '!' }, { usage: ANSWER.usage });
    const { answer } = await send(chat({ logging: { log_statistics: true } }), STREAMED);
    const { text, log } = await answer(stream(...TEXT, last, DONE));
    expect(text).toBe([...TEXT, last, DONE].join(''));
    expect((await log()).usage).toMatchObject(ANSWER.usage);
  });

  test.each([{ log_statistics: true }, { log_statistics: true, log_payloads: true }])(
    'without a count logs an estimate, with %j',
    async logging => {
      const { answer } = await send(chat({ logging }), STREAMED);
      const { log } = await answer(stream(...TEXT, DONE));
      const tokens = { prompt_tokens: 1, completion_tokens: 6, total_tokens: 7 };
      expect((await log()).usage).toMatchObject({ usage_source: 'estimated', ...tokens, time_to_first_token: expect.any(Number) });
    },
  );

  test('is estimated whole by what it began with', async () => {
    const { answer } = await send(chat({ logging: { log_statistics: true } }), STREAMED);
    const words = Array.from({ length: 4000 }, () => chunk({ content: ' word' }));
    const { log } = await answer(stream(...words, DONE));
    const { completion_tokens } = (await log()).usage;
    expect(Math.abs(Number(completion_tokens) - 4000)).toBeLessThan(40);
  });

  test('without a word logs no usage', async () => {
    const { answer } = await send(chat({ logging: { log_statistics: true } }), STREAMED);
    const { log } = await answer(stream(': waiting\n\n'));
    expect((await log()).usage).toEqual({ usage_source: 'absent' });
  });

  test.each([{}, { log_statistics: true }])('that just stops is no success where a reset looks the same, with %j', async logging => {
    const { answer } = await send(chat({ logging }), STREAMED, { outcome: { unframed: true } });
    const { text } = await answer(stream(...TEXT));
    expect(text.startsWith(TEXT.join(''))).toBe(true);
    expect(JSON.parse(text.slice(TEXT.join('').length + 'data: '.length)).error.message).toContain('broke off');
    const whole = await send(chat({ logging }), STREAMED, { outcome: { unframed: true } });
    expect((await whole.answer(stream(...TEXT, DONE))).text).toBe([...TEXT, DONE].join(''));
  });
});

describe('a translated stream', () => {
  const event = (body: { type: string; [member: string]: unknown }) => `event: ${body.type}\ndata: ${JSON.stringify(body)}\n\n`;
  const start = event({ type: 'message-start', id: 'c14c', delta: { message: { role: 'assistant' } } });
  const content = event({ type: 'content-delta', index: 0, delta: { message: { content: { text: '2' } } } });
  const usage = { billed_units: { input_tokens: 10, output_tokens: 4 } };
  const end = event({ type: 'message-end', delta: { finish_reason: 'COMPLETE', usage } });
  const config = chat({
    model: { ...COHERE, options: { input_cost: 2, output_cost: 10 } },
    logging: { log_statistics: true, log_payloads: true },
  });
  const eventsOf = (text: string) =>
    text
      .trim()
      .split('\n\n')
      .filter(line => line !== ':')
      .map(line => line.slice('data: '.length));

  test('is one of OpenAI, logged with what it cost', async () => {
    const { answer } = await send(config, STREAMED);
    const { response, text, log } = await answer(stream(start + content.slice(0, 9), content.slice(9), end));
    expect(response.headers.get('content-type')).toBe('text/event-stream');
    const events = eventsOf(text);
    expect(events.at(-1)).toBe('[DONE]');
    const chunks = events.slice(0, -1).map(data => JSON.parse(data));
    expect(chunks.map(({ choices }) => [choices[0].delta, choices[0].finish_reason])).toEqual([
      [{ role: 'assistant', content: '' }, null],
      [{ content: '2' }, null],
      [{}, 'stop'],
    ]);
    expect(chunks.every(({ id, model, object }) => id === 'c14c' && model === COHERE.name && object === 'chat.completion.chunk')).toBe(
      true,
    );
    expect(await log()).toMatchObject({
      meta: { provider_name: 'cohere', request_mode: 'stream' },
      usage: { prompt_tokens: 10, completion_tokens: 4, total_tokens: 14, cost: (10 * 2 + 4 * 10) / 1_000_000 },
      payload: { response: '2' },
    });
  });

  test('shows that the vendor is at work when it says nothing to the client', async () => {
    const { answer } = await send(config, STREAMED);
    const { text } = await answer(stream(start, event({ type: 'content-end', index: 0 }), end));
    expect(text.split('\n\n')[1]).toBe(':');
  });

  test('ends with the usage when the client asked', async () => {
    const { answer } = await send(config, STREAMED.replace('{', '{"stream_options":{"include_usage":true},'));
    const events = eventsOf((await answer(stream(start, content, end))).text);
    expect(JSON.parse(events.at(-2) as string)).toMatchObject({ choices: [], usage: { total_tokens: 14 } });
  });

  test.each<[string, string[]]>([
    ['stops before its end', [start, content]],
    ['fails', [start, content, event({ type: 'message-end', delta: { finish_reason: 'ERROR' } })]],
    ['fails and goes on', [start, content, event({ type: 'message-end', delta: { error: 'busy' } }), content, end]],
    ['is not what it should be', [start, content, 'data: {"type":\n\n', end]],
  ])('that %s ends in an error and without [DONE]', async (_, chunks) => {
    const { answer } = await send(config, STREAMED);
    const events = eventsOf((await answer(stream(...chunks))).text);
    expect(events).toHaveLength(3);
    expect(JSON.parse(events[2] as string).error).toMatchObject({ message: expect.any(String), type: 'api_error' });
  });

  test('of several choices is over when all of them are', async () => {
    const said = (index: number, finishReason?: string) =>
      `data: ${JSON.stringify({ candidates: [{ index, content: { parts: [{ text: 'a' }] }, finishReason }] })}\n\n`;
    const { answer } = await send(chat({ model: { provider: 'gemini', name: 'gemini-2.5-flash' } }), STREAMED);
    const cut = await answer(stream(said(0), said(1), said(0, 'STOP')));
    expect(eventsOf(cut.text).at(-1)).toContain('stream_broken');
    const whole = await answer(stream(said(0), said(1), said(0, 'STOP'), said(1, 'STOP')));
    expect(eventsOf(whole.text).at(-1)).toBe('[DONE]');
  });

  test('that is reset ends in an error', async () => {
    const { answer } = await send(config, STREAMED);
    const { text } = await answer(new Response(broken(), { headers: { 'content-type': 'text/event-stream' } }));
    expect(eventsOf(text).map(data => JSON.parse(data).error.code)).toEqual(['stream_broken']);
  });

  test.each([
    ['translated', config, COHERE_ANSWER],
    ['amended', chat({ model: { provider: 'xai', name: 'grok-4' } }), ANSWER],
    ['passed on', chat(), ANSWER],
  ])('that is none is a 502, also where it would be %s', async (_, config, whole) => {
    const { answer } = await send(config, STREAMED);
    const { response, text } = await answer(json(whole));
    expect([response.status, JSON.parse(text).error.message]).toEqual([502, 'the model provider answered without a stream']);
  });
});
