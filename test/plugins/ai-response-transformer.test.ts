import { afterAll, afterEach, beforeEach, describe, expect, test } from 'bun:test';
import { brotliCompressSync, gzipSync, zstdCompressSync } from 'node:zlib';
import { aiProxy } from '../../src/plugins/ai-proxy.ts';
import { aiRequestTransformer } from '../../src/plugins/ai-request-transformer.ts';
import { aiResponseTransformer } from '../../src/plugins/ai-response-transformer.ts';
import { startGateway } from '../proxy/gateway.ts';
import { ANSWER, COHERE_ANSWER, type Config } from '../support/ai-exchange.ts';
import { configured, openHost } from '../support/host.ts';
import {
  AS_DECK_WRITES,
  EXTRACTS,
  failedWith,
  JSON_TYPE,
  MISHAPS,
  REFUSED,
  saying,
  sendThrough,
  transformer,
} from '../support/transformation.ts';
import { type Answer, startUpstream } from '../support/upstream.ts';

const service = startUpstream();
let model = startUpstream();
beforeEach(() => {
  model = startUpstream();
  model.answer(saying('HELLO'));
  service.answer({ headers: { 'content-type': 'text/plain', 'x-services': '1', etag: '"1"' }, body: 'hello' });
});
afterEach(() => model.stop());
afterAll(() => service.stop());

const transforming = (more: Config = {}, llm: Config = {}, host = openHost()) =>
  configured(aiResponseTransformer, transformer(model, more, llm), host.host);
const asked = async () => ((await model.received()).json() as { messages: { content: string }[] }).messages[1]?.content;

describe('the client', () => {
  test('gets what the model makes of the answer, with its status and headers, and the right length', async () => {
    service.answer({ status: 203, headers: { 'content-type': 'text/plain', 'x-services': '1', etag: '"1"' }, body: 'hello there' });
    const { status, text, headers, sent } = await sendThrough(service, [transforming()]);
    expect([status, text]).toEqual([203, 'HELLO']);
    expect(headers.toJSON()).toMatchObject({ 'content-type': 'text/plain', 'x-services': '1', 'content-length': '5' });
    expect(headers.get('etag')).toBeNull();
    expect(await asked()).toBe('hello there');
    expect(sent?.text()).toBe('{"say":"hi"}');
  });

  test.each<[string, Answer]>([
    ['gzip', { headers: { 'content-encoding': 'gzip' }, body: gzipSync('hello') }],
    ['br', { headers: { 'content-encoding': 'br' }, body: brotliCompressSync('hello') }],
    ['zstd', { headers: { 'content-encoding': 'zstd' }, body: zstdCompressSync('hello') }],
    ['chunks', { chunks: ['hel', 'lo'] }],
    ['nothing but the end of the connection', { chunks: ['hello'], framing: 'none' }],
    ['an error', { status: 503, body: 'hello' }],
    ['a stream of events', { headers: { 'content-type': 'text/event-stream' }, chunks: ['hel', 'lo'] }],
  ])('gets it when the service answers with %s', async (_, answer) => {
    service.answer(answer);
    const { status, text, headers } = await sendThrough(service, [transforming()]);
    expect([status, text, headers.get('content-length'), headers.get('content-encoding')]).toEqual([
      answer.status ?? 200,
      'HELLO',
      '5',
      null,
    ]);
    expect(await asked()).toBe('hello');
  });

  test.each<[string, string, Answer, number]>([
    ['without a body', 'POST', { status: 204 }, 204],
    ['of no length', 'POST', { body: '' }, 200],
    ['of no chunks', 'POST', { chunks: [], framing: 'chunked' }, 200],
    ['to HEAD', 'HEAD', { headers: { 'content-length': '5' } }, 200],
    ['that nothing changed', 'GET', { status: 304 }, 304],
  ])('gets an answer %s as it is, and no model is asked', async (_, method, answer, code) => {
    service.answer(answer);
    const { status, text } = await sendThrough(service, [transforming()], { method, ...(method !== 'POST' && { body: null }) });
    expect([status, text, model.requests.length]).toEqual([code, '', 0]);
  });

  test('gets what the gateway itself says of a service that does not answer', async () => {
    service.answer('close');
    const { status, text } = await sendThrough(service, [transforming()]);
    expect([status, JSON.parse(text).message]).toEqual([502, 'An invalid response was received from the upstream server']);
    expect(model.requests.length).toBe(0);
  });

  test('gets what another plugin answers before the service is asked', async () => {
    const early = { access: () => new Response('early', { status: 401 }) };
    const { status, text } = await sendThrough(service, [early, transforming()]);
    expect([status, text, model.requests.length]).toEqual([401, 'early', 0]);
  });

  test.each(EXTRACTS)('gets what the pattern %s takes from %j', async (transformation_extract_pattern, said, taken) => {
    model.answer(saying(said));
    expect((await sendThrough(service, [transforming({ transformation_extract_pattern })])).text).toBe(taken);
  });

  test('gets what a model in a dialect of its own makes of it', async () => {
    model.answer({ headers: JSON_TYPE, body: JSON.stringify(COHERE_ANSWER) });
    const options = { upstream_url: `${model.url}/v2/chat` };
    const cohere = transforming({}, { model: { provider: 'cohere', name: 'command-a-03-2025', options } });
    expect((await sendThrough(service, [cohere])).text).toBe('2');
  });
});

describe('instructions of the model', () => {
  const instructed = async (instructions: string) => {
    model.answer(saying(instructions));
    return sendThrough(service, [transforming({ parse_llm_response_json_instructions: true })]);
  };

  test.each<[string, object, number, string, Record<string, string | null>]>([
    [
      'status, headers and body',
      { status: 209, headers: { 'content-type': 'application/xml', 'x-services': '2', 'x-n': 7 }, body: '<a>ä</a>' },
      209,
      '<a>ä</a>',
      { 'content-type': 'application/xml', 'x-services': '2', 'x-n': '7', 'content-length': '9' },
    ],
    ['a body alone', { body: 'HELLO' }, 200, 'HELLO', { 'content-type': 'text/plain', 'x-services': '1', 'content-length': '5' }],
    [
      'a body that is JSON',
      { body: { a: 1 } },
      200,
      '{"a":1}',
      { 'content-type': 'application/json; charset=utf-8', 'content-length': '7' },
    ],
    ['JSON of a type of its own', { headers: { 'Content-Type': 'a/b' }, body: [1] }, 200, '[1]', { 'content-type': 'a/b' }],
    ['no body', { status: 201, say: 1 }, 201, '{"status":201,"say":1}', { 'content-type': 'application/json; charset=utf-8' }],
    ['a list', [1, 2], 200, '[1,2]', { 'x-services': '1' }],
    ['a status that has no body', { status: 204, body: 'HELLO' }, 204, '', { 'x-services': '1', 'content-length': null }],
    [
      'how a body is sent, which is not theirs to say',
      { headers: { 'Content-Length': '1', 'transfer-encoding': 'chunked', 'content-encoding': 'gzip' }, body: 'HELLO' },
      200,
      'HELLO',
      { 'content-length': '5', 'content-encoding': null },
    ],
    ['a header twice', { headers: { 'set-cookie': ['a=1', 'b=2'] }, body: '' }, 200, '', { 'set-cookie': 'a=1, b=2' }],
  ])('may say %s', async (_, instructions, code, body, wanted) => {
    const { status, text, headers } = await instructed(JSON.stringify(instructions));
    expect([status, text]).toEqual([code, body]);
    expect(Object.fromEntries(Object.keys(wanted).map(name => [name, headers.get(name)]))).toEqual(wanted);
  });

  test.each([
    ['Sure! {"body":"HELLO"}', 'it is not JSON'],
    ['', 'it is not JSON'],
    ['"HELLO"', 'input not table or string'],
    ['null', 'input not table or string'],
    ['{"status":"209"}', 'status must be a number between 200 and 599'],
    ['{"status":99}', 'status must be a number between 200 and 599'],
    ['{"headers":"none"}', 'headers must be an object'],
    ['{"headers":{"x":{}}}', 'header x must be text'],
    ['{"headers":{"x y":"1"}}', 'no HTTP header can have this name and value: x y'],
    ['{"headers":{"x":"1\\n2"}}', 'no HTTP header can have this name and value: x'],
  ])('that say %s are refused: %s', async (instructions, reason) => {
    const { status, text } = await instructed(instructions);
    expect({ status, text }).toEqual(failedWith(`failed to parse JSON response instructions from AI backend: ${reason}`, 500));
  });

  test('are taken out of what the model says around them', async () => {
    model.answer(saying('Here you are:\n{"body":"HELLO"}\nAnything else?'));
    const more = { parse_llm_response_json_instructions: true, transformation_extract_pattern: '\\{.*\\}' };
    expect((await sendThrough(service, [transforming(more)])).text).toBe('HELLO');
  });
});

describe('an answer of the service that is lost is logged', () => {
  const withheld = (message: string) => ({
    level: 'error' as const,
    message: `the answer of the service is withheld, it could not be transformed: ${message}`,
    facts: { request_id: expect.any(String), status: 201, content_type: 'text/plain' },
  });

  test.each(MISHAPS)('when the model %s', async (_, reply, more, message) => {
    service.answer({ status: 201, headers: { 'content-type': 'text/plain', 'x-services': '1' }, body: 'hello' });
    model.answer(reply);
    const host = openHost();
    const { status, text, headers } = await sendThrough(service, [transforming(more, {}, host)]);
    expect({ status, text }).toEqual(failedWith(message));
    expect(headers.get('x-services')).toBeNull();
    expect(host.lines).toContainEqual(withheld(message));
  });

  test.each<[string, Answer, string]>([
    ['binary', { body: new Uint8Array([0xff, 0xd8, 0xff]) }, 'it is not text'],
    ['too large', { body: 'x'.repeat(16 * 1024 * 1024 + 1) }, 'it is too large'],
    [
      'large only when decoded',
      { headers: [['content-encoding', 'gzip']], body: gzipSync('x'.repeat(16 * 1024 * 1024 + 1)) },
      'decoded body is too large',
    ],
    ['in an unknown encoding', { headers: [['content-encoding', 'rot13']], body: 'x' }, "unknown content encoding 'rot13'"],
    ['not what its encoding says', { headers: [['content-encoding', 'gzip']], body: 'hello' }, 'body is not gzip: incorrect header check'],
  ])('when it is %s, and no model is asked', async (_, answer, reason) => {
    const { headers = [] } = answer as { headers?: [string, string][] };
    service.answer({ ...answer, status: 201, headers: [['content-type', 'text/plain'], ...headers] });
    const host = openHost();
    const { status, text } = await sendThrough(service, [transforming({}, {}, host)]);
    const message = `failed to read the answer of the service: ${reason}`;
    expect({ status, text }).toEqual(failedWith(message, 500));
    expect(host.lines).toEqual([withheld(message)]);
    expect(model.requests.length).toBe(0);
  });
});

test('an answer that breaks off is not taken for a short one', async () => {
  service.answer({ headers: { 'content-type': 'text/plain' }, chunks: ['hel'], framing: 'chunked', ending: 'reset' });
  const { status } = await sendThrough(service, [transforming()]);
  expect([status, model.requests.length]).toEqual([502, 0]);
});

test('a request may be as large as max_request_body_size, and of any kind', async () => {
  const body = new Uint8Array([0xff, 0xfe, 0, 1]);
  const { text, sent } = await sendThrough(service, [transforming({ max_request_body_size: 4 })], { headers: {}, body });
  expect([text, sent?.body]).toEqual(['HELLO', Buffer.from(body)]);
  const { status, ...larger } = await sendThrough(service, [transforming({ max_request_body_size: 3 })], { headers: {}, body });
  expect({ status, text: larger.text }).toEqual(failedWith('Payload too large', 413));
  expect((await sendThrough(service, [transforming({ max_request_body_size: 0 })], { headers: {}, body })).text).toBe('HELLO');
});

test('a client that leaves ends the call of the model', async () => {
  model.answer('silence');
  using gateway = startGateway({ url: service.url, plugins: [transforming()] });
  const abort = new AbortController();
  const pending = fetch(gateway.url, { method: 'POST', body: 'hi', signal: abort.signal }).catch((error: Error) => error.name);
  await model.received();
  abort.abort();
  expect(await pending).toBe('AbortError');
  await model.closed();
});

test('the log says what the model cost, under the name of the plugin', async () => {
  const { ai } = await sendThrough(service, [transforming({}, { logging: { log_statistics: true } })]);
  expect(ai).toEqual({
    'ai-response-transformer': {
      meta: expect.objectContaining({ provider_name: 'openai', request_model: 'gpt-4', response_model: 'gpt-4-0613' }),
      usage: expect.objectContaining({ prompt_tokens: 10, completion_tokens: 4 }),
    },
  });
});

describe('with the other plugins', () => {
  const logging = { log_statistics: true };
  const proxied = () => {
    const options = { upstream_url: `${service.url}/chat` };
    return configured(
      aiProxy,
      { route_type: 'llm/v1/chat', logging, model: { provider: 'cohere', name: 'command-a-03-2025', options } },
      openHost().host,
    );
  };
  const chat = (stream: boolean) => JSON.stringify({ messages: [{ role: 'user', content: 'Add.' }], stream });
  const EVENTS = [
    '{"type":"message-start","id":"c"}',
    '{"type":"content-delta","delta":{"message":{"content":{"text":"2"}}}}',
    '{"type":"message-end","delta":{"finish_reason":"COMPLETE"}}',
  ].map(data => `data: ${data}\n\n`);

  test('it rewrites what ai-proxy made of the answer of a model', async () => {
    service.answer({ headers: JSON_TYPE, body: JSON.stringify(COHERE_ANSWER) });
    const { text, ai } = await sendThrough(service, [proxied(), transforming({}, { logging })], { body: chat(false) });
    expect(text).toBe('HELLO');
    expect(JSON.parse((await asked()) ?? '')).toMatchObject({ object: 'chat.completion', choices: [{ message: { content: '2' } }] });
    expect(Object.keys(ai as object).sort()).toEqual(['ai-response-transformer', 'proxy']);
  });

  test('what ai-proxy answers for OpenAI is what the model is shown', async () => {
    const options = { upstream_url: `${service.url}/chat` };
    const proxy = configured(
      aiProxy,
      { route_type: 'llm/v1/chat', model: { provider: 'openai', name: 'gpt-4', options } },
      openHost().host,
    );
    service.answer({ headers: JSON_TYPE, body: JSON.stringify(ANSWER) });
    const { text } = await sendThrough(service, [proxy, transforming()], { body: '{"messages":[{"role":"user","content":"Add."}]}' });
    expect([text, await asked()]).toEqual(['HELLO', JSON.stringify(ANSWER)]);
  });

  test('it reads the stream of ai-proxy to its end, and says what the model makes of that', async () => {
    service.answer({ headers: { 'content-type': 'text/event-stream' }, chunks: EVENTS });
    model.answer(saying('data: {"choices":[]}\n\ndata: [DONE]\n\n'));
    const { text, headers } = await sendThrough(service, [proxied(), transforming()], { body: chat(true) });
    expect([text, headers.get('content-type')]).toEqual(['data: {"choices":[]}\n\ndata: [DONE]\n\n', 'text/event-stream']);
    expect(await asked()).toMatch(/^data: \{"id":"c",[\s\S]*"content":"2"[\s\S]*\n\ndata: \[DONE\]\n\n$/);
  });

  test('a stream of ai-proxy that breaks off is an error, not an answer to rewrite', async () => {
    service.answer({ headers: { 'content-type': 'text/event-stream' }, chunks: EVENTS.slice(0, 2) });
    const { status, text } = await sendThrough(service, [proxied(), transforming()], { body: chat(true) });
    expect({ status, text }).toEqual(failedWith('failed to read the answer of the service: its stream broke off', 500));
    expect(model.requests.length).toBe(0);
  });

  test('one model makes the request, one answers it, one makes the response', async () => {
    const first = startUpstream();
    first.answer(saying(chat(false)));
    service.answer({ headers: JSON_TYPE, body: JSON.stringify(COHERE_ANSWER) });
    const before = configured(aiRequestTransformer, transformer(first, { prompt: 'Make it a chat.' }, { logging }), openHost().host);
    const { text, sent, ai } = await sendThrough(service, [before, proxied(), transforming({}, { logging })], { body: 'Add.' });
    expect(text).toBe('HELLO');
    expect(sent?.json()).toMatchObject({ model: 'command-a-03-2025', messages: [{ role: 'user', content: 'Add.' }] });
    expect(Object.keys(ai as object).sort()).toEqual(['ai-request-transformer', 'ai-response-transformer', 'proxy']);
    first.stop();
  });

  test('a request that is refused before is answered as it was refused', async () => {
    const first = startUpstream();
    first.answer({ status: 500 });
    const before = configured(aiRequestTransformer, transformer(first), openHost().host);
    const { status, text } = await sendThrough(service, [before, transforming()]);
    expect({ status, text }).toEqual(failedWith('failed to introspect request with AI service: status code 500'));
    expect(model.requests.length).toBe(0);
    first.stop();
  });
});

describe('the configuration', () => {
  test.each(REFUSED)('%j with llm %j is refused: %s', (more, llm, message) => {
    expect(() => transforming(more, llm)).toThrow(message);
  });

  test('takes what decK writes out', () => {
    const more = { ...AS_DECK_WRITES, parse_llm_response_json_instructions: false };
    expect(() => transforming(more, { weight: 100, metadata: null })).not.toThrow();
  });
});
