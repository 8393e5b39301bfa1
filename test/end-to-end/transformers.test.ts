import { afterAll, beforeAll, expect, setDefaultTimeout, test } from 'bun:test';
import { ANSWER } from '../support/ai-exchange.ts';
import { type RunningGateway, startGateway } from '../support/executable.ts';
import { failedWith, JSON_TYPE, saying } from '../support/transformation.ts';
import { startUpstream } from '../support/upstream.ts';

setDefaultTimeout(20_000);

const shop = startUpstream();
const translator = startUpstream();
const shouter = startUpstream();
let gateway: RunningGateway;

/** As an operator types it after Kong's documentation. */
const plugin = async (name: string, port: number, more: Readonly<Record<string, string>> = {}) => {
  const fields = {
    name,
    'config.prompt': 'Rewrite it.',
    'config.llm.route_type': 'llm/v1/chat',
    'config.llm.auth.header_name': 'Authorization',
    'config.llm.auth.header_value': '{vault://env/model-key}',
    'config.llm.model.provider': 'openai',
    'config.llm.model.name': 'gpt-4',
    'config.llm.model.options.upstream_url': `http://127.0.0.1:${port}/v1/chat/completions`,
    'config.llm.logging.log_statistics': 'true',
    ...more,
  };
  return fetch(`${gateway.admin}/services/shop/plugins`, { method: 'POST', body: new URLSearchParams(fields) });
};

beforeAll(async () => {
  gateway = await startGateway({ environment: { MODEL_KEY: 'Bearer key-of-the-model' } });
  await gateway.request('POST', '/services', { name: 'shop', url: shop.url });
  await gateway.request('POST', '/services/shop/routes', { name: 'shop', paths: ['/shop'] });
  const made = [
    await plugin('ai-request-transformer', translator.port),
    await plugin('ai-response-transformer', shouter.port, { 'config.parse_llm_response_json_instructions': 'true' }),
  ];
  expect(made.map(({ status }) => status)).toEqual([201, 201]);
});
afterAll(async () => {
  await gateway.stop();
  for (const upstream of [shop, translator, shouter]) upstream.stop();
});

test('one model rewrites what the shop is asked, another what it answers', async () => {
  translator.answer(saying('two apples'));
  shop.answer({ headers: { 'content-type': 'text/plain' }, body: 'done' });
  shouter.answer(saying(JSON.stringify({ status: 201, headers: { 'x-said': 'loudly' }, body: 'DONE' })));
  const response = await fetch(`${gateway.proxy}/shop`, { method: 'POST', body: 'zwei Äpfel', headers: { 'content-type': 'text/plain' } });
  expect([response.status, await response.text()]).toEqual([201, 'DONE']);
  expect(response.headers.toJSON()).toMatchObject({ 'x-said': 'loudly', 'content-type': 'text/plain', 'content-length': '4' });
  expect((await shop.received()).text()).toBe('two apples');
  for (const model of [translator, shouter]) expect((await model.received()).header('authorization')).toBe('Bearer key-of-the-model');
  expect((await translator.received()).json()).toMatchObject({ messages: [{ role: 'system' }, { role: 'user', content: 'zwei Äpfel' }] });
});

test('an answer that is lost to a model that fails is logged, and no key is shown', async () => {
  translator.answer(saying('two apples'));
  shop.answer({ headers: { 'content-type': 'text/plain' }, body: 'done' });
  shouter.answer({ status: 401, headers: JSON_TYPE, body: JSON.stringify({ ...ANSWER, error: { message: 'bad key: key-of-the-model' } }) });
  const response = await fetch(`${gateway.proxy}/shop`, { method: 'POST', body: 'zwei Äpfel' });
  const { status } = response;
  expect({ status, text: await response.text() }).toEqual(failedWith('failed to introspect request with AI service: status code 401'));
  expect(await gateway.logged(({ message }) => message.startsWith('the answer of the service is withheld'))).toMatchObject({
    level: 'error',
    status: 200,
    content_type: 'text/plain',
  });
  expect(JSON.stringify(gateway.log)).not.toContain('key-of-the-model');
});

test('what cannot work is refused in Kong’s words', async () => {
  const refused = await plugin('ai-request-transformer', 1, { 'config.llm.route_type': 'llm/v1/completions' });
  expect([refused.status, await refused.json()]).toEqual([
    400,
    expect.objectContaining({
      code: 2,
      message: expect.stringContaining("'config.llm.route_type' must be 'llm/v1/chat' for AI transformer plugins"),
    }),
  ]);
});
