import { afterAll, describe, expect, test } from 'bun:test';
import type { ChatRequest, Message, Part } from '../../src/chat/chat.ts';
import { RequestFailure } from '../../src/lib/request-failure.ts';
import { aiProxy } from '../../src/plugins/ai-proxy.ts';
import { bedrock } from '../../src/providers/bedrock.ts';
import { validate } from '../../src/schema/validate.ts';
import { chat as config, send } from '../support/ai-exchange.ts';
import { awsMessage } from '../support/aws-messages.ts';
import { isSignedBy } from '../support/aws-signature.ts';
import { startUpstream } from '../support/upstream.ts';

const region = { aws_region: 'eu-west-1' };
const optionsOf = (more: object = {}, own: object = {}) => ({ bedrock: { ...region, ...own }, ...more }) as never;
const modelOf = (options = optionsOf()) => bedrock.model({ name: null, options });
const { chat, completions, embeddings } = modelOf();
if (chat?.dialect !== 'own' || completions?.dialect !== 'own' || embeddings?.dialect !== 'own')
  throw new Error('bedrock has its own dialect');
const { request, response, stream } = chat;

const messages: Message[] = [{ role: 'user', content: 'hi' }];
const CLAUDE = 'anthropic.claude-sonnet-4-5-20250929-v1:0';
const ORIGIN = 'https://bedrock-runtime.eu-west-1.amazonaws.com';
const call = (model: string, stream = false) => ({ model, stream, path: '/model/x/invoke' });

describe('bedrock is called', () => {
  const ARN = 'arn:aws:bedrock:eu-west-1:123456789012:inference-profile/eu.anthropic.claude-sonnet-4-5-20250929-v1:0';
  const escaped = 'arn%3Aaws%3Abedrock%3Aeu-west-1%3A123456789012%3Ainference-profile%2Feu.anthropic.claude-sonnet-4-5-20250929-v1%3A0';

  test.each([
    [CLAUDE, false, `${ORIGIN}/model/anthropic.claude-sonnet-4-5-20250929-v1%3A0/converse`],
    [CLAUDE, true, `${ORIGIN}/model/anthropic.claude-sonnet-4-5-20250929-v1%3A0/converse-stream`],
    [ARN, false, `${ORIGIN}/model/${escaped}/converse`],
    [escaped, false, `${ORIGIN}/model/${escaped}/converse`],
    ['../../x?y#z', false, `${ORIGIN}/model/..%2F..%2Fx%3Fy%23z/converse`],
    ['100%', false, `${ORIGIN}/model/100%25/converse`],
  ])('for the model %s, streamed: %s', (model, streamed, url) => {
    expect(chat.endpoint(call(model, streamed))).toEqual({ url });
  });

  test.each(['..', '.', '%2e%2E'])('never for a model named %s', model => {
    expect(() => chat.endpoint(call(model))).toThrow(RequestFailure);
  });

  test.each<[object, string, string]>([
    [
      { upstream_url: 'https://vpce-1.vpce.test' },
      'https://vpce-1.vpce.test/model/m/converse',
      'https://vpce-1.vpce.test/model/m/converse-stream',
    ],
    [{ upstream_url: 'http://127.0.0.1:1/a/converse' }, 'http://127.0.0.1:1/a/converse', 'http://127.0.0.1:1/a/converse-stream'],
    [{ upstream_url: 'http://127.0.0.1:1/a' }, 'http://127.0.0.1:1/a', 'http://127.0.0.1:1/a'],
    [{ upstream_path: '/a' }, `${ORIGIN}/a`, `${ORIGIN}/a`],
  ])('where %j says', (options, url, streamed) => {
    const elsewhere = modelOf(optionsOf(options)).chat;
    expect(elsewhere?.endpoint(call('m'))).toEqual({ url });
    expect(elsewhere?.endpoint(call('m', true))).toEqual({ url: streamed });
  });

  test('at InvokeModel for embeddings, and at any path when calls are preserved', () => {
    expect(embeddings.endpoint(call('amazon.titan-embed-text-v2:0'))).toEqual({
      url: `${ORIGIN}/model/amazon.titan-embed-text-v2%3A0/invoke`,
    });
    const preserve = modelOf().preserve;
    expect(preserve?.endpoint(call('m'))).toEqual({ url: `${ORIGIN}/model/x/invoke` });
    expect(preserve?.patch?.({ model: 'm', texts: [] })).toEqual({ model: undefined });
  });
});

describe('bedrock is configured as with Kong', () => {
  const configOf = (own: object, auth: object = {}) => ({
    route_type: 'llm/v1/chat',
    auth,
    model: { provider: 'bedrock', name: CLAUDE, options: { bedrock: own } },
    logging: {},
  });

  test.each([
    [configOf(region, { allow_override: true }), 'bedrock and gemini only support auth.allow_override = false'],
    [configOf({ ...region, batch_bucket_prefix: 'a' }), 'jobs of batches and of videos are not supported'],
    [configOf({ ...region, batch_role_arn: 'a' }), 'jobs of batches and of videos are not supported'],
    [configOf({ ...region, video_output_s3_uri: 's3://a' }), 'jobs of batches and of videos are not supported'],
  ])('%j is refused', (given, message) => {
    expect(JSON.stringify(validate(aiProxy.config, given))).toContain(message);
  });

  test.each([
    configOf(region, { aws_access_key_id: '{vault://env/id}', aws_secret_access_key: 'secret' }),
    configOf({
      ...region,
      aws_assume_role_arn: 'arn:aws:iam::1:role/r',
      aws_role_session_name: 's',
      aws_sts_endpoint_url: 'https://sts.test',
    }),
    configOf({ ...region, embeddings_normalize: true, performance_config_latency: 'optimized', batch_role_arn: null }),
  ])('%j is taken', given => {
    expect(validate(aiProxy.config, given)).toHaveProperty('value');
  });

  test('with a key of Bedrock its calls are not signed', () => {
    expect(bedrock.credentials?.({ header_name: 'Authorization' }, { name: null, options: optionsOf() })).toBeNull();
  });
});

describe('bedrock refuses what it would have to leave out', () => {
  const part = (part: object): ChatRequest => ({ messages: [{ role: 'user', content: [part as Part] }] });
  const tool = { type: 'function', function: { name: 'f' } } as const;

  test.each<[ChatRequest, string]>([
    [{ messages, n: 2 }, "'n'"],
    [{ messages, logprobs: true }, "'logprobs'"],
    [{ messages, logit_bias: { 5: 1 } }, "'logit_bias'"],
    [{ messages, presence_penalty: 1 }, "'presence_penalty'"],
    [{ messages, frequency_penalty: -1 }, "'frequency_penalty'"],
    [{ messages, modalities: ['text', 'audio'] }, "'modalities'"],
    [{ messages, verbosity: 'low' }, "'verbosity'"],
    [{ messages, service_tier: 'scale' }, "'service_tier' 'scale'"],
    [{ messages, model: CLAUDE, reasoning_effort: 'utmost' }, "'reasoning_effort' 'utmost'"],
    [{ messages, model: 'amazon.nova-2-lite-v1:0', reasoning_effort: 'constructor' }, "'reasoning_effort' 'constructor'"],
    [{ messages, model: 'meta.llama3', tools: [tool], parallel_tool_calls: false }, "'parallel_tool_calls'"],
    [{ messages, model: CLAUDE, tools: [tool], tool_choice: 'required', parallel_tool_calls: false }, "'parallel_tool_calls'"],
    [{ messages, tools: [{ type: 'custom' } as never] }, "tools of type 'custom'"],
    [{ messages, response_format: { type: 'grammar' } as never }, "'response_format' 'grammar'"],
    [part({ type: 'image_url', image_url: { url: 'https://images.test/a.png' } }), 'data: or s3:// URIs'],
    [part({ type: 'image_url', image_url: { url: 'data:image/tiff;base64,AA' } }), "image of type 'tiff'"],
    [part({ type: 'image_url', image_url: { url: 'data:image/png,%' } }), 'percent-encoded'],
    [part({ type: 'file', file: { file_id: 'file-1' } }), "'file_id'"],
    [part({ type: 'file', file: {} }), "'file_data'"],
    [part({ type: 'file', file: { file_data: 'data:application/constructor;base64,AA' } }), "document of type 'constructor'"],
    [part({ type: 'input_audio', input_audio: { data: '', format: 'midi' } }), "audio of type 'midi'"],
    [part({ type: 'hologram' }), "content of type 'hologram'"],
    [{ messages: [{ role: 'function', content: 'x' } as never] }, "role 'function'"],
    [{ messages: [{ role: 'tool', content: 'x' }], tools: [tool] }, "'tool_call_id'"],
    [{ messages: [{ role: 'user', content: ' ' }] }, "'messages' that say something"],
    [{ messages: [{ role: 'system', content: [{ type: 'file', file: { file_data: 'AA' } }] }] }, 'other than text in system messages'],
  ])('of the chat %j', (given, what) => {
    const ask = () => request(given);
    expect(ask).toThrow(RequestFailure);
    expect(ask).toThrow(what);
  });

  test.each<[object, string]>([
    [{ model: 'amazon.titan-embed-text-v2:0', input: ['a', 'b'] }, 'several texts'],
    [{ model: 'amazon.titan-embed-text-v1', input: 'a', dimensions: 5 }, "'dimensions'"],
    [{ model: 'cohere.embed-english-v3', input: 'a', dimensions: 5 }, "'dimensions'"],
    [{ model: 'cohere.embed-v4:0', input: [1, 2] }, "tokens in 'input'"],
    [{ model: CLAUDE, input: 'a' }, 'no embeddings'],
  ])('of the embeddings %j', (given, what) => {
    expect(() => embeddings.request(given as never)).toThrow(what);
  });
});

describe('a chat that goes on', () => {
  const thought = { type: 'thinking', thinking: 'Hm.', signature: 'abc' };
  const calling = (more: object): Message[] => [
    ...messages,
    { role: 'assistant', content: null, tool_calls: [{ id: 'a', type: 'function', function: { name: 'f', arguments: '' } }], ...more },
    { role: 'tool', tool_call_id: 'a', content: '' },
  ];
  const tools = [{ type: 'function', function: { name: 'f' } }] as ChatRequest['tools'];
  const ask = (messages: Message[]) => JSON.stringify(request({ model: CLAUDE, messages, tools: tools ?? null, reasoning_effort: 'high' }));

  test('thinks on when its thoughts came back, and answers without where the client lost them', () => {
    expect(ask(calling({ thinking_blocks: [thought] }))).toContain('"thinking":{"type":"enabled"');
    expect(ask(calling({}))).not.toContain('"thinking"');
  });

  test('returns what was thought exactly as it came', () => {
    const said = {
      output: {
        message: {
          role: 'assistant',
          content: [{ reasoningContent: { reasoningText: { text: 'Hm.', signature: 'abc' } } }, { text: 'No.' }],
        },
      },
      stopReason: 'end_turn',
    };
    const [choice] = response(said).choices;
    const { messages: again } = request({ model: CLAUDE, messages: [...messages, choice?.message as Message, ...messages] });
    expect(again).toContainEqual(said.output.message);
  });

  // https://github.com/pydantic/pydantic-ai/issues/4495: "A conversation must start with a user message"
  test('begins with the user, also where the assistant said the first word', () => {
    const greeting: Message = { role: 'assistant', content: 'How can I help?' };
    const { messages: sent } = request({ messages: [{ role: 'system', content: 'Be brief.' }, greeting, { role: 'user', content: 'Hi' }] });
    expect(sent).toEqual([
      { role: 'user', content: [{ text: '.' }] },
      { role: 'assistant', content: [{ text: 'How can I help?' }] },
      { role: 'user', content: [{ text: 'Hi' }] },
    ]);
  });

  test('is kept up to where a message says so', () => {
    const cache_control = { type: 'ephemeral', ttl: '1h' };
    const said = (role: Message['role']) => ({ role, content: 'a', cache_control }) as Message;
    const { system, messages: sent } = request({ messages: [said('system'), said('user'), said('assistant'), ...messages] });
    const point = { cachePoint: { type: 'default', ttl: '1h' } };
    expect([system as unknown, sent as unknown]).toEqual([
      [{ text: 'a' }, point],
      [
        { role: 'user', content: [{ text: 'a' }, point] },
        { role: 'assistant', content: [{ text: 'a' }, point] },
        { role: 'user', content: [{ text: 'hi' }] },
      ],
    ]);
  });

  test('with ids that Bedrock refuses has others, the same for a call and its result', () => {
    const long = 'x'.repeat(80);
    const body = JSON.stringify(
      request({ messages: JSON.parse(JSON.stringify(calling({})).replaceAll('"a"', `"${long}"`)), tools: tools ?? null }),
    );
    const ids = [...body.matchAll(/"toolUseId":"([^"]+)"/g)].map(([, id]) => id);
    expect(ids).toHaveLength(2);
    expect(ids[0]).toBe(String(ids[1]));
    expect(ids[0]).toMatch(/^[a-zA-Z0-9_-]{1,64}$/);
  });
});

describe('bedrock claims no success that did not happen', () => {
  const bytes = (...said: object[]) => said.map(awsMessage);
  const eventsOf = (...said: object[]) => {
    const { decode, translate } = stream();
    return bytes(...said).flatMap(message => decode(message).flatMap(translate));
  };
  const hello = [{ messageStart: { role: 'assistant' } }, { contentBlockDelta: { contentBlockIndex: 0, delta: { text: 'Hel' } } }];

  test.each(['malformed_model_output', 'malformed_tool_use'])('when an answer ends in %s', stopReason => {
    expect(() => response({ output: { message: { content: [] } }, stopReason })).toThrow(stopReason);
    const [event] = eventsOf({ messageStop: { stopReason } }, { metadata: {} });
    expect(event).toEqual({ error: { message: `bedrock gave up: ${stopReason}`, type: 'api_error' } });
  });

  test.each([
    ['throttlingException', 'rate_limit_error'],
    ['modelStreamErrorException', 'api_error'],
    ['internalServerException', 'api_error'],
    ['validationException', 'invalid_request_error'],
    ['serviceUnavailableException', 'api_error'],
  ])('when a stream breaks off with %s', (name, type) => {
    const events = eventsOf(...hello, { [name]: { message: 'No more' } });
    expect(events.at(-1)).toEqual({ error: { message: 'No more', type, code: name } });
  });

  test('when a stream ends before it told why', () => {
    expect(eventsOf(...hello).some(({ finish_reason }) => finish_reason !== undefined)).toBe(false);
    expect(eventsOf(...hello, { messageStop: { stopReason: 'end_turn' } }).some(({ finish_reason }) => finish_reason !== undefined)).toBe(
      false,
    );
    expect(eventsOf(...hello, { metadata: {} }).at(-1)?.error?.message).toContain('did not say why');
  });

  test('when an answer is none', () => {
    expect(() => response({ message: 'hi' })).toThrow("'output.message.content' missing");
    expect(() => embeddings.response({})).toThrow('embedding');
  });

  test('and passes over what it does not know', () => {
    expect(eventsOf({ somethingNew: {} }, { contentBlockDelta: { contentBlockIndex: 7, delta: { image: {} } } })).toEqual([]);
  });
});

describe('a call over the wire', () => {
  const upstream = startUpstream();
  afterAll(() => upstream.stop());
  const auth = { aws_access_key_id: 'AKIDEXAMPLE', aws_secret_access_key: 'the-secret-key' };
  const model = {
    provider: 'bedrock',
    name: `arn:aws:bedrock:eu-west-1:1:inference-profile/${CLAUDE}`,
    options: { upstream_url: upstream.url, bedrock: region },
  };
  const ask = (members: object = {}) =>
    send(config({ auth, model }), JSON.stringify({ messages, ...members }), {
      headers: {
        'content-type': 'application/json; charset=utf-8',
        authorization: 'Bearer sk-client',
        'x-amz-security-token': 'client',
        accept: '*/*',
      },
    });

  test('is signed as it arrives, and brings back an answer', async () => {
    upstream.answer({
      headers: { 'content-type': 'application/json' },
      body: '{"output":{"message":{"role":"assistant","content":[{"text":"Ü"}]}},"stopReason":"end_turn"}',
    });
    const exchange = await ask({ messages: [{ role: 'user', content: 'Grüezi' }] });
    const { url, method, headers, body } = exchange.context.upstream;
    const answer = await fetch(url ?? '', { method, headers, body: body as string });
    const [arrived] = upstream.requests;
    const names = Object.fromEntries((arrived?.headers ?? []).map(([name, value]) => [name.toLowerCase(), value]));
    const target = arrived?.target ?? '';
    expect(target).toBe(`/model/${encodeURIComponent(model.name)}/converse`);
    expect(isSignedBy('the-secret-key', { method: 'POST', target, headers: names, body: arrived?.text() ?? '' })).toBe(true);
    const { text } = await exchange.answer(answer);
    expect(JSON.parse(text).choices[0].message.content).toBe('Ü');
  });

  test('streams binary messages as events of OpenAI, and an exception as an error', async () => {
    const said = await Bun.file(`${import.meta.dir}/bedrock/tool-calls/answer.messages.jsonl`).text();
    const stream = Buffer.concat(
      said
        .trim()
        .split('\n')
        .map(line => awsMessage(JSON.parse(line))),
    );
    const headers = { 'content-type': 'application/vnd.amazon.eventstream' };
    const exchange = await ask({ stream: true, stream_options: { include_usage: true } });
    const { response, text } = await exchange.answer(new Response(stream, { headers }));
    expect(response.headers.get('content-type')).toBe('text/event-stream');
    expect(text).toEndWith('data: [DONE]\n\n');

    const cut = await (await ask({ stream: true })).answer(new Response(stream.subarray(0, -10), { headers }));
    expect(cut.text).toContain('stream_broken');
    expect(cut.text).not.toContain('[DONE]');

    const thrown = Buffer.concat([stream.subarray(0, 100), awsMessage({ throttlingException: { message: 'Slow down' } })].slice(1));
    const failed = await (await ask({ stream: true })).answer(new Response(thrown, { headers }));
    expect(failed.text).toContain('"Slow down"');
    expect(failed.text).not.toContain('[DONE]');
  });

  test('shows no secret in an error', async () => {
    const said = { message: 'The canonical string should have been signed with the-secret-key' };
    const { response, text } = await (await ask()).answer(Response.json(said, { status: 403 }));
    expect(response.status).toBe(403);
    expect(text).not.toContain('the-secret-key');
    expect(text).toContain('permission_error');
  });

  test('that cannot be signed answers 502', async () => {
    const { refused } = await send(
      config({
        auth,
        model: {
          ...model,
          options: { bedrock: { ...region, aws_assume_role_arn: 'arn:aws:iam::1:role/r', aws_sts_endpoint_url: 'http://127.0.0.1:1' } },
        },
      }),
      JSON.stringify({ messages }),
    );
    expect(refused?.status).toBe(502);
    expect(await refused?.text()).toContain('the gateway has no AWS credentials');
  });
});

// "#/toolConfig/tools/0/toolSpec/inputSchema/json: extraneous key [definitions] is not permitted"
describe('the schema of a tool for Nova has three members at its top', () => {
  const schema = {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: 'Order',
    type: 'object',
    properties: {
      item: { $ref: '#/$defs/item', description: 'What' },
      list: { type: 'array', items: { $ref: '#/definitions/old' } },
      tree: { $ref: '#/$defs/tree' },
      self: { $ref: '#' },
      note: { type: 'string', default: null },
    },
    required: ['item'],
    additionalProperties: false,
    $defs: {
      item: { type: 'object', properties: { old: { $ref: '#/definitions/old' } } },
      tree: { type: 'object', properties: { parts: { type: 'array', items: { $ref: '#/$defs/tree' } } } },
    },
    definitions: { old: { type: 'string' } },
  };
  const sent = {
    type: 'object',
    properties: {
      item: { type: 'object', properties: { old: { type: 'string' } }, description: 'What' },
      list: { type: 'array', items: { type: 'string' } },
      tree: { type: 'object', properties: { parts: { type: 'array', items: {} } } },
      self: {},
      note: { type: 'string', default: null },
    },
    required: ['item'],
  };
  const specOf = (more: object) => {
    const { toolConfig } = request({ model: 'us.amazon.nova-pro-v1:0', messages, ...more } as ChatRequest);
    return (toolConfig as unknown as { tools: { toolSpec: { inputSchema: { json: object } } }[] }).tools[0]?.toolSpec.inputSchema.json;
  };

  test('of a function', () => {
    expect(specOf({ tools: [{ type: 'function', function: { name: 'f', parameters: schema } }] })).toEqual(sent);
    expect(specOf({ tools: [{ type: 'function', function: { name: 'f' } }] })).toEqual({ type: 'object', properties: {} });
  });

  test('of the answer', () => {
    expect(specOf({ response_format: { type: 'json_schema', json_schema: { name: 'order', schema } } })).toEqual(sent);
  });
});
