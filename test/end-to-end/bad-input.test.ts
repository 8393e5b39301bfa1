import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from 'bun:test';
import { type RunningGateway, startGateway } from '../support/executable.ts';
import { startUpstream, type Upstream } from '../support/upstream.ts';

setDefaultTimeout(20_000);

let gateway: RunningGateway;
let upstream: Upstream;

const admin = (method: string, path: string, body: string, type = 'application/json') =>
  answerOf(fetch(gateway.admin + path, { method, body, headers: { 'content-type': type } }));
const chat = (path: string, body: string, type = 'application/json') =>
  answerOf(fetch(gateway.proxy + path, { method: 'POST', body, headers: { 'content-type': type } }));

async function answerOf(pending: Promise<Response>) {
  const response = await pending;
  return { status: response.status, body: JSON.parse(await response.text()) as unknown };
}

/** Everything that is configured, as the Admin API lists it. */
async function everything(): Promise<unknown[]> {
  const paths = ['/services', '/routes', '/plugins', '/consumers'];
  return Promise.all(paths.map(async path => (await gateway.request('GET', path)).body));
}

async function aiRoute(name: string, config: object): Promise<void> {
  await gateway.request('POST', '/routes', { name, paths: [`/${name}`] });
  const { status } = await gateway.request('POST', `/routes/${name}/plugins`, { name: 'ai-proxy', config });
  expect(status).toBe(201);
}

beforeAll(async () => {
  gateway = await startGateway();
  upstream = startUpstream();
  const model = (url: string) => ({ provider: 'openai', name: 'gpt-4', options: { upstream_url: url } });
  const openai = { route_type: 'llm/v1/chat', model: model(`${upstream.url}/v1/chat/completions`) };
  await aiRoute('chat', openai);
  await aiRoute('no-stream', { ...openai, response_streaming: 'deny' });
  await aiRoute('small', { ...openai, max_request_body_size: 64 });
  await aiRoute('down', { ...openai, model: model('http://127.0.0.1:9/v1/chat/completions') });
  await gateway.request('POST', '/services', { name: 'taken', url: 'http://localhost:32000' });
});
afterAll(async () => {
  await gateway.stop();
  upstream.stop();
});

describe('the Admin API refuses, says why and changes nothing', () => {
  const route = (fields: object) => JSON.stringify({ name: 'new', paths: ['/new'], ...fields });
  test.each<[string, string, string, string, number, object]>([
    ['an unknown field', 'POST', '/services', '{"url":"http://a","colour":"red"}', 400, { code: 2, fields: { colour: 'unknown field' } }],
    ['a wrong type', 'POST', '/services', '{"host":"a","port":"high"}', 400, { code: 2, fields: { port: 'expected an integer' } }],
    ['a missing field', 'POST', '/services', '{"name":"new"}', 400, { code: 2, fields: { host: 'required field missing' } }],
    ['a name that is taken', 'POST', '/services', '{"name":"taken","url":"http://a"}', 409, { code: 5, fields: { name: 'taken' } }],
    ['a reference that is no UUID', 'POST', '/routes', route({ service: { id: 'x' } }), 400, { code: 2 }],
    ['a reference to nothing', 'POST', '/routes', route({ service: { id: crypto.randomUUID() } }), 400, { code: 4 }],
    ['a bad regular expression', 'POST', '/routes', route({ paths: ['~/a(b'] }), 400, { code: 2 }],
    ['no JSON', 'POST', '/services', '{"name":', 400, { message: 'Cannot parse JSON body' }],
    ['an unknown plugin', 'POST', '/plugins', '{"name":"nonsense"}', 400, { code: 2 }],
    ['a plugin without its configuration', 'POST', '/plugins', '{"name":"ai-proxy"}', 400, { code: 2 }],
    ['an unknown service', 'PATCH', '/services/nobody', '{"port":1}', 404, { message: 'Not found' }],
    ['an unknown path', 'POST', '/nonsense', '{}', 404, { message: 'Not found' }],
    ['an unknown method', 'DELETE', '/services', '', 405, { message: 'Method not allowed' }],
  ])('%s', async (_, method, path, body, status, expected) => {
    const before = await everything();
    expect(await admin(method, path, body)).toMatchObject({ status, body: expected });
    expect(await everything()).toEqual(before);
  });

  test('a type of body that it does not know', async () => {
    const before = await everything();
    expect((await admin('POST', '/services', '<service/>', 'text/xml')).status).toBe(415);
    expect(await everything()).toEqual(before);
  });
});

describe('the AI route refuses without calling the provider', () => {
  const messages = [{ role: 'user', content: 'What is 1+1?' }];
  const said = (fields: object) => JSON.stringify({ messages, ...fields });
  test.each<[string, string, string, string, number, string]>([
    [
      'no JSON',
      '/chat',
      '{"messages":',
      'application/json',
      400,
      'content-type header does not match request body, or bad JSON formatting',
    ],
    ['a wrong content type', '/chat', said({}), 'text/plain', 400, 'content-type header does not match request body'],
    ['no messages', '/chat', '{"temperature":1}', 'application/json', 400, "request body doesn't contain valid prompts"],
    ['another model', '/chat', said({ model: 'gpt-5' }), 'application/json', 400, 'cannot use own model - must be: gpt-4'],
    [
      'a stream where none is allowed',
      '/no-stream',
      said({ stream: true }),
      'application/json',
      400,
      'response streaming is not enabled for this LLM',
    ],
    ['a body that is too large', '/small', said({ user: 'x'.repeat(100) }), 'application/json', 413, 'Payload too large'],
  ])('%s', async (_, path, body, type, status, message) => {
    const calls = upstream.requests.length;
    const answer = await chat(path, body, type);
    expect(answer).toMatchObject({ status, body: { error: { message: expect.stringContaining(message) } } });
    expect(upstream.requests).toHaveLength(calls);
  });

  test('an unknown host or path is nobody’s route', async () => {
    expect(await chat('/nowhere', '{}')).toMatchObject({ status: 404, body: { message: 'no Route matched with those values' } });
  });
});

describe('a provider that fails', () => {
  const body = JSON.stringify({ messages: [{ role: 'user', content: 'Hello' }] });

  test('that is down is a 502', async () => {
    const { status, body: answer } = await chat('/down', body);
    expect([status, typeof (answer as { message?: unknown; error?: unknown }).error]).toEqual([502, 'object']);
  });

  test('that answers HTML is not passed off as a completion', async () => {
    upstream.answer({ headers: { 'content-type': 'text/html' }, body: '<html>Bad gateway</html>' });
    const { status, body: answer } = await chat('/chat', body);
    expect(status).toBe(502);
    expect(answer).toMatchObject({ error: { message: expect.any(String) } });
  });
});
