import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'bun:test';
import { join } from 'node:path';
import OpenAI from 'openai';
import type { Match, Plan, Snapshot } from '../../src/gateway/snapshot.ts';
import { aiProxy } from '../../src/plugins/ai-proxy.ts';
import type { Context } from '../../src/plugins/context.ts';
import { listen, type ProxyListener } from '../../src/proxy/listener.ts';
import { createProxy } from '../../src/proxy/proxy.ts';
import { configured, openHost } from '../support/host.ts';
import { noBalancers } from '../support/snapshot.ts';
import { startUpstream, type Upstream } from '../support/upstream.ts';

// The plugin in a real proxy, between a client and a vendor on real connections.

let upstream: Upstream;
let server: ProxyListener;
let plan: Plan;
let logged: PromiseWithResolvers<Context>;

beforeAll(() => {
  const { log } = openHost().host;
  const nothing: Plan = { access: [], response: [], log: [] };
  const snapshot: Snapshot = {
    version: 1,
    enter: () => ({ leave: () => undefined }),
    match: () => ({ target: { route: {}, service: null, plan }, upstreamUrl: null, prefix: '', captures: null }) as unknown as Match,
    unmatched: nothing,
    certificateFor: () => null,
    groupsOf: () => [],
    balancers: noBalancers,
  };
  const options = { trustedIps: [], realIpHeader: 'X-Real-IP', realIpRecursive: false, headers: [], version: '0' };
  server = listen({ hostname: '127.0.0.1', port: 0 }, undefined, createProxy({ gateway: { snapshot }, log, ...options }));
});
afterAll(() => server.stop(true));
beforeEach(() => {
  upstream = startUpstream();
  logged = Promise.withResolvers();
});
afterEach(() => upstream.stop());

const OPENAI = { provider: 'openai', name: 'gpt-4' };
const COHERE = { provider: 'cohere', name: 'command-a-03-2025' };
const EVENTS = { 'content-type': 'text/event-stream' };

function configure(model: { provider: string; name: string }, more: object = {}) {
  const options = { upstream_url: `${upstream.url}/${model === COHERE ? 'v2/chat' : 'v1/chat/completions'}` };
  const auth = { header_name: 'Authorization', header_value: 'Bearer secret-key' };
  const config = { route_type: 'llm/v1/chat', auth, model: { ...model, options }, ...more };
  const phases = configured(aiProxy, config, openHost().host);
  const slot = <Handler>(handler: Handler) => ({ plugin: 'ai-proxy', anyone: handler, byOwner: null });
  plan = {
    access: [slot(phases.access as never)],
    response: [slot(phases.response as never)],
    log: [...(phases.log ? [slot(phases.log)] : []), slot((context: Context) => logged.resolve(context))],
  };
}

const ask = (body: object = {}, init: RequestInit = {}) =>
  fetch(`http://127.0.0.1:${server.port}/chat`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ messages: [{ role: 'user', content: 'hi' }], ...body }),
    ...init,
  });

const openaiChunk = (content: string) => `data: ${JSON.stringify({ model: 'gpt-4', choices: [{ index: 0, delta: { content } }] })}\n\n`;
const cohereChunk = (text: string) => `data: ${JSON.stringify({ type: 'content-delta', delta: { message: { content: { text } } } })}\n\n`;
const COHERE_END = `data: ${JSON.stringify({ type: 'message-end', delta: { finish_reason: 'COMPLETE' } })}\n\n`;
const LOGGING = { logging: { log_statistics: true } };

/** The three ways in which a stream comes through. */
const WAYS: [string, { provider: string; name: string }, object, (text: string) => string][] = [
  ['untouched', OPENAI, {}, openaiChunk],
  ['watched', OPENAI, LOGGING, openaiChunk],
  ['translated', COHERE, {}, cohereChunk],
];

test('an answer comes back with its length, and the vendor saw what it should', async () => {
  configure(COHERE, LOGGING);
  const answer = { id: '1', finish_reason: 'COMPLETE', message: { content: [{ type: 'text', text: '日本' }] } };
  upstream.answer({ headers: { 'content-type': 'application/json', 'set-cookie': 'a=b' }, body: JSON.stringify(answer) });
  const response = await ask(
    {},
    {
      headers: { 'content-type': 'application/json', cookie: 'session', 'content-encoding': 'gzip' },
      body: Bun.gzipSync('{"messages":[{"role":"user","content":"hi"}]}'),
    },
  );
  const text = await response.text();
  expect(JSON.parse(text).choices[0].message.content).toBe('日本');
  expect(response.headers.get('content-length')).toBe(`${Buffer.byteLength(text)}`);
  expect(response.headers.get('set-cookie')).toBeNull();

  const request = await upstream.received();
  expect([request.method, request.target]).toEqual(['POST', '/v2/chat']);
  expect(request.header('host')).toBe(`127.0.0.1:${upstream.port}`);
  expect(request.header('authorization')).toBe('Bearer secret-key');
  expect(request.header('content-encoding')).toBeUndefined();
  expect(request.header('cookie')).toBeUndefined();
  expect(request.json()).toMatchObject({ model: 'command-a-03-2025', messages: [{ role: 'user', content: 'hi' }] });
  const { log } = await logged.promise;
  expect(log).toMatchObject({ ai: { proxy: { meta: { provider_name: 'cohere', request_mode: 'oneshot' } } } });
});

describe.each(WAYS)('a stream that comes through %s', (_, model, more, chunk) => {
  test('is seen chunk by chunk', async () => {
    configure(model, more);
    upstream.answer({ headers: EVENTS, chunks: ['one', 'two', 'three'].map(chunk), gated: true });
    const asked = ask({ stream: true });
    await upstream.release();
    const reader = (await asked).body?.getReader();
    const decoder = new TextDecoder();
    expect(decoder.decode((await reader?.read())?.value)).toContain('one');
    await upstream.release();
    expect(decoder.decode((await reader?.read())?.value)).toContain('two');
    await upstream.release();
    expect(decoder.decode((await reader?.read())?.value)).toContain('three');
  });

  test('is given up when the client leaves while it is silent', async () => {
    configure(model, more);
    upstream.answer({ headers: EVENTS, chunks: [chunk('one')], ending: 'silence' });
    const leaving = new AbortController();
    const response = await ask({ stream: true }, { signal: leaving.signal });
    await response.body?.getReader().read();
    leaving.abort();
    await upstream.closed();
    expect((await logged.promise).outcome.clientLeft).toBe(true);
  });

  test('is given up when the client leaves before it begins', async () => {
    configure(model, more);
    upstream.answer('silence');
    const leaving = new AbortController();
    const asked = ask({ stream: true }, { signal: leaving.signal });
    await upstream.received();
    leaving.abort();
    expect(asked).rejects.toThrow();
    await upstream.closed();
  });

  test.each<['chunked' | 'none', 'close' | 'reset']>([
    ['chunked', 'reset'],
    ['chunked', 'close'],
    ['none', 'close'],
  ])('%s, is no success when the vendor ends it by %s', async (framing, ending) => {
    configure(model, more);
    upstream.answer({ headers: EVENTS, chunks: [chunk('one')], framing, ending });
    const text = await ask({ stream: true })
      .then(response => response.text())
      .catch((error: Error) => `${error.name} instead of an end`);
    expect(text).not.toContain('[DONE]');
    expect(text).toMatch(/broke off|instead of an end/);
  });
});

test('a translated stream that is encoded is decoded as it comes', async () => {
  configure(COHERE);
  const encoded = Bun.gzipSync(cohereChunk('one') + COHERE_END);
  upstream.answer({ headers: { ...EVENTS, 'content-encoding': 'gzip' }, chunks: [encoded.subarray(0, 20), encoded.subarray(20)] });
  const response = await ask({ stream: true });
  expect(response.headers.get('content-encoding')).toBeNull();
  const text = await response.text();
  expect(text).toContain('"content":"one"');
  expect(text).toEndWith('data: [DONE]\n\n');
});

test("a vendor's refusal reaches the client with its Retry-After", async () => {
  configure(OPENAI);
  const body = '{"error":{"message":"slow down","type":"requests","param":null,"code":"rate_limit_exceeded"}}';
  upstream.answer({ status: 429, headers: { 'content-type': 'application/json', 'retry-after': '3' }, body });
  const response = await ask();
  expect([response.status, response.headers.get('retry-after'), await response.text()]).toEqual([429, '3', body]);
});

test.each([OPENAI, COHERE])("a vendor who hangs up is an error in OpenAI's shape, from %o", async model => {
  configure(model);
  upstream.answer('close');
  const response = await ask();
  expect(response.status).toBe(502);
  expect(await response.json()).toMatchObject({ message: expect.any(String), error: { message: expect.any(String), type: 'api_error' } });
});

test('an answer that breaks off while it is translated is an error', async () => {
  configure(COHERE);
  upstream.answer({ headers: { 'content-type': 'application/json' }, chunks: ['{"id":'], ending: 'reset' });
  const response = await ask();
  expect(response.status).toBe(502);
  expect(await response.json()).toMatchObject({ error: { message: 'the answer of the model provider broke off' } });
});

test('a client who leaves while an answer is read is no failure of the vendor', async () => {
  configure(COHERE);
  upstream.answer({ headers: { 'content-type': 'application/json' }, chunks: ['{"id":'], ending: 'silence' });
  const leaving = new AbortController();
  const asked = ask({}, { signal: leaving.signal });
  await upstream.received();
  leaving.abort();
  expect(asked).rejects.toThrow();
  const { outcome } = await logged.promise;
  expect([outcome.clientLeft, outcome.status]).toEqual([true, 499]);
});

test('a call that is preserved keeps its bytes there and back, signed for the vendor', async () => {
  configure(OPENAI, { route_type: 'preserve', model: { provider: 'openai', options: { upstream_url: `${upstream.url}/v1/files` } } });
  const bytes = Uint8Array.of(0xff, 0x00, 0xfe, 0x7b);
  upstream.answer({ headers: { 'content-type': 'application/octet-stream' }, body: bytes });
  const headers = { 'content-type': 'multipart/form-data; boundary=x', 'content-encoding': 'unknown' };
  const response = await ask({}, { headers, body: bytes });
  expect(await response.bytes()).toEqual(bytes);
  const request = await upstream.received();
  expect([request.method, request.target, request.header('content-length')]).toEqual(['POST', '/v1/files', '4']);
  expect(request.header('content-encoding')).toBe('unknown');
  expect(request.header('authorization')).toBe('Bearer secret-key');
  expect(new Uint8Array(request.body)).toEqual(bytes);
});

test('a call without a body is preserved as well', async () => {
  configure(OPENAI, { route_type: 'preserve', model: { provider: 'openai', options: { upstream_url: `${upstream.url}/v1/models` } } });
  upstream.answer({ headers: { 'content-type': 'application/json' }, body: '{"data":[]}' });
  const response = await fetch(`http://127.0.0.1:${server.port}/models`);
  expect(await response.text()).toBe('{"data":[]}');
  expect((await upstream.received()).method).toBe('GET');
});

test('a refused request never reaches the vendor', async () => {
  configure(OPENAI);
  const response = await ask({ model: 'o1' });
  expect(response.status).toBe(400);
  expect(await response.json()).toMatchObject({ error: { message: 'cannot use own model - must be: gpt-4' } });
  expect(upstream.requests).toEqual([]);
});

test("OpenAI's own client puts a translated stream of tool calls together", async () => {
  configure(COHERE);
  const golden = Bun.file(join(import.meta.dir, '../providers/cohere/tool-calls/answer.stream'));
  upstream.answer({ headers: EVENTS, chunks: [await golden.text()] });
  const client = new OpenAI({ baseURL: `http://127.0.0.1:${server.port}`, apiKey: 'clients', maxRetries: 0 });
  const asked = { model: COHERE.name, messages: [{ role: 'user' as const, content: 'weather?' }], stream_options: { include_usage: true } };
  const completion = await client.chat.completions.stream({ ...asked, stream: true }).finalChatCompletion();
  expect(completion.choices[0]).toMatchObject({
    finish_reason: 'tool_calls',
    message: {
      content: 'I will search.',
      tool_calls: [
        { id: 'get_weather_p1t9', type: 'function', function: { name: 'get_weather', arguments: '{\n    "location": "Madrid"\n}' } },
        { id: 'get_weather_ay6n', type: 'function', function: { name: 'get_weather', arguments: '{"location": "Brasília"}' } },
      ],
    },
  });
  expect(completion.usage?.total_tokens).toBe(65);
});
