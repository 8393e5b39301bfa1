import { afterAll, afterEach, beforeEach, describe, expect, test } from 'bun:test';
import { gzipSync } from 'node:zlib';
import { aiProxy } from '../../src/plugins/ai-proxy.ts';
import { aiRequestTransformer } from '../../src/plugins/ai-request-transformer.ts';
import { startGateway } from '../proxy/gateway.ts';
import { ANSWER, type Config } from '../support/ai-exchange.ts';
import { startConnectProxy } from '../support/connect-proxy.ts';
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
import { startUpstream } from '../support/upstream.ts';
import { script, VENDORS } from '../support/vendors.ts';

const service = startUpstream();
let model = startUpstream();
beforeEach(() => {
  model = startUpstream();
  model.answer(saying('{"say":"HI"}'));
});
afterEach(() => {
  model.stop();
  service.answer({ body: 'ok' });
});
afterAll(() => service.stop());

const transforming = (more: Config = {}, llm: Config = {}, host = openHost()) =>
  configured(aiRequestTransformer, transformer(model, more, llm), host.host);

describe('the model', () => {
  test('is asked by the prompt, with its own key and nothing of the client’s', async () => {
    const headers = { ...JSON_TYPE, authorization: 'Bearer clients', cookie: 'a=b', 'x-clients': '1' };
    await sendThrough(service, [transforming()], { headers });
    const asked = await model.received();
    expect([asked.method, asked.target]).toEqual(['POST', '/v1/chat/completions']);
    expect(asked.json()).toEqual({
      messages: [
        { role: 'system', content: 'Shout it.' },
        { role: 'user', content: '{"say":"hi"}' },
      ],
      stream: false,
      model: 'gpt-4',
    });
    expect(asked.header('authorization')).toBe('Bearer secret-key');
    expect(asked.header('content-type')).toBe('application/json');
    expect([asked.header('cookie'), asked.header('x-clients')]).toEqual([undefined, undefined]);
  });

  test.each(VENDORS.map(vendor => [vendor.name, vendor] as const))('may be one of %s', async (_, vendor) => {
    script(model, vendor, { text: 'HI' });
    const { provider, auth, options } = vendor;
    const { sent } = await sendThrough(service, [
      transforming({}, { auth, model: { provider, name: vendor.model, options: { temperature: 0.5, ...options(model.url) } } }),
    ]);
    expect(sent?.text()).toBe('HI');
    const asked = await model.received();
    const [header, value] = vendor.paidBy;
    expect(asked.header(header)).toMatch(value);
    for (const told of ['Shout it.', '{\\"say\\":\\"hi\\"}', '0.5']) expect(asked.text()).toContain(told);
  });

  test('may be named by the request', async () => {
    const options = { upstream_url: model.url };
    const named = transforming({}, { model: { provider: 'openai', name: '$(headers.x-model)', options } });
    await sendThrough(service, [named], { headers: { ...JSON_TYPE, 'x-model': 'o1' } });
    expect((await model.received()).json()).toMatchObject({ model: 'o1' });
    const { status, text } = await sendThrough(service, [named]);
    expect({ status, text }).toEqual(failedWith("'headers', key 'x-model' was not provided"));
  });

  test.each([
    ['query', '/v1/chat/completions?key=secret', undefined],
    ['body', '/v1/chat/completions', 'secret'],
  ])('takes a key in the %s', async (param_location, target, key) => {
    await sendThrough(service, [transforming({}, { auth: { param_name: 'key', param_value: 'secret', param_location } })]);
    const asked = await model.received();
    expect([asked.target, (asked.json() as { key?: string }).key]).toEqual([target, key]);
  });
});

describe('the service', () => {
  test.each<[string, Record<string, string>, string | Uint8Array<ArrayBuffer>]>([
    ['JSON', JSON_TYPE, '{"say":"hi"}'],
    ['XML', { 'content-type': 'text/xml' }, '<say>hi</say>'],
    ['a form', { 'content-type': 'application/x-www-form-urlencoded' }, 'say=hi'],
    ['text that says nothing of itself', {}, 'häi'],
    ['JSON that is compressed', { ...JSON_TYPE, 'content-encoding': 'gzip' }, gzipSync('{"say":"hi"}')],
  ])('gets what the model makes of %s, its length and headers right', async (_, headers, body) => {
    const { status, sent } = await sendThrough(service, [transforming()], { headers, body });
    expect([status, sent?.text(), sent?.target]).toEqual([200, '{"say":"HI"}', '/orders?x=1']);
    expect([sent?.header('content-length'), sent?.header('content-encoding')]).toEqual(['12', undefined]);
    if (headers['content-type']) expect(sent?.header('content-type')).toBe(headers['content-type']);
  });

  test.each(EXTRACTS)('gets what the pattern %s takes from the answer %j', async (transformation_extract_pattern, said, taken) => {
    model.answer(saying(said));
    const { sent } = await sendThrough(service, [transforming({ transformation_extract_pattern })]);
    expect(sent?.text()).toBe(taken);
  });

  test.each(['GET', 'POST'])('gets a %s without a body as it is, and no model is asked', async method => {
    const { status, sent } = await sendThrough(service, [transforming()], { method, headers: {}, body: null });
    expect([status, sent?.bodyLength, model.requests.length]).toEqual([200, 0, 0]);
  });
});

describe('what does not come to the service', () => {
  test.each(MISHAPS)('is a request whose model %s', async (_, reply, more, message) => {
    model.answer(reply);
    const host = openHost();
    const { status, text, sent, headers } = await sendThrough(service, [transforming(more, {}, host)]);
    expect({ status, text }).toEqual(failedWith(message));
    expect(headers.get('content-type')).toBe('application/json; charset=utf-8');
    expect(sent).toBeUndefined();
    expect(host.said('warn')).toEqual([`a request is not transformed: ${message}`]);
  });

  test('is a request whose model nobody serves', async () => {
    const gone = transforming();
    model.stop();
    const { status, text } = await sendThrough(service, [gone]);
    const message = 'failed to introspect request with AI service: request to ai service failed: request failed: connection refused';
    expect({ status, text }).toEqual(failedWith(message));
  });

  test.each<[string, Config, string | Uint8Array<ArrayBuffer>, Record<string, string>, number, string]>([
    ['larger than it may be', { max_request_body_size: 11 }, '{"say":"hi"}', JSON_TYPE, 413, 'Payload too large'],
    ['binary', {}, new Uint8Array([0xff, 0xd8, 0xff, 0]), { 'content-type': 'image/jpeg' }, 400, 'request body is not text'],
    ['compressed in a way nobody knows', {}, 'x', { 'content-encoding': 'rot13' }, 415, "unknown content encoding 'rot13'"],
  ])('is a body that is %s, and no model is asked', async (_, more, body, headers, code, message) => {
    const { status, text, sent } = await sendThrough(service, [transforming(more)], { headers, body });
    expect({ status, text }).toEqual(failedWith(message, code));
    expect([sent, model.requests.length]).toEqual([undefined, 0]);
  });

  test('is a key of the gateway’s: what a vendor says of one is logged without it, and not shown', async () => {
    model.answer({ status: 401, headers: JSON_TYPE, body: '{"error":{"message":"no such key: secret-key"}}' });
    const host = openHost();
    const { text } = await sendThrough(service, [transforming({}, {}, host)]);
    expect(text).not.toContain('secret-key');
    expect(JSON.stringify(host.lines)).not.toContain('secret-key');
    expect(host.lines).toContainEqual({
      level: 'error',
      message: 'the model refused what it was asked',
      facts: { request_id: expect.any(String), provider: 'openai', status: 401, said: 'no such key: [redacted]' },
    });
  });
});

test('a limit of 0 is none', async () => {
  const body = JSON.stringify('x'.repeat(2_000_000));
  const { sent } = await sendThrough(service, [transforming({ max_request_body_size: 0 })], { body });
  expect(sent?.text()).toBe('{"say":"HI"}');
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

describe('the way to the model', () => {
  test('leads through http_proxy for http', async () => {
    const proxy = startUpstream();
    proxy.answer(saying('BY PROXY'));
    const options = { upstream_url: 'http://model.test/v1/chat' };
    const more = { http_proxy_host: '127.0.0.1', http_proxy_port: proxy.port };
    const { sent } = await sendThrough(service, [transforming(more, { model: { provider: 'openai', name: 'gpt-4', options } })]);
    expect(sent?.text()).toBe('BY PROXY');
    expect((await proxy.received()).target).toBe('http://model.test/v1/chat');
    proxy.stop();
  });

  test('leads through https_proxy for https, and not through http_proxy', async () => {
    const secure = startUpstream({ tls: true });
    secure.answer(saying('BY TUNNEL'));
    using proxy = await startConnectProxy(secure.port);
    const options = { upstream_url: 'https://model.test/v1/chat' };
    const https_proxy_port = Number(new URL(proxy.url).port);
    const more = { https_proxy_host: '127.0.0.1', https_proxy_port, http_proxy_host: '127.0.0.1', http_proxy_port: 1, https_verify: false };
    const { sent } = await sendThrough(service, [transforming(more, { model: { provider: 'openai', name: 'gpt-4', options } })]);
    expect(sent?.text()).toBe('BY TUNNEL');
    expect(proxy.asked).toEqual(['model.test:443']);
    secure.stop();
  });

  test.each([
    [true, 400, 'failed to introspect request with AI service: request to ai service failed: request failed: DEPTH_ZERO_SELF_SIGNED_CERT'],
    [false, 200, 'ok'],
  ])('to a certificate that nobody vouches for, with https_verify %s', async (https_verify, code, said) => {
    const secure = startUpstream({ tls: true });
    secure.answer(saying('HI'));
    const options = { upstream_url: `${secure.url}/v1/chat` };
    const { status, text } = await sendThrough(service, [
      transforming({ https_verify }, { model: { provider: 'openai', name: 'gpt-4', options } }),
    ]);
    expect([status, text]).toEqual([code, code === 200 ? said : JSON.stringify({ error: { message: said } })]);
    secure.stop();
  });
});

describe('the log', () => {
  const logging = { log_statistics: true, log_payloads: true };

  test('says what the model cost, under the name of the plugin', async () => {
    const options = { upstream_url: model.url, input_cost: 100, output_cost: 200 };
    const { ai } = await sendThrough(service, [transforming({}, { logging, model: { provider: 'openai', name: 'gpt-4', options } })]);
    expect(ai).toEqual({
      'ai-request-transformer': {
        meta: {
          plugin_id: 'c4fe',
          provider_name: 'openai',
          request_model: 'gpt-4',
          response_model: 'gpt-4-0613',
          request_mode: 'oneshot',
          llm_latency: expect.any(Number),
        },
        usage: expect.objectContaining({ usage_source: 'provider', prompt_tokens: 10, completion_tokens: 4, total_tokens: 14 }),
        payload: { request: (await model.received()).text().replace(',"model":"gpt-4"', ''), response: saying('{"say":"HI"}').body },
      },
    });
  });

  test('says nothing of it unless it is asked to, nor where no model was asked', async () => {
    expect((await sendThrough(service, [transforming()])).ai).toBeUndefined();
    const { ai } = await sendThrough(service, [transforming({}, { logging })], { headers: {}, body: null });
    expect(ai).toBeUndefined();
  });
});

test.each([
  ['whole', false],
  ['as a stream', true],
])('in front of ai-proxy, which answers %s, it makes the chat that goes to that model', async (_, stream) => {
  const chat = { messages: [{ role: 'user', content: 'Be brief.' }], ...(stream && { stream }) };
  model.answer(saying(JSON.stringify(chat)));
  const events = ['data: {"choices":[{"index":0,"delta":{"content":"2"}}]}\n\n', 'data: [DONE]\n\n'];
  service.answer(
    stream ? { headers: { 'content-type': 'text/event-stream' }, chunks: events } : { headers: JSON_TYPE, body: JSON.stringify(ANSWER) },
  );
  const options = { upstream_url: `${service.url}/chat` };
  const proxy = configured(aiProxy, { route_type: 'llm/v1/chat', model: { provider: 'openai', name: 'gpt-4', options } }, openHost().host);
  const { text, sent } = await sendThrough(service, [transforming(), proxy], {
    body: 'What is one and one? Make it brief.',
    headers: JSON_TYPE,
  });
  expect(sent?.json()).toEqual({ ...chat, model: 'gpt-4' });
  expect(text).toBe(stream ? events.join('') : JSON.stringify(ANSWER));
});

describe('the configuration', () => {
  test.each(REFUSED)('%j with llm %j is refused: %s', (more, llm, message) => {
    expect(() => transforming(more, llm)).toThrow(message);
  });

  test('takes what decK writes out', () => {
    expect(() => transforming(AS_DECK_WRITES, { weight: 100, metadata: null })).not.toThrow();
  });

  test('names the field that cannot work from the top', () => {
    const model = { provider: 'openai', name: 'gpt-4', options: { upstream_url: 'https://model.test/$(headers.x)' } };
    const thrown = thrownBy(() => transforming({}, { model }));
    expect(thrown).toMatchObject({ field: 'llm.model.options.upstream_url', message: 'clients must not choose where their requests go' });
  });
});

function thrownBy(action: () => unknown): unknown {
  try {
    return action();
  } catch (error) {
    return error;
  }
}
