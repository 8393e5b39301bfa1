import { afterAll, afterEach, describe, expect, test } from 'bun:test';
import { gzipSync } from 'node:zlib';
import { decorator, destinations, refusedWith, send } from '../support/prompts.ts';
import { startUpstream } from '../support/upstream.ts';

const upstream = startUpstream();
afterAll(() => upstream.stop());
afterEach(() => upstream.answer({ body: 'ok' }));

const SYSTEM = { role: 'system', content: 'Be "brief".\n' };
const ASSISTANT = { role: 'assistant', content: 'I am.' };
const USER = { role: 'user', content: 'Thanks.' };
const QUESTION = '{"messages":[{"role":"user","content":"1+1?"}]}';

describe('messages are added', () => {
  test.each<[string, object, string, string]>([
    [
      'before those of the client, in their order',
      { prepend: [SYSTEM, ASSISTANT] },
      QUESTION,
      `{"messages":[${JSON.stringify(SYSTEM)},${JSON.stringify(ASSISTANT)},{"role":"user","content":"1+1?"}]}`,
    ],
    [
      'after them',
      { append: [ASSISTANT, USER] },
      QUESTION,
      `{"messages":[{"role":"user","content":"1+1?"},${JSON.stringify(ASSISTANT)},${JSON.stringify(USER)}]}`,
    ],
    [
      'on both sides, every other byte as it came',
      { prepend: [SYSTEM], append: [USER] },
      '{ "n": 1.0, "messages" :\n[ {"content":"\\u0031","x":1e2, "role":"user"}, {"role":"tool"} ] , "z": {"messages":[1]} }',
      `{ "n": 1.0, "messages" :\n[${JSON.stringify(SYSTEM)}, {"content":"\\u0031","x":1e2, "role":"user"}, {"role":"tool"} ,${JSON.stringify(USER)}] , "z": {"messages":[1]} }`,
    ],
    [
      'to the messages that a parser would take',
      { prepend: [USER] },
      '{"messages":[{"role":"user","content":"a"}],"messages":[{"role":"user","content":"b"}]}',
      `{"messages":[${JSON.stringify(USER)},{"role":"user","content":"b"}]}`,
    ],
    [
      'as the system when no role is said',
      { prepend: [{ content: 'a' }] },
      '{"messages":[{}]}',
      '{"messages":[{"role":"system","content":"a"},{}]}',
    ],
  ])('%s', async (_, prompts, body, expected) => {
    expect(await send(upstream, [decorator({ prompts })], body)).toMatchObject({ status: 200, sent: expected });
  });
});

describe('what is refused', () => {
  const ONLY_CHAT = 'this LLM route only supports llm/chat type requests';
  const ONLY_JSON = 'this LLM route only supports application/json requests';
  test.each([
    ['a completion', '{"prompt":"1+1?"}', ONLY_CHAT],
    ['no messages', '{"messages":[]}', ONLY_CHAT],
    ['messages that are a text', '{"messages":"hello"}', ONLY_CHAT],
    ['messages that are an object', '{"messages":{"1":{}}}', ONLY_CHAT],
    ['an array', '[]', ONLY_CHAT],
    ['JSON that does not parse', '{"messages":[{}]', ONLY_JSON],
    ['an empty body', '', ONLY_JSON],
  ])('%s', async (_, body, message) => {
    expect(await send(upstream, [decorator({ prompts: { prepend: [SYSTEM] } })], body)).toMatchObject(refusedWith(message));
  });

  test('a body of another type', async () => {
    const form = { headers: { 'content-type': 'application/x-www-form-urlencoded' } };
    expect(await send(upstream, [decorator({ prompts: { prepend: [SYSTEM] } })], QUESTION, form)).toMatchObject(refusedWith(ONLY_JSON));
  });
});

test.each([
  [40, 413],
  [1000, 200],
  [0, 200],
])('max_request_body_size of %i', async (max_request_body_size, status) => {
  const plugin = decorator({ prompts: { append: [USER] }, max_request_body_size });
  const answer = await send(upstream, [plugin], QUESTION);
  expect(answer.status).toBe(status);
  if (status === 413) expect(answer).toMatchObject(refusedWith('Payload too large', 413));
});

test('a compressed request is sent on decorated and plain', async () => {
  const headers = { 'content-type': 'application/json', 'content-encoding': 'gzip' };
  const { arrived } = await send(upstream, [decorator({ prompts: { append: [USER] } })], gzipSync(QUESTION), { headers });
  expect(arrived?.header('content-encoding')).toBeUndefined();
  expect(arrived?.header('content-length')).toBe(`${arrived?.bodyLength}`);
  expect(JSON.parse(arrived?.text() ?? '').messages).toEqual([{ role: 'user', content: '1+1?' }, USER]);
});

test.each(destinations(upstream))('together with %s', async (_, proxy, answer, stream) => {
  upstream.answer(answer);
  const body = JSON.stringify({ stream, messages: [{ role: 'user', content: '1+1?' }] });
  const { status, text, sent } = await send(upstream, [decorator({ prompts: { prepend: [SYSTEM], append: [USER] } }), proxy], body);
  expect(status).toBe(200);
  expect(text).toContain(stream ? '[DONE]' : '"2"');
  expect(JSON.parse(sent ?? '')).toMatchObject({ stream, messages: [SYSTEM, { role: 'user', content: '1+1?' }, USER] });
});

describe('a configuration is refused', () => {
  const many = (count: number) => Array.from({ length: count }, () => USER);
  test.each<[string, object, string]>([
    ['without prompts', {}, 'at least one'],
    [
      'with neither prepend nor append',
      { prompts: {} },
      "at least one of these fields must be non-empty: 'config.prompts.prepend', 'config.prompts.append'",
    ],
    ['with 16 messages', { prompts: { prepend: many(16) } }, 'length must be at most 15'],
    ['with none to add', { prompts: { prepend: [], append: [] } }, 'at least one'],
    ['with an unknown role', { prompts: { append: [{ role: 'tool', content: 'a' }] } }, 'expected one of: system, assistant, user'],
    ['with an empty message', { prompts: { append: [{ content: '' }] } }, 'length must be at least 1'],
    [
      'with a message of more than 100000 characters',
      { prompts: { append: [{ content: 'a'.repeat(100_001) }] } },
      'length must be at most 100000',
    ],
    ['with another format of clients', { prompts: { append: [USER] }, llm_format: 'gemini' }, 'expected one of: openai'],
    ['with a negative max_request_body_size', { prompts: { append: [USER] }, max_request_body_size: -1 }, 'value must be greater than -1'],
  ])('%s', (_, config, message) => {
    expect(() => decorator(config)).toThrow(message);
  });

  test('but not with 15 messages of 100000 characters', () => {
    expect(() => decorator({ prompts: { append: many(15).map(message => ({ ...message, content: 'a'.repeat(100_000) })) } })).not.toThrow();
  });
});
