import { describe, expect, test } from 'bun:test';
import { generateKeyPairSync } from 'node:crypto';
import type { ChatRequest, Message } from '../../src/chat/chat.ts';
import type { CompletionRequest } from '../../src/chat/completion.ts';
import { ConfigurationError } from '../../src/lib/configuration-error.ts';
import { RequestFailure } from '../../src/lib/request-failure.ts';
import { gemini } from '../../src/providers/gemini.ts';
import { chat as chatConfig, json, send, stream } from '../support/ai-exchange.ts';

const VERTEX = {
  api_endpoint: 'us-central1-aiplatform.googleapis.com',
  project_id: 'my-project',
  location_id: 'us-central1',
  endpoint_id: null,
};
const vertex = (more = {}) => ({ gemini: { ...VERTEX, ...more } });
type Options = Parameters<typeof gemini.model>[0]['options'];

function modelOf(options: Options = {}) {
  const { chat, completions, embeddings, preserve } = gemini.model({ name: null, options });
  if (chat?.dialect !== 'own' || completions?.dialect !== 'own' || embeddings?.dialect !== 'own')
    throw new Error('gemini has its own dialect');
  return { chat, completions, embeddings, preserve };
}

const STUDIO = 'https://generativelanguage.googleapis.com/v1beta';
const PUBLISHED = 'https://us-central1-aiplatform.googleapis.com/v1/projects/my-project/locations/us-central1';

describe('a chat goes to', () => {
  test.each<[Options, string, boolean, string]>([
    [{}, 'gemini-2.5-flash', false, `${STUDIO}/models/gemini-2.5-flash:generateContent`],
    [{}, 'gemini-2.5-flash', true, `${STUDIO}/models/gemini-2.5-flash:streamGenerateContent?alt=sse`],
    [{}, 'models/gemini-2.5-flash', false, `${STUDIO}/models/gemini-2.5-flash:generateContent`],
    [{}, 'tunedModels/mine', false, `${STUDIO}/tunedModels/mine:generateContent`],
    [{}, '../../v1/files?a=#b', false, `${STUDIO}/models/..%2F..%2Fv1%2Ffiles%3Fa%3D%23b:generateContent`],
    [{}, 'models/..', false, `${STUDIO}/models/..:generateContent`],
    [{}, '\ud800', false, `${STUDIO}/models/%EF%BF%BD:generateContent`],
    [vertex(), 'gemini-2.5-pro', false, `${PUBLISHED}/publishers/google/models/gemini-2.5-pro:generateContent`],
    [vertex(), 'gemini-2.5-pro', true, `${PUBLISHED}/publishers/google/models/gemini-2.5-pro:streamGenerateContent?alt=sse`],
    [vertex(), 'google/gemini-2.5-pro', false, `${PUBLISHED}/publishers/google/models/gemini-2.5-pro:generateContent`],
    [vertex(), 'publishers/google/models/gemini-2.5-pro', false, `${PUBLISHED}/publishers/google/models/gemini-2.5-pro:generateContent`],
    [vertex(), 'models/gemini-2.5-pro', false, `${PUBLISHED}/publishers/google/models/gemini-2.5-pro:generateContent`],
    [vertex(), 'google/../../x', false, `${PUBLISHED}/publishers/google/models/..%2F..%2Fx:generateContent`],
    [vertex({ endpoint_id: '123' }), 'whatever', true, `${PUBLISHED}/endpoints/123:streamGenerateContent?alt=sse`],
    [{ upstream_url: 'http://127.0.0.1:9/v1/x:generateContent' }, 'm', true, 'http://127.0.0.1:9/v1/x:streamGenerateContent?alt=sse'],
    [
      { upstream_url: 'http://127.0.0.1:9/v1/x:streamGenerateContent?alt=sse' },
      'm',
      false,
      'http://127.0.0.1:9/v1/x:generateContent?alt=sse',
    ],
    [{ upstream_url: 'http://127.0.0.1:9/own' }, 'm', false, 'http://127.0.0.1:9/own'],
    [{ upstream_path: '/proxy/x:generateContent' }, 'm', false, 'https://generativelanguage.googleapis.com/proxy/x:generateContent'],
  ])('%j with the model %s, stream %p: %s', (options, model, streamed, url) => {
    expect(modelOf(options).chat.endpoint({ model, stream: streamed, path: '/' }).url).toBe(url);
  });

  test.each(['claude-sonnet-4', 'mistral-large', 'anthropic/claude-sonnet-4', 'publishers/meta/models/llama-4'])(
    'nowhere for %s',
    model => {
      expect(() => modelOf(vertex()).chat.endpoint({ model, stream: false, path: '/' })).toThrow(RequestFailure);
    },
  );

  test.each(['..', '.', ''])('nowhere in the project %p, which a client may have named', project_id => {
    expect(() => modelOf(vertex({ project_id }))).toThrow(ConfigurationError);
  });
});

describe('embeddings', () => {
  const request = { model: 'gemini-embedding-001', input: ['one', 'two'], dimensions: 2, taskType: 'RETRIEVAL_QUERY', user: 'ann' };

  // https://ai.google.dev/api/embeddings#method:-models.batchembedcontents
  test('of AI Studio are asked for as a batch', () => {
    const { embeddings } = modelOf();
    expect(embeddings.endpoint({ model: 'gemini-embedding-001', stream: false, path: '/' }).url).toBe(
      `${STUDIO}/models/gemini-embedding-001:batchEmbedContents`,
    );
    const shared = { model: 'models/gemini-embedding-001', outputDimensionality: 2, taskType: 'RETRIEVAL_QUERY' };
    expect(embeddings.request(request)).toEqual({
      requests: [
        { ...shared, content: { parts: [{ text: 'one' }] } },
        { ...shared, content: { parts: [{ text: 'two' }] } },
      ],
    });
    expect(
      embeddings.response({ embeddings: [{ values: [0.25, 1] }, { values: [0, -1] }], usageMetadata: { promptTokenCount: 2 } }),
    ).toEqual({
      data: [
        { index: 0, embedding: [0.25, 1] },
        { index: 1, embedding: [0, -1] },
      ],
      usage: { prompt_tokens: 2, total_tokens: 2 },
    });
    expect(embeddings.response({ embeddings: [{ values: [1] }] })).toEqual({ data: [{ index: 0, embedding: [1] }] });
  });

  // https://cloud.google.com/vertex-ai/generative-ai/docs/model-reference/text-embeddings-api
  test('of Vertex AI are predictions', () => {
    const { embeddings } = modelOf(vertex());
    expect(embeddings.endpoint({ model: 'text-embedding-005', stream: false, path: '/' }).url).toBe(
      `${PUBLISHED}/publishers/google/models/text-embedding-005:predict`,
    );
    expect(embeddings.request({ ...request, input: 'one' })).toEqual({
      instances: [{ content: 'one', task_type: 'RETRIEVAL_QUERY' }],
      parameters: { outputDimensionality: 2 },
    });
    const prediction = (token_count: number) => ({ embeddings: { values: [0.5], statistics: { truncated: false, token_count } } });
    expect(embeddings.response({ predictions: [prediction(3), prediction(4)] })).toEqual({
      data: [
        { index: 0, embedding: [0.5] },
        { index: 1, embedding: [0.5] },
      ],
      usage: { prompt_tokens: 7, total_tokens: 7 },
    });
  });

  test.each([{}, vertex()])('take no tokens with %j', options => {
    expect(() => modelOf(options).embeddings.request({ input: [[1, 2]] })).toThrow(RequestFailure);
  });
});

describe('a chat', () => {
  const { chat } = modelOf();
  const contentsOf = (messages: unknown) => chat.request({ model: 'gemini-2.5-flash', messages: messages as Message[] });
  const user = (content: unknown) => ({ role: 'user', content });
  const image = (url: string) => user([{ type: 'image_url', image_url: { url } }]);

  // Each text of nothing is refused: "Unable to submit request because it has an empty text parameter".
  test.each<[string, unknown[], object]>([
    [
      'without its empty texts',
      [
        user(''),
        { role: 'assistant', content: '' },
        user([
          { type: 'text', text: '' },
          { type: 'text', text: 'b' },
        ]),
      ],
      {
        contents: [{ role: 'user', parts: [{ text: 'b' }] }],
      },
    ],
    [
      'without instructions of nothing',
      [{ role: 'system', content: [{ type: 'text', text: '' }] }, user('b')],
      {
        contents: [{ role: 'user', parts: [{ text: 'b' }] }],
      },
    ],
    [
      'of instructions alone',
      [
        { role: 'system', content: 'a' },
        { role: 'developer', content: 'b' },
      ],
      {
        contents: [{ role: 'user', parts: [{ text: 'a' }, { text: 'b' }] }],
      },
    ],
    [
      'with an address in capitals',
      [image('HTTPS://x.test/a.png')],
      {
        contents: [{ role: 'user', parts: [{ fileData: { mimeType: 'image/png', fileUri: 'HTTPS://x.test/a.png' } }] }],
      },
    ],
    [
      'with a type by another name',
      [image('data:image/jpg;base64,AAAA')],
      {
        contents: [{ role: 'user', parts: [{ inlineData: { mimeType: 'image/jpeg', data: 'AAAA' } }] }],
      },
    ],
  ])('is told %s', (_, messages, sent) => {
    expect(contentsOf(messages)).toEqual(sent as never);
  });
});

describe('gemini refuses what it would have to leave out', () => {
  const { chat, completions } = modelOf();
  const messages: ChatRequest['messages'] = [{ role: 'user', content: 'hi' }];
  const says = (...content: unknown[]) => ({ messages: [{ role: 'user', content }] }) as ChatRequest;
  const clock = { type: 'function', function: { name: 'clock' } } as const;
  const called = (id: string, text = '{}'): Message => ({
    role: 'assistant',
    tool_calls: [{ id, type: 'function', function: { name: 'clock', arguments: text } }],
  });

  test.each<[ChatRequest, string]>([
    [{ messages, logit_bias: { 5: 1 } }, "'logit_bias'"],
    [{ messages, tools: [clock], parallel_tool_calls: false }, "'parallel_tool_calls'"],
    [{ messages, modalities: ['text', 'audio'] }, "'modalities'"],
    [{ messages, function_call: { name: 'clock' } }, "'function_call'"],
    [{ messages, functions: [] }, "'functions'"],
    [{ messages, verbosity: 'low' }, "'verbosity'"],
    [{ messages, web_search_options: { user_location: {} } }, "'user_location'"],
    [{ messages, reasoning_effort: 'none', model: 'gemini-3-pro-preview' }, "'reasoning_effort' 'none' with gemini-3-pro-preview"],
    [{ messages, reasoning_effort: 'toString', model: 'gemini-2.5-pro' }, "'reasoning_effort'"],
    [{ messages, tools: [{ type: 'custom' }] } as unknown as ChatRequest, "tools of type 'custom'"],
    [{ messages, tools: [clock], tool_choice: { type: 'custom' } } as unknown as ChatRequest, "'tool_choice' of type 'custom'"],
    [{ messages: [{ role: 'user', content: '' }] }, "'messages' that say something"],
    [{ messages: [{ role: 'function', content: 'hi' }] } as unknown as ChatRequest, "role 'function'"],
    [{ messages: [{ role: 'system', content: [{ type: 'image_url', image_url: { url: 'https://a.test' } }] }] }, "role 'system'"],
    [{ messages: [...messages, called('1', '[1]')] }, "arguments of 'clock'"],
    [{ messages: [...messages, called('1', 'no')] }, "arguments of 'clock'"],
    [{ messages: [...messages, called('1'), { role: 'tool', tool_call_id: '2', content: 'x' }] }, "'tool_call_id'"],
    [says({ type: 'video_url' }), "type 'video_url'"],
    [says({ type: 'image_url', image_url: { url: 'cat.png' } }), "'image_url.url'"],
    [says({ type: 'image_url', image_url: { url: 'data:image/png' } }), "'image_url.url'"],
    [says({ type: 'image_url', image_url: { url: 'data:image/svg+xml,%3Csvg%' } }), 'data URI'],
    [says({ type: 'file', file: { file_id: 'file-abc' } }), "'file.file_id'"],
    [says({ type: 'file', file: { file_data: 'AAAA', filename: 'a.constructor' } }), "'file.filename'"],
  ])('of the chat %j', (request, what) => {
    expect(() => chat.request(request)).toThrow(RequestFailure);
    expect(() => chat.request(request)).toThrow(what);
  });

  test.each<CompletionRequest>([{ prompt: ['a', 'b'] }, { prompt: 'a', suffix: 'z' }])('of the completion %j', request => {
    expect(() => completions.request(request)).toThrow(RequestFailure);
  });
});

describe('gemini claims no success that did not happen', () => {
  const { chat } = modelOf();
  const frame = (data: unknown) => ({ event: 'message', data: JSON.stringify(data) });

  test.each(['MALFORMED_FUNCTION_CALL', 'UNEXPECTED_TOOL_CALL', 'TOO_MANY_TOOL_CALLS'])('when the answer ends in %s', finishReason => {
    const answer = { candidates: [{ content: { parts: [{ text: 'x' }] }, finishReason, finishMessage: 'no such tool' }] };
    expect(() => chat.response(answer)).toThrow(`gemini gave up: ${finishReason}: no such tool`);
    expect(chat.stream().translate(frame(answer))).toEqual([
      { delta: { content: 'x' } },
      { error: { message: `gemini gave up: ${finishReason}: no such tool`, type: 'api_error' } },
    ]);
  });

  test('when there are no candidates and nobody says why', () => {
    expect(() => chat.response({ usageMetadata: { promptTokenCount: 3 } })).toThrow("'candidates' missing");
    expect(chat.stream().translate(frame({}))).toEqual([]);
  });

  test('when an error stands in the stream', () => {
    const error = { code: 503, message: 'The model is overloaded.', status: 'UNAVAILABLE' };
    expect(chat.stream().translate(frame({ error }))).toEqual([{ error: { message: 'The model is overloaded.', code: 'UNAVAILABLE' } }]);
  });

  test('more than once, when every chunk names the reason', () => {
    const { translate } = chat.stream();
    const chunk = (text: string) => frame({ candidates: [{ content: { parts: [{ text }] }, finishReason: 'STOP' }] });
    expect([...translate(chunk('a')), ...translate(chunk(''))].filter(event => event.finish_reason !== undefined)).toHaveLength(1);
  });
});

// https://cloud.google.com/vertex-ai/generative-ai/docs/partner-models/claude/use-claude
describe('Claude on Vertex AI', () => {
  const { chat, embeddings } = gemini.model({ name: 'claude-sonnet-4-5@20250929', options: vertex() });
  if (chat?.dialect !== 'own') throw new Error('claude has its own dialect');

  test.each([
    [false, 'rawPredict'],
    [true, 'streamRawPredict'],
  ])('is called at its publisher, stream %p', (streamed, method) => {
    const { url } = chat.endpoint({ model: 'claude-sonnet-4-5@20250929', stream: streamed, path: '/' });
    expect(url).toBe(`${PUBLISHED}/publishers/anthropic/models/claude-sonnet-4-5%4020250929:${method}`);
  });

  test('is asked in the dialect of Anthropic, the model left to the URL', () => {
    const body = chat.request({
      model: 'claude-sonnet-4-5@20250929',
      messages: [{ role: 'user', content: 'hi' }],
      max_tokens: 9,
      stream: true,
    });
    expect(body).toMatchObject({ anthropic_version: 'vertex-2023-10-16', max_tokens: 9, stream: true });
    expect(body).toHaveProperty('messages');
    expect(body).not.toHaveProperty('model');
  });

  test('has no embeddings', () => {
    expect(embeddings).toBeUndefined();
  });
});

test('several candidates of a stream keep their index, their calls and their end apart', () => {
  const { translate } = modelOf().chat.stream();
  const call = { functionCall: { name: 'clock', args: { zone: 'UTC' } } };
  const candidates = [
    { content: { parts: [{ text: 'a' }] }, finishReason: 'STOP' },
    { index: 1, content: { parts: [call] }, finishReason: 'STOP' },
  ];
  expect(translate({ event: 'message', data: JSON.stringify({ candidates, responseId: 'r' }) })).toEqual([
    { id: 'r', delta: { content: 'a' } },
    { finish_reason: 'stop' },
    {
      index: 1,
      delta: { tool_calls: [{ index: 0, id: 'call_r_1_0', type: 'function', function: { name: 'clock', arguments: '{"zone":"UTC"}' } }] },
    },
    { index: 1, finish_reason: 'tool_calls' },
  ]);
});

test('an answer comes back as Gemini gave it, signatures and ids included', () => {
  const { chat } = modelOf();
  const parts = [
    { text: 'Let me see.' },
    { functionCall: { id: 'a-1', name: 'clock', args: { zone: 'UTC' } }, thoughtSignature: 'ab+/cd==' },
    { functionCall: { id: 'a-2', name: 'clock', args: {} } },
  ];
  const { choices } = chat.response({ candidates: [{ content: { parts }, finishReason: 'STOP' }], responseId: 'r' });
  const [choice] = choices;
  if (choice === undefined) throw new Error('no choice');
  const { contents } = chat.request({ model: 'gemini-3-pro-preview', messages: [{ role: 'user', content: 'Time?' }, choice.message] });
  expect(contents).toEqual([
    { role: 'user', parts: [{ text: 'Time?' }] },
    { role: 'model', parts },
  ]);
});

describe('through ai-proxy', () => {
  const GEMINI = { provider: 'gemini', name: 'gemini-2.5-flash' };
  const asked = '{"messages":[{"role":"user","content":"hi"}]}';
  const streamed = '{"messages":[{"role":"user","content":"hi"}],"stream":true}';
  const header = { header_name: 'x-goog-api-key', header_value: 'the-studio-key' };

  test('the key goes in a header', async () => {
    const { context } = await send(chatConfig({ model: GEMINI, auth: header }), asked);
    expect(context.upstream.url).toBe(`${STUDIO}/models/gemini-2.5-flash:generateContent`);
    expect(context.upstream.headers).toMatchObject({ 'x-goog-api-key': 'the-studio-key' });
  });

  test('the key goes in the query, beside what makes a stream', async () => {
    const auth = { param_name: 'key', param_value: 'the-studio-key', param_location: 'query' };
    const { context } = await send(chatConfig({ model: GEMINI, auth }), streamed, { query: '?alt=json' });
    expect(context.upstream.url).toBe(`${STUDIO}/models/gemini-2.5-flash:streamGenerateContent?alt=sse&key=the-studio-key`);
  });

  test('a service account gets its token where the configuration says, and shows it to nobody', async () => {
    const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const key = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
    const google = Bun.serve({
      port: 0,
      hostname: '127.0.0.1',
      fetch: () => Response.json({ access_token: 'the-token', expires_in: 3600 }),
    });
    const auth = {
      gcp_use_service_account: true,
      gcp_service_account_json: JSON.stringify({ client_email: 'a@b.test', private_key: key }),
      gcp_oauth_token_url: `http://127.0.0.1:${google.port}/token`,
    };
    const { context, answer } = await send(chatConfig({ model: { ...GEMINI, options: vertex() }, auth }), asked);
    google.stop(true);
    expect(context.upstream.url).toBe(`${PUBLISHED}/publishers/google/models/gemini-2.5-flash:generateContent`);
    expect(context.upstream.headers).toMatchObject({ authorization: 'Bearer the-token' });

    const error = { code: 403, message: 'Permission denied for the-token', status: 'PERMISSION_DENIED' };
    const { response, text } = await answer(json({ error }, { status: 403 }));
    expect(response.status).toBe(403);
    expect(JSON.parse(text)).toEqual({
      error: { message: 'Permission denied for [redacted]', type: 'permission_error', param: null, code: 'PERMISSION_DENIED' },
    });
  });

  test('a stream that breaks off is no success', async () => {
    const { answer } = await send(chatConfig({ model: GEMINI, auth: header }), streamed);
    const { text } = await answer(stream('data: {"candidates":[{"content":{"parts":[{"text":"hal"}]}}]}\r\n\r\n'));
    expect(text).toContain('"content":"hal"');
    expect(text).toContain('stream_broken');
    expect(text).not.toContain('[DONE]');
  });

  test.each<[object, object, string]>([
    [
      { options: { gemini: { ...VERTEX, project_id: null } } },
      header,
      "all or none of these fields must be set: 'api_endpoint', 'project_id', 'location_id'",
    ],
    [{ options: { gemini: { ...VERTEX, api_endpoint: '$(headers.host)' } } }, header, 'must be a host name'],
    [{ options: { gemini: { ...VERTEX, api_endpoint: 'https://x.test/y' } } }, header, 'must be a host name'],
    [{}, { ...header, allow_override: true }, 'bedrock and gemini only support auth.allow_override = false'],
    [{ provider: 'cohere', options: { gemini: VERTEX } }, header, 'model.options.gemini is for the gemini provider only'],
    [{ provider: 'cohere' }, { ...header, gcp_use_service_account: true }, 'auth.gcp_use_service_account is for the gemini provider only'],
    [{}, { gcp_use_service_account: true, gcp_service_account_json: '{}' }, "has no 'client_email' and 'private_key'"],
  ])('the model %j with %j is refused', (model, auth, message) => {
    expect(send(chatConfig({ model: { ...GEMINI, ...model }, auth }), asked)).rejects.toThrow(message);
  });

  test('a configuration without a key is taken: the client may bring one', async () => {
    const { context } = await send(chatConfig({ model: GEMINI, auth: {} }), asked, {
      headers: { 'content-type': 'application/json', 'x-goog-api-key': 'the client' },
    });
    expect(context.upstream.headers).toMatchObject({ 'x-goog-api-key': 'the client' });
  });

  test('a preserved call goes where the client says, with the key', async () => {
    const body = '{"contents":[]}';
    const { context } = await send({ route_type: 'preserve', auth: header, model: GEMINI }, body, {
      path: '/v1beta/models/m:countTokens',
    });
    expect(context.upstream.url).toBe(`${STUDIO}/models/m:countTokens`);
    expect(context.upstream.headers).toMatchObject({ 'x-goog-api-key': 'the-studio-key' });
  });
});
