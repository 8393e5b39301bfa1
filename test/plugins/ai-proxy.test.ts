import { describe, expect, test } from 'bun:test';
import type { JsonObject } from '../../src/lib/json.ts';
import { aiProxy } from '../../src/plugins/ai-proxy.ts';
import { providers } from '../../src/providers/registry.ts';
import { COHERE, type Config, chat, KEY, OPENAI, QUESTION, send } from '../support/ai-exchange.ts';
import type { Circumstances } from '../support/context.ts';
import { configured, openHost } from '../support/host.ts';

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
    const { context, sentJson } = await send(chat({ model: { ...COHERE, options: { top_p: 0.5, top_k: 7 } } }), QUESTION);
    expect(context.upstream.url).toBe('https://api.cohere.com/v2/chat');
    expect(sentJson()).toEqual({
      model: 'command-a-03-2025',
      messages: [{ role: 'user', content: 'What is 1+1?' }],
      stream: false,
      p: 0.5,
      k: 7,
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
      "members of other types, of a vendor that speaks OpenAI's dialect",
      { model: { provider: 'mistral', name: 'm', options: { mistral_format: 'openai' } } },
      '{"messages":[{"role":"user","content":[null]}]}',
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
  const embeddings = (more: Config) => chat({ route_type: 'llm/v1/embeddings', ...more });
  const preserve = (more: Config) => chat({ route_type: 'preserve', ...more });

  test.each<[Config, string]>([
    [chat({ model: { provider: 'delphi' } }), `provider = "expected one of: ${providers.map(({ name }) => name).join(', ')}"`],
    [
      chat({ route_type: 'realtime/v1/realtime' }),
      'config.route_type: expected one of: llm/v1/chat, llm/v1/completions, llm/v1/embeddings, preserve',
    ],
    [chat({ genai_category: 'audio/speech' }), 'config.genai_category: expected one of: text/generation, text/embeddings'],
    [chat({ genai_category: 'text/embeddings' }), 'genai_category text/embeddings does not fit route_type llm/v1/chat'],
    [withOptions({ top_k: 501 }), 'top_k = "value should be between 0 and 500"'],
    [withOptions({ embeddings_dimensions: 3 }), 'has no effect with route_type llm/v1/chat'],
    [embeddings({ model: { ...OPENAI, options: { top_p: 1 } } }), 'has no effect with route_type llm/v1/embeddings'],
    [preserve({ model: { ...OPENAI, options: { max_tokens: 1 } } }), 'has no effect with route_type preserve'],
    [preserve({ model: { ...OPENAI, model_alias: 'a' } }), 'a body that is preserved keeps its model'],
    [preserve({ auth: { param_name: 'a', param_value: 'b', param_location: 'body' } }), 'a body that is preserved takes no parameter'],
    [preserve({ response_streaming: 'always' }), 'a body that is preserved asks for what it says'],
    [withOptions({ cache_write_cost_list: [{ ttl: 'long', cost: 1 }] }), 'must be a number and a unit, h or m'],
    [withOptions({ context_window_factor: [{ above: '200', input_factor: 1, output_factor: 1 }] }), 'must be a number and a unit, k or m'],
    [withOptions({ cache_read_cost: 1 }), 'needs input_cost as well'],
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
    [withOptions({ azure_instance: 'a' }), 'model.options.azure_instance is for the azure provider only'],
    [withOptions({ bedrock: { aws_region: 'a' } }), 'model.options.bedrock is for the bedrock provider only'],
    [chat({ auth: { azure_use_managed_identity: true } }), 'auth.azure_use_managed_identity is for the azure provider only'],
    [withOptions({ nonsense: null }), 'nonsense = "unknown field"'],
    [chat({ model: { ...OPENAI, name: '$(headers)' } }), "cannot parse expression for field 'model.name'"],
    [chat({ model: { ...OPENAI, name: '$(body.model)' } }), "source 'body' is not supported"],
    [chat({ max_request_body_size: -1 }), 'value must be greater than -1'],
  ])('%j is refused', (config, message) => {
    expect(() => configured(aiProxy, config, openHost().host)).toThrow(message);
  });

  test('what decK writes of other vendors is taken where it asks for nothing', () => {
    const auth = { gcp_use_service_account: false, aws_access_key_id: null, azure_use_managed_identity: false, azure_tenant_id: null };
    const options = { anthropic_version: null, azure_api_version: '2023-05-15', azure_instance: null, gemini: null, bedrock: null };
    const config = chat({ auth, model: { ...OPENAI, options } });
    expect(() => configured(aiProxy, config, openHost().host)).not.toThrow();
  });
});

describe('the gateway’s own credentials stop here, whatever they are called', () => {
  const places = { headers: ['x-team-key', 'authorization'], parameters: ['team'], members: ['team'] };
  const headers = { 'content-type': 'application/json', 'x-team-key': 's3cret', authorization: 's3cret', 'x-other': 'kept' };
  const body = '{"team":"s3cret","messages":[{"role":"user","content":"hi"}]}';

  test.each([
    ['a vendor of the same dialect', chat()],
    ['a vendor of another dialect', chat({ model: COHERE })],
    ['a vendor whose key clients may bring', chat({ auth: { ...KEY, allow_override: true } })],
    ['a vendor that takes no key', chat({ auth: undefined })],
  ])('for %s', async (_, config) => {
    const { context, sent } = await send(config, body, { headers, query: '?team=s3cret&a=1', credentialPlaces: [places] });
    expect([sent(), context.upstream.url, context.upstream.headers].map(part => JSON.stringify(part)).join()).not.toContain('s3cret');
    expect(context.upstream.url).toEndWith('?a=1');
    expect(context.upstream.headers).toMatchObject({ 'x-other': 'kept' });
  });

  test('in a call that is preserved, and in what is logged of any', async () => {
    const logging = { log_payloads: true, log_statistics: true };
    for (const config of [chat({ route_type: 'preserve', model: { provider: 'openai' }, logging }), chat({ logging })]) {
      const { context, answer } = await send(config, body, { headers, credentialPlaces: [places] });
      expect(await context.body.text(0)).toBe('{"messages":[{"role":"user","content":"hi"}]}');
      const { log } = await answer(Response.json({ choices: [] }));
      expect(JSON.stringify(await log())).not.toContain('s3cret');
    }
  });
});
