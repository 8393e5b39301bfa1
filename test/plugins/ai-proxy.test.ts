import { describe, expect, test } from 'bun:test';
import type { Json, JsonObject } from '../../src/lib/json.ts';
import { parseJson } from '../../src/lib/json.ts';
import { RequestFailure } from '../../src/lib/request-failure.ts';
import { aiProxy } from '../../src/plugins/ai-proxy.ts';
import type { Context } from '../../src/plugins/context.ts';
import { answered, type Circumstances } from '../support/context.ts';
import { configured, openHost } from '../support/host.ts';

interface Config {
  readonly [field: string]: unknown;
}
const OPENAI = { provider: 'openai', name: 'gpt-4' };
const COHERE = { provider: 'cohere', name: 'command-a-03-2025' };
const KEY = { header_name: 'Authorization', header_value: 'Bearer secret-key' };
const chat = (more: Config = {}): Config => ({ route_type: 'llm/v1/chat', auth: KEY, model: OPENAI, ...more });
const QUESTION = '{"messages":[{"role":"user","content":"What is 1+1?"}]}';

/** One request on its way through the plugin, its vendor played by the test. */
async function send(config: Config, body: string, given: Circumstances & { headers?: Record<string, string>; query?: string } = {}) {
  const { headers = { 'content-type': 'application/json' }, query = '', ...circumstances } = given;
  const request = new Request(`http://gateway.test/chat${query}`, { method: 'POST', headers, body });
  const context = answered(request, {
    body: {
      text: async limit => {
        if (limit > 0 && body.length > limit) throw new RequestFailure(413, 'Payload too large');
        return body;
      },
      json: async limit => parseJson(await context.body.text(limit)),
      replace: () => undefined,
    },
    ...circumstances,
  });
  Object.assign(context.upstream.headers, request.headers.toJSON());
  const phases = configured(aiProxy, config, openHost().host);
  const refused = (await phases.access?.(context)) ?? undefined;

  return {
    context,
    refused,
    sent: () => context.upstream.body as string,
    sentJson: () => JSON.parse(context.upstream.body as string),
    async answer(vendor: Response) {
      const response = (await phases.response?.(context, vendor)) ?? vendor;
      return { response, text: await response.text(), log: () => logOf(context) };
    },
  };

  async function logOf(context: Context) {
    await phases.log?.(context);
    const { ai } = context.log as { ai?: { proxy: JsonObject } };
    return ai?.proxy as Record<'meta' | 'usage' | 'payload', Record<string, Json>>;
  }
}

const json = (body: unknown, init: ResponseInit = {}) => Response.json(body, init);
const stream = (...chunks: string[]) =>
  new Response(
    new ReadableStream<Uint8Array>({
      start(controller) {
        for (const chunk of chunks) controller.enqueue(new TextEncoder().encode(chunk));
        controller.close();
      },
    }),
    { headers: { 'content-type': 'text/event-stream' } },
  );

const broken = () =>
  new ReadableStream<Uint8Array>({
    pull(controller) {
      controller.error(new Error('reset'));
    },
  });

describe('what is sent', () => {
  test('goes to OpenAI with its key, model and options, every other byte as it came', async () => {
    const body = '{ "temperature": 0.50, "messages" : [ {"role":"user","content":"1\\u002b1?", "x": 1e2} ],\n "z": 0.10 }';
    const { context, sent } = await send(chat({ model: { ...OPENAI, options: { max_tokens: 512, temperature: 1.0 } } }), body);
    expect(context.upstream.url).toBe('https://api.openai.com/v1/chat/completions');
    expect(context.upstream.method).toBe('POST');
    expect(context.upstream.headers).toMatchObject({ authorization: 'Bearer secret-key', 'content-type': 'application/json' });
    expect(sent()).toBe(
      '{ "temperature": 1, "messages" : [ {"role":"user","content":"1\\u002b1?", "x": 1e2} ],\n "z": 0.10,"model":"gpt-4","max_tokens":512 }',
    );
  });

  test('goes to Cohere in its own dialect', async () => {
    const { context, sentJson } = await send(chat({ model: { ...COHERE, options: { top_p: 0.5 } } }), QUESTION);
    expect(context.upstream.url).toBe('https://api.cohere.com/v2/chat');
    expect(sentJson()).toEqual({
      model: 'command-a-03-2025',
      messages: [{ role: 'user', content: 'What is 1+1?' }],
      stream: false,
      p: 0.5,
    });
  });

  test('names the model that the request names when the configuration names none', async () => {
    const body = '{"model":"gpt-5","prompt":"hi"}';
    const { sent } = await send({ route_type: 'llm/v1/completions', model: { provider: 'openai' } }, body);
    expect(sent()).toBe(body);
  });

  test.each([
    ['$(headers.x-model)', { headers: { 'content-type': 'application/json', 'x-model': 'a' } }],
    ['$(query_params.model)', { query: '?model=a' }],
    ['$(uri_captures.model)', { captures: { model: 'a' } }],
  ])('names the model that %s says', async (name, given) => {
    const { sentJson } = await send(chat({ model: { provider: 'openai', name } }), QUESTION, given);
    expect(sentJson().model).toBe('a');
  });

  test('limits a request by the name that it uses', async () => {
    const body = '{"messages":[{"role":"user","content":"hi"}],"max_completion_tokens":9000}';
    const { sentJson } = await send(chat({ model: { ...OPENAI, options: { max_tokens: 512 } } }), body);
    expect(sentJson()).toMatchObject({ max_completion_tokens: 512 });
    expect(sentJson()).not.toHaveProperty('max_tokens');
  });

  test('says of each member once what was checked', async () => {
    const { sent } = await send(chat(), '{"model":"o1","messages":[{"role":"user"}],"model":"gpt-4"}');
    expect(sent()).toBe('{"messages":[{"role":"user"}],"model":"gpt-4"}');
  });

  test('is a stream when the operator says always, and when the client asks in a way a server might take for yes', async () => {
    const always = await send(chat({ response_streaming: 'always' }), QUESTION);
    expect(always.sentJson().stream).toBe(true);
    const odd = await send(chat(), '{"stream":"true","messages":[{"role":"user"}]}');
    expect(odd.sentJson().stream).toBe(true);
  });

  test.each<[string, Config, string, JsonObject | undefined]>([
    ['asks for the usage of a stream when it is logged', { log_statistics: true }, '', { include_usage: true }],
    ['keeps what else the client wants of a stream', { log_statistics: true }, ',"stream_options":{"x":1}', { x: 1, include_usage: true }],
    ['asks for nothing when nothing is logged', {}, '', undefined],
  ])('%s', async (_, logging, more, expected) => {
    const { sentJson } = await send(chat({ logging }), `{"stream":true,"messages":[{"role":"user"}]${more}}`);
    expect(sentJson().stream_options).toEqual(expected);
  });
});

describe('credentials', () => {
  const headers = {
    'content-type': 'application/json',
    authorization: 'Bearer clients',
    'x-api-key': 'clients',
    apikey: 'gateways',
    cookie: 'session=1',
    'x-request-id': '7',
  };

  test.each<[string, Config | null, JsonObject]>([
    ['configured ones replace those of the client', KEY, { authorization: 'Bearer secret-key', 'x-request-id': '7' }],
    [
      'those of the client win where they may',
      { ...KEY, allow_override: true },
      { authorization: 'Bearer clients', 'x-api-key': 'clients', 'x-request-id': '7' },
    ],
    [
      'those of the client pass when none are configured',
      null,
      { authorization: 'Bearer clients', 'x-api-key': 'clients', 'x-request-id': '7' },
    ],
  ])('%s, and those of the gateway stop here', async (_, auth, expected) => {
    const { context } = await send(chat({ auth }), QUESTION, { headers });
    expect(context.upstream.headers).toEqual({ 'content-type': 'application/json', 'accept-encoding': 'identity', ...expected });
  });

  const inQuery = { param_name: 'key', param_value: 'a&b', param_location: 'query' };
  test.each([
    [inQuery, '', '?key=a%26b'],
    [inQuery, '?key=clients&x=1&apikey=gateways', '?key=a%26b&x=1'],
    [{ ...inQuery, allow_override: true }, '?key=clients', '?key=clients'],
  ])('%j as a parameter with the query %s', async (auth, query, expected) => {
    const { context } = await send(chat({ auth }), QUESTION, { query });
    expect(context.upstream.url).toBe(`https://api.openai.com/v1/chat/completions${expected}`);
  });

  const inBody = { param_name: 'key', param_value: 'secret', param_location: 'body' };
  test.each([
    [inBody, 'secret'],
    [{ ...inBody, allow_override: true }, 'clients'],
  ])('%j as a member of the body', async (auth, expected) => {
    for (const model of [OPENAI, COHERE]) {
      const { sentJson } = await send(chat({ auth, model }), '{"key":"clients","messages":[{"role":"user","content":"a"}]}');
      if (model === OPENAI || expected === 'secret') expect(sentJson().key).toBe(expected);
    }
  });
});

describe('what is refused', () => {
  const CONTENT_TYPE = 'content-type header does not match request body, or bad JSON formatting';
  const PROMPTS = "request body doesn't contain valid prompts";
  const form = { headers: { 'content-type': 'application/x-www-form-urlencoded' } };

  test.each<[string, Config, string, Circumstances & { headers?: Record<string, string> }, number, string]>([
    ['JSON that does not parse', {}, '{"messages":[', {}, 400, CONTENT_TYPE],
    ['a body of another type', {}, QUESTION, form, 400, CONTENT_TYPE],
    ['an empty body', {}, '', {}, 400, CONTENT_TYPE],
    ['no prompt', {}, '{}', {}, 400, PROMPTS],
    ['an array', {}, '[]', {}, 400, PROMPTS],
    ['no messages', {}, '{"messages":[]}', {}, 400, PROMPTS],
    ['messages that are none', {}, '{"messages":["hi"]}', {}, 400, PROMPTS],
    ['another model', {}, '{"model":"o1","messages":[{}]}', {}, 400, 'cannot use own model - must be: gpt-4'],
    [
      'no model',
      { model: { provider: 'openai' } },
      QUESTION,
      {},
      400,
      'model parameter not found in request, nor in gateway configuration',
    ],
    [
      'a prompt on a chat route',
      {},
      '{"prompt":"hi"}',
      {},
      400,
      '[llm/v1/completions] message format is not compatible with [llm/v1/chat] route type',
    ],
    [
      'messages on a completions route',
      { route_type: 'llm/v1/completions' },
      QUESTION,
      {},
      400,
      '[llm/v1/chat] message format is not compatible with [llm/v1/completions] route type',
    ],
    ['messages and a prompt', {}, '{"prompt":"hi","messages":[{}]}', {}, 400, 'request matches multiple LLM request formats'],
    [
      'a stream where there may be none',
      { response_streaming: 'deny' },
      '{"stream":true,"messages":[{}]}',
      {},
      400,
      'response streaming is not enabled for this LLM',
    ],
    ['a long body', { max_request_body_size: 10 }, QUESTION, {}, 413, 'Payload too large'],
    [
      'a body without the model in its header',
      { model: { ...OPENAI, name: '$(headers.m)' } },
      QUESTION,
      {},
      400,
      "'headers', key 'm' was not provided",
    ],
    [
      'members of other types than they should have',
      { model: COHERE },
      '{"tools":"none","messages":[{"role":"user","content":"a"}]}',
      {},
      400,
      'request body is not in the format of [llm/v1/chat]',
    ],
    [
      'what the vendor lacks',
      { model: COHERE },
      '{"n":2,"messages":[{"role":"user","content":"a"}]}',
      {},
      400,
      "cohere does not support 'n' other than 1",
    ],
  ])('%s', async (_, config, body, given, status, message) => {
    const { refused } = await send(chat(config), body, given);
    expect(refused?.status).toBe(status);
    expect(await refused?.json()).toEqual({ error: { message, type: 'invalid_request_error', param: null, code: null } });
  });

  test('a body of any length passes when there is no limit', async () => {
    const { refused } = await send(chat({ max_request_body_size: 0 }), QUESTION.padEnd(2_000_000));
    expect(refused).toBeUndefined();
  });
});

describe('the configuration', () => {
  const withOptions = (options: Config) => chat({ model: { ...OPENAI, options } });

  test.each<[Config, string]>([
    [chat({ model: { provider: 'delphi' } }), 'config.model.provider: expected one of: openai, cohere'],
    [chat({ route_type: 'preserve' }), 'config.route_type: expected one of: llm/v1/chat, llm/v1/completions'],
    [chat({ llm_format: 'gemini' }), 'config.llm_format: expected one of: openai'],
    [chat({ auth: { header_name: 'a' } }), "all or none of these fields must be set: 'auth.header_name', 'auth.header_value'"],
    [
      chat({ auth: { param_name: 'a' } }),
      "all or none of these fields must be set: 'auth.param_name', 'auth.param_value', 'auth.param_location'",
    ],
    [chat({ auth: { header_name: 'a', header_value: 'b\nc: d' } }), 'no HTTP header can have this name and value'],
    [withOptions({ temperature: 6 }), 'value should be between 0 and 5'],
    [withOptions({ input_cost: 0 }), 'value must be greater than 0'],
    [withOptions({ upstream_url: 'nowhere' }), 'missing host in url'],
    [withOptions({ upstream_url: 'http://a/$(headers.where)' }), 'clients must not choose where their requests go'],
    [withOptions({ azure_instance: 'a' }), 'config.model.options.azure_instance: unknown field'],
    [chat({ model: { ...OPENAI, name: '$(headers)' } }), "cannot parse expression for field 'model.name'"],
    [chat({ model: { ...OPENAI, name: '$(body.model)' } }), "source 'body' is not supported"],
    [chat({ max_request_body_size: -1 }), 'value must be greater than -1'],
  ])('%j is refused', (config, message) => {
    expect(() => configured(aiProxy, config, openHost().host)).toThrow(message);
  });
});

const ANSWER = {
  id: 'chatcmpl-9',
  object: 'chat.completion',
  created: 1,
  model: 'gpt-4-0613',
  choices: [{ index: 0, message: { role: 'assistant', content: '2' }, finish_reason: 'stop' }],
  usage: { prompt_tokens: 10, completion_tokens: 4, total_tokens: 14, prompt_tokens_details: { cached_tokens: 3 } },
};
const COHERE_ANSWER = {
  id: 'c14c',
  finish_reason: 'COMPLETE',
  message: { role: 'assistant', content: [{ type: 'text', text: '2' }] },
  usage: { billed_units: { input_tokens: 10, output_tokens: 4 } },
};

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
  });
});

describe("a vendor's error", () => {
  const retry = { 'retry-after': '7', 'content-type': 'application/json' };
  const openaiError = '{"error": {"message":"slow down","type":"tokens","param":null,"code":"rate_limit_exceeded"}}';

  test.each<[string, Config, Response, number, unknown]>([
    ["OpenAI's passes as it is", {}, new Response(openaiError, { status: 429, headers: retry }), 429, openaiError],
    [
      "Cohere's is put in OpenAI's shape",
      { model: COHERE },
      json({ id: '1', message: 'invalid api token' }, { status: 401 }),
      401,
      { message: 'invalid api token', type: 'authentication_error' },
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

  test('keeps a chunk that has content beside its usage', async () => {
    const last = chunk({ content: '!' }, { usage: ANSWER.usage });
    const { answer } = await send(chat({ logging: { log_statistics: true } }), STREAMED);
    const { text, log } = await answer(stream(...TEXT, last, DONE));
    expect(text).toBe([...TEXT, last, DONE].join(''));
    expect((await log()).usage).toMatchObject(ANSWER.usage);
  });

  test('without a count logs none', async () => {
    const { answer } = await send(chat({ logging: { log_statistics: true } }), STREAMED);
    const { log } = await answer(stream(...TEXT, DONE));
    expect((await log()).usage).toEqual({ usage_source: 'absent', time_to_first_token: expect.any(Number) });
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
    ['is not what it should be', [start, content, 'data: {"type":\n\n', end]],
  ])('that %s ends in an error and without [DONE]', async (_, chunks) => {
    const { answer } = await send(config, STREAMED);
    const events = eventsOf((await answer(stream(...chunks))).text);
    expect(events).toHaveLength(3);
    expect(JSON.parse(events[2] as string).error).toMatchObject({ message: expect.any(String), type: 'api_error' });
  });

  test('that is reset ends in an error', async () => {
    const { answer } = await send(config, STREAMED);
    const { text } = await answer(new Response(broken(), { headers: { 'content-type': 'text/event-stream' } }));
    expect(eventsOf(text).map(data => JSON.parse(data).error.code)).toEqual(['stream_broken']);
  });

  test('that is none is a 502', async () => {
    const { answer } = await send(config, STREAMED);
    expect((await answer(json(COHERE_ANSWER))).response.status).toBe(502);
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
