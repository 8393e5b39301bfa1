import { afterAll, beforeAll, beforeEach, describe, expect, setDefaultTimeout, test } from 'bun:test';
import OpenAI from 'openai';
import { type RunningGateway, startGateway } from '../support/executable.ts';
import { startUpstream, type Upstream } from '../support/upstream.ts';

setDefaultTimeout(20_000);

let upstream: Upstream;
let gateway: RunningGateway;
let client: OpenAI;

const messages = [{ role: 'user' as const, content: 'What is 1+1?' }];
const json = { 'content-type': 'application/json' };
const answer = {
  id: 'chatcmpl-1',
  object: 'chat.completion',
  created: 1_700_000_000,
  model: 'gpt-4-0613',
  choices: [{ index: 0, message: { role: 'assistant', content: 'Two.', refusal: null }, logprobs: null, finish_reason: 'stop' }],
  usage: { prompt_tokens: 8, completion_tokens: 2, total_tokens: 10 },
};
const chunk = (delta: object, finish_reason: string | null = null) =>
  `data: ${JSON.stringify({ id: 'chatcmpl-1', object: 'chat.completion.chunk', created: 1, model: 'gpt-4-0613', choices: [{ index: 0, delta, finish_reason }] })}\n\n`;
const chunks = [
  chunk({ role: 'assistant', content: '' }),
  chunk({ content: 'One' }),
  chunk({ content: ' and' }),
  chunk({ content: ' one' }),
];
const ending = [chunk({}, 'stop'), 'data: [DONE]\n\n'];
const stream = { headers: { 'content-type': 'text/event-stream' }, framing: 'chunked' as const };

beforeAll(async () => {
  gateway = await startGateway();
});
afterAll(async () => {
  await gateway.stop();
});

beforeEach(async () => {
  upstream = startUpstream();
  const route = `chat-${crypto.randomUUID()}`;
  const model = { provider: 'openai', name: 'gpt-4', options: { upstream_url: `${upstream.url}/v1/chat/completions` } };
  const config = { route_type: 'llm/v1/chat', auth: { header_name: 'Authorization', header_value: 'Bearer the-gateways-key' }, model };
  const made = [
    await gateway.request('POST', '/routes', { name: route, paths: [`/${route}`] }),
    await gateway.request('POST', `/routes/${route}/plugins`, { name: 'ai-proxy', config }),
  ];
  expect(made.map(({ status }) => status)).toEqual([201, 201]);
  client = new OpenAI({ apiKey: 'the-clients-key', baseURL: `${gateway.proxy}/${route}`, maxRetries: 0 });
  return () => upstream.stop();
});

test('create answers what the provider answered, paid with the key of the gateway', async () => {
  upstream.answer({ headers: json, body: JSON.stringify(answer) });
  const completion = await client.chat.completions.create({ model: 'gpt-4', messages });
  expect(completion).toMatchObject(answer);
  const request = await upstream.received();
  expect(request.header('authorization')).toBe('Bearer the-gateways-key');
  expect(request.json()).toMatchObject({ model: 'gpt-4', messages });
});

test('a streamed answer arrives chunk by chunk: each is seen before the provider sends the next', async () => {
  upstream.answer({ ...stream, chunks: [...chunks, ...ending], gated: true });
  const pending = client.chat.completions.create({ model: 'gpt-4', messages, stream: true });
  await upstream.release();
  const events = (await pending)[Symbol.asyncIterator]();
  const next = async () => (await events.next()).value?.choices[0]?.delta.content;
  const seen = [await next()];
  for (const _ of chunks.slice(1)) {
    await upstream.release();
    seen.push(await next());
  }
  expect(seen).toEqual(['', 'One', ' and', ' one']);
  await upstream.release(ending.length);
  expect((await events.next()).value?.choices[0]?.finish_reason).toBe('stop');
  expect((await events.next()).done).toBe(true);
});

test('a client that leaves in mid-stream closes the connection to the provider', async () => {
  upstream.answer({ ...stream, chunks, gated: true, ending: 'silence' });
  const pending = client.chat.completions.create({ model: 'gpt-4', messages, stream: true });
  await upstream.release();
  const streamed = await pending;
  streamed.controller.abort();
  // The provider says nothing more: without that it would stay open until the end of the test.
  await upstream.closed();
});

test('a client that leaves before the answer closes the connection to the provider', async () => {
  upstream.answer('silence');
  const abort = new AbortController();
  const pending = client.chat.completions.create({ model: 'gpt-4', messages }, { signal: abort.signal }).catch((thrown: unknown) => thrown);
  await upstream.received();
  abort.abort();
  expect(await pending).toBeInstanceOf(OpenAI.APIUserAbortError);
  await upstream.closed();
});

describe("the provider's refusals reach the client as they are", () => {
  const refusal = (message: string, code: string) => JSON.stringify({ error: { message, type: 'requests', param: null, code } });
  test.each([
    [401, OpenAI.AuthenticationError, 'invalid_api_key', {}],
    [429, OpenAI.RateLimitError, 'rate_limit_exceeded', { 'retry-after': '17' }],
    [500, OpenAI.InternalServerError, 'server_error', {}],
  ])('%i', async (status, kind, code, headers) => {
    upstream.answer({ status, headers: { ...json, ...headers }, body: refusal('not now', code) });
    const error = await client.chat.completions.create({ model: 'gpt-4', messages }).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(kind);
    const { status: seen, code: seenCode, headers: seenHeaders } = error as InstanceType<typeof OpenAI.APIError>;
    expect([seen, seenCode]).toEqual([status, code]);
    for (const [name, value] of Object.entries(headers)) expect(seenHeaders?.get(name)).toBe(value);
  });
});

test('a connection that is reset in mid-stream is an error, not a short answer', async () => {
  upstream.answer({ ...stream, chunks, ending: 'reset' });
  const read = async () => {
    let text = '';
    for await (const event of await client.chat.completions.create({ model: 'gpt-4', messages, stream: true })) {
      text += event.choices[0]?.delta.content ?? '';
    }
    return text;
  };
  expect(await read().catch((thrown: unknown) => thrown)).toBeInstanceOf(Error);
});

test('a stream that just ends, without its last event, is an error too', async () => {
  upstream.answer({ ...stream, framing: 'none', chunks, ending: 'close' });
  const read = async () => {
    const events = [];
    for await (const event of await client.chat.completions.create({ model: 'gpt-4', messages, stream: true })) events.push(event);
    return events;
  };
  expect(await read().catch((thrown: unknown) => thrown)).toBeInstanceOf(Error);
});
