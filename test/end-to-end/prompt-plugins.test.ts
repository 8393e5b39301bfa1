import { afterAll, beforeAll, expect, setDefaultTimeout, test } from 'bun:test';
import OpenAI from 'openai';
import { ANSWER } from '../support/ai-exchange.ts';
import { type RunningGateway, startGateway } from '../support/executable.ts';
import { startUpstream } from '../support/upstream.ts';

setDefaultTimeout(20_000);

const upstream = startUpstream();
let gateway: RunningGateway;
let client: OpenAI;

const TEMPLATE = '{"messages":[{"role":"user","content":"Explain {{thing}}."}],"stream":{{stream}}}';
const RULE = { role: 'system', content: 'Be brief.' };
const json = { 'content-type': 'application/json' };
const chunk = (choice: object) =>
  `data: ${JSON.stringify({ ...ANSWER, object: 'chat.completion.chunk', usage: null, choices: [{ index: 0, ...choice }] })}\n\n`;

beforeAll(async () => {
  gateway = await startGateway();
  const created = async (path: string, body: object) => expect((await gateway.request('POST', path, body)).status).toBe(201);
  await created('/services', { name: 'models', url: 'http://localhost:9' });
  await created('/services/models/routes', { name: 'chat', paths: ['/chat'] });
  const plugin = (name: string, config: object) => created('/routes/chat/plugins', { name, config });
  await plugin('ai-prompt-guard', { deny_patterns: ['(?i)secret'] });
  await plugin('ai-proxy', {
    route_type: 'llm/v1/chat',
    auth: { header_name: 'Authorization', header_value: 'Bearer key' },
    model: { provider: 'openai', name: 'gpt-4', options: { upstream_url: `${upstream.url}/v1/chat/completions` } },
  });
  await plugin('ai-prompt-decorator', { prompts: { prepend: [RULE] } });
  await plugin('ai-prompt-template', { templates: [{ name: 'explain', template: TEMPLATE }] });
  client = new OpenAI({ baseURL: `${gateway.proxy}/chat`, apiKey: 'clients', maxRetries: 0 });
});
afterAll(async () => {
  await gateway.stop();
  upstream.stop();
});

/** The messages of a templated request, as the client's library would pass them. */
const templated = (thing: string, stream: boolean) =>
  ({ model: 'gpt-4', messages: '{template://explain}', properties: { thing, stream: `${stream}` } }) as unknown as {
    model: string;
    messages: [];
  };

test('a template is filled in, decorated, looked at and answered by the model', async () => {
  upstream.answer({ headers: json, body: JSON.stringify(ANSWER) });
  const answer = await client.chat.completions.create(templated('"gravity"', false));
  expect(answer.choices[0]?.message.content).toBe('2');
  expect(JSON.parse(upstream.requests.at(-1)?.text() ?? '')).toEqual({
    model: 'gpt-4',
    stream: false,
    messages: [RULE, { role: 'user', content: 'Explain "gravity".' }],
  });
});

test('a template may ask for a stream', async () => {
  const chunks = [chunk({ delta: { role: 'assistant', content: '2' } }), chunk({ delta: {}, finish_reason: 'stop' }), 'data: [DONE]\n\n'];
  upstream.answer({ headers: { 'content-type': 'text/event-stream' }, framing: 'chunked', chunks });
  let text = '';
  for await (const { choices } of await client.chat.completions.create({ ...templated('gravity', true), stream: true })) {
    text += choices[0]?.delta.content ?? '';
  }
  expect(text).toBe('2');
  expect(JSON.parse(upstream.requests.at(-1)?.text() ?? '')).toMatchObject({ stream: true });
});

test.each(['the Secret', 'secret', '"}],"x":"secret'])('what a client fills in is looked at: %s', async thing => {
  const before = upstream.requests.length;
  const failure = await client.chat.completions.create(templated(thing, false)).catch((error: unknown) => error);
  expect(failure).toBeInstanceOf(OpenAI.BadRequestError);
  expect(failure).toMatchObject({ status: 400, error: { message: 'bad request' } });
  expect(upstream.requests.length).toBe(before);
});

test('a template that cannot work is refused when it is configured', async () => {
  const { status, body } = await gateway.request('POST', '/services/models/plugins', {
    name: 'ai-prompt-template',
    config: { templates: [{ name: 'bad', template: 'Explain {{thing}}' }] },
  });
  expect(status).toBe(400);
  expect(JSON.stringify(body)).toContain('not a JSON object whose variables stand in strings or for values');
});
