import { afterAll, afterEach, describe, expect, test } from 'bun:test';
import { gzipSync } from 'node:zlib';
import { OPENAI } from '../support/ai-exchange.ts';
import { aiProxyTo, decorator, destinations, guard, refusedWith, said, send, template } from '../support/prompts.ts';
import { startUpstream } from '../support/upstream.ts';

const upstream = startUpstream();
afterAll(() => upstream.stop());
afterEach(() => upstream.answer({ body: 'ok' }));

const REFUSED = refusedWith('bad request');
const DENY = { deny_patterns: ['hack', 'phish'] };
const ALLOW = { allow_patterns: ['^what is', 'weather'] };
const ALL = { match_all_roles: true };
const LATEST = { allow_all_conversation_history: true };
const INPUT = { genai_category: 'text/embeddings' };

type Said = [role: string, content: unknown];
const chat = (...messages: Said[]) => JSON.stringify({ messages: messages.map(([role, content]) => ({ role, content })) });
const user = (content: unknown) => chat(['user', content]);
const texts = (...parts: string[]) => parts.map(text => ({ type: 'text', text }));
const IMAGE = { type: 'image_url', image_url: { url: 'https://images.test/hack.png' } };

describe('what passes, and what does not', () => {
  test.each<[string, object, string, boolean]>([
    ['what no pattern denies', DENY, user('hello'), true],
    ['what a pattern denies', DENY, user('how to hack'), false],
    ['what another pattern denies', DENY, user('a phish'), false],
    ['case matters', DENY, user('HACK'), true],
    ['unless the pattern says it does not', { deny_patterns: ['(?i)hack'] }, user('HACK'), false],
    ['what a pattern allows', ALLOW, user('what is love'), true],
    ['what no pattern allows', ALLOW, user('hello'), false],
    ['what is both allowed and denied', { ...ALLOW, ...DENY }, user('what is a hack'), false],
    ['what is neither', { ...ALLOW, ...DENY }, user('hello'), false],
    ['a prompt to its end', { allow_patterns: ['^what is this\\?$'] }, user('what is this?'), true],
    ['what stands on several lines', { deny_patterns: ['a.b'] }, user('a\nb'), true],
    ['what stands on several lines, for a pattern that takes them', { deny_patterns: ['(?s)a.b'] }, user('a\nb'), false],
    ['what JSON spells otherwise', DENY, '{"messages":[{"role":"user","content":"h\\u0061ck"}]}', false],
    ['Kong’s documented pattern', { deny_patterns: ['(?i).*bypass.*(login|password|auth).*'] }, user('Bypass the login'), false],

    ['the history', DENY, chat(['user', 'hack'], ['assistant', 'no'], ['user', 'hello']), false],
    ['the history, when it is let pass', { ...DENY, ...LATEST }, chat(['user', 'hack'], ['assistant', 'no'], ['user', 'hello']), true],
    ['the latest message, when the history is let pass', { ...DENY, ...LATEST }, chat(['user', 'hello'], ['user', 'hack']), false],
    ['what the history allows', ALLOW, chat(['user', 'the weather'], ['user', 'and now?']), true],
    [
      'what only the history allows, when it is let pass',
      { ...ALLOW, ...LATEST },
      chat(['user', 'the weather'], ['user', 'and now?']),
      false,
    ],
    ['the newest message first', ALLOW, chat(['user', 'old'], ['user', 'what is new']), true],
    ['messages are words apart', { deny_patterns: ['hack'] }, chat(['user', 'ck'], ['user', 'ha']), true],

    ['what the system says', DENY, chat(['system', 'hack'], ['user', 'hello']), true],
    ['what the system says, when all are looked at', { ...DENY, ...ALL }, chat(['system', 'hack'], ['user', 'hello']), false],
    ['what the assistant says, when all are looked at', { ...DENY, ...ALL }, chat(['assistant', 'hack'], ['user', 'hello']), false],
    ['what a tool says, when all are looked at', { ...DENY, ...ALL }, chat(['tool', 'hack'], ['user', 'hello']), false],
    ['what a role nobody knows says', DENY, chat(['USER', 'hack']), false],
    ['a chat without a user', DENY, chat(['system', 'hack']), true],
    ['a chat without a user, when something must be allowed', ALLOW, chat(['system', 'weather']), false],

    ['a text in parts', DENY, user(texts('hello', 'hack')), false],
    ['a word in parts', DENY, user(texts('ha', 'ck')), false],
    ['a word that ends with its part', { deny_patterns: ['\\bhack\\b'] }, user(texts('my', 'hack')), false],
    ['an allowed text in parts', ALLOW, user(texts('what ', 'is it')), false],
    ['a text in one part', ALLOW, user(texts('what is it')), true],
    ['no parts', ALLOW, user([]), false],

    ['a completion', DENY, '{"prompt":"hello"}', true],
    ['a denied completion', DENY, '{"prompt":"hack"}', false],
    ['an allowed completion', ALLOW, '{"prompt":"what is it"}', true],
    ['several completions', DENY, '{"prompt":["hello","hack"]}', false],
    ['several completions of which one is allowed', ALLOW, '{"prompt":["what is it","hello"]}', false],
    ['several allowed completions', ALLOW, '{"prompt":["what is it","what is this"]}', true],
    ['what comes after a completion', DENY, '{"prompt":"hello","suffix":"hack"}', false],
    ['a prompt beside a chat', DENY, '{"messages":[{"role":"user","content":"hello"}],"prompt":"hack"}', false],

    ['a text to embed', { ...DENY, ...INPUT }, '{"input":"hello"}', true],
    ['a denied text to embed', { ...DENY, ...INPUT }, '{"input":["hello","hack"]}', false],
    ['a text to embed that is not allowed', { ...ALLOW, ...INPUT }, '{"input":["what is it","hello"]}', false],
  ])('%s', async (_, config, body, passes) => {
    expect(await send(upstream, [guard(config)], body)).toMatchObject(passes ? { status: 200, sent: body } : REFUSED);
  });

  const call = { id: 'call_1', type: 'function', function: { name: 'find', arguments: '{"word":"hack"}' } };
  test.each([
    [{ content: null, tool_calls: [call] }, false],
    [{ tool_calls: [{ ...call, function: { name: 'find', arguments: '{}' } }] }, true],
    [{ content: 'hello', refusal: 'hack' }, false],
    [{ content: [{ type: 'refusal', refusal: 'hack' }] }, false],
    [{ content: 'hello', reasoning_content: 'hack' }, false],
  ])('all that an assistant says, when all are looked at: %j', async (message, passes) => {
    const body = JSON.stringify({ messages: [{ role: 'assistant', ...message }] });
    expect(await send(upstream, [guard({ ...DENY, ...ALL })], body)).toMatchObject(passes ? { status: 200 } : REFUSED);
    expect(await send(upstream, [guard(DENY)], body)).toMatchObject({ status: 200 });
  });
});

describe('what nobody can read is refused', () => {
  const deep = `${'['.repeat(5000)}${']'.repeat(5000)}`;
  test.each<[string, object, string]>([
    ['an image', DENY, user([...texts('hello'), IMAGE])],
    ['a sound', DENY, user([{ type: 'input_audio', input_audio: { data: '', format: 'wav' } }])],
    ['a file', DENY, user([{ type: 'file', file: { file_data: 'aGFjaw==' } }])],
    ['a part of no kind', DENY, user(['hack'])],
    ['a part whose text is none', DENY, user([{ type: 'text', text: ['hack'] }])],
    ['no content', DENY, '{"messages":[{"role":"user"}]}'],
    ['content that is null', DENY, user(null)],
    ['content that is a number', DENY, user(7)],
    ['content that is an object', DENY, user({ text: 'hack' })],
    ['a message without a role', DENY, '{"messages":[{"content":"hack"}]}'],
    ['a message whose role is none', DENY, '{"messages":[{"role":["user"],"content":"hack"}]}'],
    ['a message that is none', DENY, '{"messages":["hack"]}'],
    ['no messages', DENY, '{"messages":[]}'],
    ['messages that are a text', DENY, '{"messages":"hack"}'],
    ['messages that are null', DENY, '{"messages":null,"prompt":"hello"}'],
    ['a prompt of tokens', DENY, '{"prompt":[71,81]}'],
    ['no prompt', DENY, '{}'],
    ['no prompt but a text to embed', DENY, '{"input":"hello"}'],
    ['tokens to embed', { ...DENY, ...INPUT }, '{"input":[[1,2]]}'],
    ['nothing to embed', { ...DENY, ...INPUT }, '{"messages":[{"role":"user","content":"hello"}]}'],
    ['an array', DENY, '[]'],
    ['a message that says two things', DENY, '{"messages":[{"role":"user","content":"hack","content":"hello"}]}'],
    ['two lists of messages', DENY, '{"messages":[{"role":"user","content":"hack"}],"messages":[{"role":"user","content":"hello"}]}'],
    ['a call nested without end', { ...DENY, ...ALL }, `{"messages":[{"role":"assistant","tool_calls":${deep}}]}`],
  ])('%s', async (_, config, body) => {
    expect(await send(upstream, [guard(config)], body)).toMatchObject(REFUSED);
  });

  const ONLY_JSON = refusedWith('this LLM route only supports application/json requests');
  test.each(['', '{"messages":', '"hack"', 'null'])('the body %j', async body => {
    expect(await send(upstream, [guard(DENY)], body)).toMatchObject(ONLY_JSON);
  });

  test('a body of another type', async () => {
    expect(await send(upstream, [guard(DENY)], user('hello'), { headers: { 'content-type': 'text/plain' } })).toMatchObject(ONLY_JSON);
  });

  test('a text on which a pattern comes to no end', async () => {
    const body = user(`${'a'.repeat(40)}c hack`);
    const { status, sent } = await send(upstream, [guard({ deny_patterns: ['(a+)+b'] })], body);
    expect({ status, sent }).toEqual({ status: 500, sent: undefined });
  });
});

test('why a prompt is refused stands in the log, for those who debug', async () => {
  await send(upstream, [guard({ deny_patterns: ['secret plan'] })], user('a secret plan'));
  expect(said('debug').at(-1)).toBe('a prompt is refused: its pattern is blocked');
});

test.each([
  [40, 413],
  [1000, 200],
  [0, 200],
])('max_request_body_size of %i', async (max_request_body_size, status) => {
  const plugin = guard({ ...DENY, max_request_body_size });
  const headers = { 'content-type': 'application/json', 'content-encoding': 'gzip' };
  const body = user('hello '.repeat(20));
  for (const answer of [await send(upstream, [plugin], body), await send(upstream, [plugin], gzipSync(body), { headers })]) {
    expect(answer.status).toBe(status);
    if (status === 413) expect(answer).toMatchObject(refusedWith('Payload too large', 413));
  }
});

test('a compressed prompt is looked at, and passes as it came', async () => {
  const headers = { 'content-type': 'application/json', 'content-encoding': 'gzip' };
  expect(await send(upstream, [guard(DENY)], gzipSync(user('hack')), { headers })).toMatchObject(REFUSED);
  const harmless = gzipSync(user('hello'));
  const { arrived } = await send(upstream, [guard(DENY)], harmless, { headers });
  expect(arrived?.header('content-encoding')).toBe('gzip');
  expect(arrived?.body).toEqual(Buffer.from(harmless));
});

describe('together with', () => {
  test.each(destinations(upstream))('%s', async (_, proxy, answer, stream) => {
    upstream.answer(answer);
    const ask = (content: string) =>
      send(upstream, [guard(DENY), proxy], JSON.stringify({ stream, messages: [{ role: 'user', content }] }));
    const { status, text } = await ask('hello');
    expect(status).toBe(200);
    expect(text).toContain(stream ? '[DONE]' : '"2"');
    expect(await ask('hack')).toMatchObject(REFUSED);
  });

  const appended = decorator({ prompts: { append: [{ role: 'user', content: 'what is that' }] } });
  test('a decorator, it looks at what the decorator made', async () => {
    const hint = decorator({ prompts: { prepend: [{ role: 'user', content: 'a hack' }] } });
    expect(await send(upstream, [hint, guard(DENY)], user('hello'))).toMatchObject(REFUSED);
  });

  test('a decorator that adds a message, the latest is still the client’s', async () => {
    expect(await send(upstream, [appended, guard({ ...DENY, ...LATEST })], user('hack'))).toMatchObject(REFUSED);
    expect(await send(upstream, [appended, guard({ ...ALLOW, ...LATEST })], user('hello'))).toMatchObject(REFUSED);
    expect(await send(upstream, [appended, guard({ ...ALLOW, ...LATEST })], user('what is it'))).toMatchObject({ status: 200 });
  });

  test('a template, it looks at what was filled in', async () => {
    const filled = template({ templates: [{ name: 'a', template: '{"messages":[{"role":"user","content":"ha{{end}}"}]}' }] });
    const body = (end: string) => JSON.stringify({ messages: '{template://a}', properties: { end } });
    expect(await send(upstream, [filled, guard(DENY)], body('ck'))).toMatchObject(REFUSED);
    expect(await send(upstream, [filled, guard(DENY)], body('t'))).toMatchObject({ status: 200 });
  });
});

test('together with ai-proxy, completions', async () => {
  upstream.answer({ body: JSON.stringify({ choices: [{ index: 0, text: '2' }] }), headers: { 'content-type': 'application/json' } });
  const proxy = aiProxyTo(upstream, OPENAI, { route_type: 'llm/v1/completions' });
  expect(await send(upstream, [guard(DENY), proxy], '{"prompt":"hack"}')).toMatchObject(REFUSED);
  const { status, sent } = await send(upstream, [guard(DENY), proxy], '{"prompt":"hello"}');
  expect({ status, sent }).toEqual({ status: 200, sent: '{"prompt":"hello","model":"gpt-4"}' });
});

describe('a configuration is refused', () => {
  test.each<[string, object, string]>([
    ['without patterns', {}, "at least one of these fields must be non-empty: 'config.allow_patterns', 'config.deny_patterns'"],
    ['with a pattern that is none', { deny_patterns: ['('] }, 'group is not closed'],
    ['with a pattern that nobody here can match', { allow_patterns: ['(?R)'] }, 'recursion is not supported'],
    ['with 11 patterns', { deny_patterns: Array.from({ length: 11 }, () => 'a') }, 'length must be at most 10'],
    ['with a pattern of 501 characters', { deny_patterns: ['a'.repeat(501)] }, 'length must be at most 500'],
    ['with an empty pattern', { deny_patterns: [''] }, 'length must be at least 1'],
    [
      'that looks at all roles and at the latest message alone',
      { ...DENY, ...ALL, ...LATEST },
      "failed conditional validation given value of field 'config.match_all_roles'",
    ],
    ['with another format of clients', { ...DENY, llm_format: 'anthropic' }, 'expected one of: openai'],
    ['for what is no text', { ...DENY, genai_category: 'audio/speech' }, 'expected one of: text/generation, text/embeddings'],
  ])('%s', (_, config, message) => {
    expect(() => guard(config)).toThrow(message);
  });
});
