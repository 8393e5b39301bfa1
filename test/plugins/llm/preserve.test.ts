import { describe, expect, test } from 'bun:test';
import { ANSWER, type Config, chat, json, OPENAI, send, stream } from '../../support/ai-exchange.ts';

const preserve = (more: Config = {}) => chat({ route_type: 'preserve', model: { provider: 'openai' }, ...more });
const STATISTICS = { logging: { log_statistics: true, log_payloads: true } };
const JSON_TYPE = { 'content-type': 'application/json' };

describe('a call that is preserved', () => {
  test.each<[string, Config, string]>([
    ['the path of the client', {}, 'https://api.openai.com/v1/files/f?after=2'],
    ['the path of the configuration', { upstream_path: '/v2/x' }, 'https://api.openai.com/v2/x?after=2'],
    ['the URL of the configuration', { upstream_url: 'http://models.test/v1/y' }, 'http://models.test/v1/y?after=2'],
  ])('goes to %s, with the key of the vendor', async (_, options, url) => {
    const given = { path: '/v1/files/f', query: '?after=2', headers: { 'content-type': 'image/png', authorization: 'Bearer clients' } };
    const { context, refused, sent } = await send(preserve({ model: { provider: 'openai', options } }), 'binary', given);
    expect(refused).toBeUndefined();
    expect(context.upstream.url).toBe(url);
    expect(context.upstream.method).toBe('PUT');
    expect(context.upstream.headers).toMatchObject({ 'content-type': 'image/png', authorization: 'Bearer secret-key' });
    // What the client sent is sent on.
    expect(sent()).toBeUndefined();
  });

  test.each<[string, Config, string, string]>([
    ['another model than the one configured', { model: OPENAI }, '{"model":"o1"}', 'cannot use own model - must be: gpt-4'],
    [
      'a stream where there may be none',
      { response_streaming: 'deny' },
      '{"stream":true}',
      'response streaming is not enabled for this LLM',
    ],
    ['more than it may send', { max_request_body_size: 3 }, '{"a":1}', 'Payload too large'],
  ])('is refused for %s', async (_, config, body, message) => {
    const { refused } = await send(preserve(config), body, { headers: JSON_TYPE });
    expect(await refused?.json()).toMatchObject({ error: { message } });
  });

  test('may be no JSON, though it says that it is', async () => {
    expect((await send(preserve(), '{"a":', { headers: JSON_TYPE })).refused).toBeUndefined();
  });
});

describe('an answer that is preserved', () => {
  test('passes as it is when nothing is logged', async () => {
    const { answer } = await send(preserve(), '{}');
    const vendor = new Response('<html>', { headers: { 'content-type': 'text/html' } });
    const { response } = await answer(vendor);
    expect(response).toBe(vendor);
    expect(response.headers.has('x-kong-llm-model')).toBe(false);
  });

  test.each(['image/png', 'application/octet-stream'])('of %s passes though it is logged', async type => {
    const { answer, context } = await send(preserve(STATISTICS), '{}');
    const vendor = new Response(Uint8Array.of(0xff, 0x00, 0xfe), { headers: { 'content-type': type } });
    const { response, log } = await answer(vendor);
    expect(response).toBe(vendor);
    expect((await log()).usage).toEqual({ usage_source: 'absent' });
    expect(context.log).toMatchObject({ ai: { proxy: { meta: { request_model: 'UNSPECIFIED' } } } });
  });

  test('is logged where it says what is logged', async () => {
    const { answer } = await send(preserve(STATISTICS), '{"model":"gpt-4"}');
    const { response, text, log } = await answer(json(ANSWER));
    expect(text).toBe(JSON.stringify(ANSWER));
    expect(response.headers.get('x-kong-llm-model')).toBe('openai/gpt-4');
    expect(await log()).toMatchObject({
      meta: { request_model: 'gpt-4', response_model: 'gpt-4-0613' },
      usage: ANSWER.usage,
      payload: { request: '{"model":"gpt-4"}', response: JSON.stringify(ANSWER) },
    });
  });

  test('as a stream keeps every byte, whatever its end', async () => {
    const { answer } = await send(preserve(STATISTICS), '{"stream":true}', { outcome: { unframed: true } });
    const events = ['event: message_start\ndata: {}\n\n', ': x\n\nevent: message_stop\ndata: {}\n\n', 'data: tail'];
    expect((await answer(stream(...events))).text).toBe(events.join(''));
  });

  test('as an error keeps its shape, and shows no key', async () => {
    const { answer } = await send(preserve(), '{}');
    const { response, text } = await answer(new Response('{"type":"error","said":"bad secret-key"}', { status: 529, headers: JSON_TYPE }));
    expect([response.status, text]).toEqual([529, '{"type":"error","said":"bad [redacted]"}']);
  });

  test.each([
    ['https://files.test/a', 'https://files.test/a'],
    ['https://files.test/a?key=secret-key', null],
  ])('that leads to %s leads to %s', async (location, expected) => {
    const { answer } = await send(preserve(), '{}');
    const { response } = await answer(new Response(null, { status: 302, headers: { location } }));
    expect([response.status, response.headers.get('location')]).toEqual([302, expected]);
  });
});
