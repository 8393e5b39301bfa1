import { describe, expect, test } from 'bun:test';
import { brotliCompressSync, deflateSync } from 'node:zlib';
import { ANSWER, broken, COHERE, COHERE_ANSWER, type Config, chat, json, OPENAI, QUESTION, send } from '../../support/ai-exchange.ts';

describe('an answer', () => {
  test('in the same dialect passes as it is, and nothing looks inside', async () => {
    const { answer, context } = await send(chat(), QUESTION);
    const vendor = json(ANSWER, { headers: { 'set-cookie': 'a=b', 'x-request-id': 'req_1', 'content-encoding': 'unread' } });
    const { response, text } = await answer(vendor);
    expect(response).toBe(vendor);
    expect(text).toBe(JSON.stringify(ANSWER));
    expect(response.headers.get('x-kong-llm-model')).toBe('openai/gpt-4');
    expect(response.headers.get('x-request-id')).toBe('req_1');
    expect(response.headers.has('set-cookie')).toBe(false);
    expect(context.log).toEqual({});
  });

  test('in the same dialect that is read passes byte by byte, with what its headers say of the bytes', async () => {
    const { answer } = await send(chat({ logging: { log_statistics: true } }), QUESTION);
    const sent = new TextEncoder().encode(`\ufeff${JSON.stringify(ANSWER)} \n`);
    const headers = { 'content-type': 'application/json', 'content-length': `${sent.length}`, etag: '"1"', 'x-request-id': 'req_1' };
    const { response, bytes, log } = await answer(new Response(sent, { headers }));
    expect(bytes).toEqual(sent);
    expect(response.headers.toJSON()).toMatchObject(headers);
    expect((await log()).usage).toMatchObject({ usage_source: 'provider', total_tokens: 14 });
  });

  test('that is no UTF-8 passes as it came, and its usage is absent', async () => {
    const { answer } = await send(chat({ logging: { log_statistics: true } }), QUESTION);
    const sent = new Uint8Array([0x7b, 0xff, 0xfe, 0x7d]);
    const { response, bytes, log } = await answer(new Response(sent, { headers: { 'content-type': 'application/json' } }));
    expect(bytes).toEqual(sent);
    expect(response.headers.get('content-length')).toBe('4');
    expect((await log()).usage).toEqual({ usage_source: 'absent' });
  });

  test('names a model of any script', async () => {
    const { answer } = await send(chat({ model: { provider: 'openai' } }), '{"model":"模型\\n\\ud800","messages":[{}]}');
    expect((await answer(json(ANSWER))).response.headers.get('x-kong-llm-model')).toBe('openai/%E6%A8%A1%E5%9E%8B%0A%EF%BF%BD');
  });

  test('that nobody reads is let go of', async () => {
    const { answer } = await send(chat(), QUESTION);
    const { promise, resolve } = Promise.withResolvers<unknown>();
    const page = new ReadableStream({ cancel: resolve });
    await answer(new Response(page, { headers: { 'content-type': 'text/html' } }));
    await promise;
  });

  test('names no model when it should not', async () => {
    const { answer } = await send(chat({ model_name_header: false }), QUESTION);
    expect((await answer(json(ANSWER))).response.headers.has('x-kong-llm-model')).toBe(false);
  });

  test('in another dialect is translated', async () => {
    const { answer } = await send(chat({ model: COHERE }), QUESTION);
    const { response, text } = await answer(json(COHERE_ANSWER));
    expect(response.status).toBe(200);
    expect(JSON.parse(text)).toMatchObject({
      id: 'c14c',
      object: 'chat.completion',
      model: 'command-a-03-2025',
      choices: [{ message: { role: 'assistant', content: '2' }, finish_reason: 'stop' }],
      usage: { prompt_tokens: 10, completion_tokens: 4, total_tokens: 14 },
    });
  });

  test.each<[string, (bytes: Uint8Array<ArrayBuffer>) => Uint8Array<ArrayBuffer>]>([
    ['gzip', Bun.gzipSync],
    ['zstd', bytes => new Uint8Array(Bun.zstdCompressSync(bytes))],
    ['br', bytes => new Uint8Array(brotliCompressSync(bytes))],
    ['deflate', bytes => new Uint8Array(deflateSync(bytes))],
  ])('in %s is read, and says no more that it is', async (encoding, encode) => {
    for (const [model, body] of [
      [OPENAI, ANSWER],
      [COHERE, COHERE_ANSWER],
    ] as const) {
      const { answer } = await send(chat({ model, logging: { log_statistics: true } }), QUESTION);
      const encoded = encode(new TextEncoder().encode(JSON.stringify(body)));
      const headers = { 'content-type': 'application/json', 'content-encoding': encoding, 'content-length': `${encoded.length}` };
      const { response, text, log } = await answer(new Response(encoded, { headers }));
      expect(JSON.parse(text).choices[0].message.content).toBe('2');
      expect(response.headers.has('content-encoding')).toBe(false);
      expect(response.headers.get('content-length')).toBe(`${text.length}`);
      expect((await log()).usage).toMatchObject({ total_tokens: 14 });
    }
  });

  test.each<[string, Config, Response]>([
    ['a web page', {}, new Response('<html>', { headers: { 'content-type': 'text/html' } })],
    ['a web page in place of a translated answer', { model: COHERE }, new Response('<html>', { headers: { 'content-type': 'text/html' } })],
    ['no JSON', { model: COHERE }, new Response('hello')],
    ['null', { model: COHERE }, json(null)],
    ['another within', { model: COHERE }, json({ ...COHERE_ANSWER, message: { content: [null] } })],
    ['another object', { model: COHERE }, json({ hello: 1 })],
    ['a failure', { model: COHERE }, json({ ...COHERE_ANSWER, finish_reason: 'ERROR' })],
    ['in an unknown encoding', { model: COHERE }, json(COHERE_ANSWER, { headers: { 'content-encoding': 'rot13' } })],
    ['broken off', { model: COHERE }, new Response(broken(), { headers: { 'content-type': 'application/json' } })],
    ['broken off while it is read', { logging: { log_statistics: true } }, new Response(broken())],
  ])('that is %s is a 502', async (_, config, vendor) => {
    const { answer } = await send(chat(config), QUESTION);
    const { response, text } = await answer(vendor);
    expect(response.status).toBe(502);
    expect(response.headers.get('content-type')).toContain('application/json');
    expect(JSON.parse(text).error).toMatchObject({ message: expect.any(String), type: 'api_error' });
    expect(text).not.toMatch(/evaluating|destructure|undefined/);
  });
});

describe("a vendor's error", () => {
  const retry = { 'retry-after': '7', 'content-type': 'application/json' };
  const openaiError = '{"error": {"message":"slow down","type":"tokens","param":null,"code":"rate_limit_exceeded"}}';

  const AWS = { auth: { aws_access_key_id: 'AKIDEXAMPLE', aws_secret_access_key: 'secret-key' } };

  test.each<[string, Config, Response, number, unknown]>([
    ["OpenAI's passes as it is", {}, new Response(openaiError, { status: 429, headers: retry }), 429, openaiError],
    [
      "Cohere's is put in OpenAI's shape",
      { model: COHERE },
      json({ id: '1', message: 'invalid api token' }, { status: 401 }),
      401,
      { message: 'invalid api token', type: 'authentication_error' },
    ],
    [
      "that of what stands in front of a vendor is told in its words, not the vendor's",
      { model: { provider: 'bedrock', name: 'amazon.nova-pro-v1:0', options: { bedrock: { aws_region: 'us-east-1' } } }, ...AWS },
      json({ error: { message: 'the proxy says no', type: 'denied' } }, { status: 403 }),
      403,
      { message: 'the proxy says no', type: 'denied' },
    ],
    [
      "the same for one of Google's",
      { model: { provider: 'gemini', name: 'gemini-2.5-flash' } },
      json({ message: 'Forbidden' }, { status: 403 }),
      403,
      { message: 'Forbidden', type: 'permission_error' },
    ],
    ['a detail is a message', {}, json({ detail: 'Not Found' }, { status: 404 }), 404, { message: 'Not Found', type: 'not_found_error' }],
    ['an empty one is wrapped', {}, new Response('', { status: 503 }), 503, { message: 'the model provider answered with status 503' }],
    [
      'a web page is wrapped',
      {},
      new Response('<html>Bad gateway</html>', { status: 502, headers: { 'content-type': 'text/html' } }),
      502,
      { message: 'the model provider answered with status 502' },
    ],
    [
      'a broken one keeps its status',
      {},
      new Response(broken(), { status: 500 }),
      500,
      { message: 'the model provider answered with status 500' },
    ],
    ['plain text is the message', {}, new Response('overloaded\n', { status: 529 }), 529, { message: 'overloaded', type: 'api_error' }],
    [
      'a redirect is not followed',
      {},
      new Response('', { status: 302, headers: { location: 'http://internal/?key=secret-key' } }),
      502,
      { message: 'the model provider answered with status 302' },
    ],
    [
      'a key in it is not shown',
      {},
      json({ error: { message: 'bad key secret-key, sent Bearer secret-key' } }, { status: 401 }),
      401,
      { message: 'bad key [redacted], sent [redacted]' },
    ],
  ])('%s', async (_, config, vendor, status, expected) => {
    const { answer } = await send(chat(config), QUESTION);
    const { response, text } = await answer(vendor);
    expect(response.status).toBe(status);
    if (typeof expected === 'string') expect(text).toBe(expected);
    else expect(JSON.parse(text).error).toMatchObject(expected as object);
    expect(response.headers.get('retry-after')).toBe(status === 429 ? '7' : null);
    expect(response.headers.has('location')).toBe(false);
    expect(response.headers.has('x-kong-llm-model')).toBe(false);
  });

  test("the gateway's own failures are put where OpenAI's clients look", async () => {
    const { answer } = await send(chat(), QUESTION, { outcome: { source: 'error' } });
    const own = { message: 'The upstream server is currently unavailable', request_id: '2f69' };
    const { response, text } = await answer(json(own, { status: 503 }));
    expect(response.status).toBe(503);
    expect(JSON.parse(text)).toEqual({ ...own, error: { message: own.message, type: 'api_error', param: null, code: null } });
  });

  test("the gateway's own failures stay as they are for clients of other media types", async () => {
    const { answer } = await send(chat(), QUESTION, { outcome: { source: 'error' } });
    const vendor = new Response('<h1>Error</h1>', { status: 503, headers: { 'content-type': 'text/html; charset=utf-8' } });
    expect((await answer(vendor)).response).toBe(vendor);
  });

  test('what other plugins answer stays as it is', async () => {
    const { answer } = await send(chat(), QUESTION, { outcome: { source: 'exit' } });
    const vendor = json({ message: 'no' }, { status: 403 });
    expect((await answer(vendor)).response).toBe(vendor);
  });
});

describe('the log', () => {
  test('has what Kong logs of an answer', async () => {
    const logging = { log_statistics: true, log_payloads: true };
    const { answer } = await send(chat({ logging, model: { ...OPENAI, options: { input_cost: 30, output_cost: 60 } } }), QUESTION);
    const { log } = await answer(json(ANSWER));
    expect(await log()).toEqual({
      meta: {
        plugin_id: 'c4fe',
        provider_name: 'openai',
        request_model: 'gpt-4',
        response_model: 'gpt-4-0613',
        request_mode: 'oneshot',
        llm_latency: expect.any(Number),
      },
      usage: { usage_source: 'provider', ...ANSWER.usage, cost: (10 * 30 + 4 * 60) / 1_000_000, time_per_token: expect.any(Number) },
      payload: { request: QUESTION, response: JSON.stringify(ANSWER) },
    });
  });

  test('has no time for tokens that are none', async () => {
    const { answer } = await send(chat({ logging: { log_statistics: true } }), QUESTION);
    const usage = { prompt_tokens: 10, completion_tokens: 0, total_tokens: 10 };
    const { log } = await answer(json({ ...ANSWER, usage }));
    expect((await log()).usage).toEqual({ usage_source: 'provider', ...usage });
  });

  test('has no payload unless it should', async () => {
    const { answer } = await send(chat({ logging: { log_statistics: true } }), QUESTION);
    expect(await (await answer(json(ANSWER))).log()).not.toHaveProperty('payload');
  });

  test('tells of an error without a count', async () => {
    const { answer } = await send(chat({ logging: { log_statistics: true } }), QUESTION);
    const { log } = await answer(json({ error: { message: 'no' } }, { status: 500 }));
    expect((await log()).usage).toEqual({ usage_source: 'absent' });
  });
});
