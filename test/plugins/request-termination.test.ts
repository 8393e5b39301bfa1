import { afterAll, describe, expect, test } from 'bun:test';
import { hostname } from 'node:os';
import { requestTermination } from '../../src/plugins/request-termination.ts';
import { type Asked, openRig } from '../support/behind.ts';
import { configured, NODE_ID, openHost } from '../support/host.ts';

const rig = openRig();
afterAll(rig.close);

const JSON_TYPE = 'application/json; charset=utf-8';

describe('answers', () => {
  test.each<[string, object, number, string | null, string]>([
    ['503 when nobody says otherwise', {}, 503, JSON_TYPE, '{"message":"Service unavailable"}'],
    ['401', { status_code: 401 }, 401, JSON_TYPE, '{"message":"Unauthorized"}'],
    ['404', { status_code: 404 }, 404, JSON_TYPE, '{"message":"Not found"}'],
    ['405', { status_code: 405 }, 405, JSON_TYPE, '{"message":"Method not allowed"}'],
    ['500', { status_code: 500 }, 500, JSON_TYPE, '{"message":"An unexpected error occurred"}'],
    ['502', { status_code: 502 }, 502, JSON_TYPE, '{"message":"Bad Gateway"}'],
    ['a message', { status_code: 403, message: 'So long' }, 403, JSON_TYPE, '{"message":"So long"}'],
    ['no body where there are no words', { status_code: 418 }, 418, null, ''],
    ['no body where the status has none', { status_code: 204, message: 'x' }, 204, JSON_TYPE, ''],
    ['a body', { status_code: 200, body: '<p>é</p>', content_type: 'text/html' }, 200, 'text/html', '<p>é</p>'],
    ['a body without a type', { body: 'closed' }, 503, 'text/plain; charset=utf-8', 'closed'],
  ])('%s', async (_, config, status, type, text) => {
    const got = await rig.ask(requestTermination, config, { method: 'POST', body: 'hello' });
    expect([got.status, got.headers.get('content-type'), got.text]).toEqual([status, type, text]);
    expect(got.sent).toBeUndefined();
  });

  test('HEAD with the length alone', async () => {
    const got = await rig.ask(requestTermination, {}, { method: 'HEAD' });
    expect([got.status, got.text]).toEqual([503, '']);
  });
});

describe('with a trigger', () => {
  test.each<[string, Asked, number]>([
    ['answers where a header has its name', { headers: { 'X-Stop': 'any' } }, 503],
    ['answers where a query argument has its name', { path: '/?x-stop=1' }, 503],
    ['answers where the argument has no value', { path: '/?a=b&x-stop' }, 503],
    ['lets others pass', { path: '/?x-stopped=1', headers: { 'X-Start': '1' } }, 200],
    ['takes names of arguments as they are spelt', { path: '/?X-STOP=1' }, 200],
  ])('%s', async (_, asked, status) => {
    expect((await rig.ask(requestTermination, { trigger: 'x-stop' }, asked)).status).toBe(status);
  });

  test('that can be no header looks at the query alone', async () => {
    expect((await rig.ask(requestTermination, { trigger: 'x stop' })).status).toBe(200);
    expect((await rig.ask(requestTermination, { trigger: 'x stop' }, { path: '/?x+stop=1' })).status).toBe(503);
  });
});

describe('echoes', () => {
  const echo = async (asked: Asked, config = {}) => {
    const { text, status, headers } = await rig.ask(requestTermination, { echo: true, status_code: 200, ...config }, asked);
    expect([status, headers.get('content-type')]).toEqual([200, JSON_TYPE]);
    return JSON.parse(text);
  };

  test('what was asked, and where it came to', async () => {
    const echoed = await echo(
      { path: '/a%20b?x=1&x=2&y', method: 'POST', body: '{"n":1}', headers: { 'content-type': 'application/json', 'x-own': 'v' } },
      { message: 'debug' },
    );
    expect(echoed).toMatchObject({
      message: 'debug',
      kong: { node_id: NODE_ID, worker_pid: process.pid, hostname: hostname() },
      request: {
        scheme: 'http',
        host: '127.0.0.1',
        port: expect.any(Number),
        headers: { 'x-own': 'v', 'content-type': 'application/json' },
        query: { x: ['1', '2'], y: true },
        raw_body: '{"n":1}',
        body: { n: 1 },
        method: 'POST',
        path: '/a%20b',
      },
      matched_route: { id: 'route' },
      matched_service: { id: 'service' },
    });
  });

  test.each<[string, string, string, object]>([
    ['a form', 'application/x-www-form-urlencoded', 'a=1&b=%20', { body: { a: '1', b: ' ' }, raw_body: 'a=1&b=%20' }],
    ['text', 'text/plain', 'hello', { raw_body: 'hello' }],
    ['JSON that is none', 'application/json', '{', { raw_body: '{' }],
  ])('%s', async (_, type, body, wanted) => {
    const { request } = await echo({ method: 'POST', body, headers: { 'content-type': type } });
    expect({ ...(request.body && { body: request.body }), raw_body: request.raw_body }).toEqual(wanted);
  });

  test.each<[string, Asked]>([
    ['no body where there is none', {}],
    ['no body that is too large', { method: 'POST', body: 'x'.repeat(1024 * 1024 + 1) }],
    ['no body that cannot be decoded', { method: 'POST', body: 'x', headers: { 'content-encoding': 'gzip' } }],
  ])('%s', async (_, asked) => {
    const { request } = await echo(asked);
    expect('raw_body' in request || 'body' in request).toBe(false);
  });

  test('nothing of a service that is not there', async () => {
    expect(await echo({ setting: { url: null } })).not.toHaveProperty('matched_service');
  });

  test('only where the trigger is', async () => {
    expect((await rig.ask(requestTermination, { echo: true, trigger: 'x-echo' })).text).toBe('ok');
  });
});

test.each([
  ['a message beside a body', { message: 'a', body: 'b' }, 'message cannot be used with content_type or body'],
  ['a message beside a type', { message: 'a', content_type: 'text/plain' }, 'message cannot be used with content_type or body'],
  ['a type without a body', { content_type: 'text/plain' }, 'content_type requires a body'],
  ['an echo beside a body', { echo: true, body: 'b' }, 'echo cannot be used with content_type and body'],
  ['a status that is none', { status_code: 600 }, 'value should be between 100 and 599'],
  ['a status that ends nothing', { status_code: 100 }, 'an answer that ends a request has a status of 200 at least'],
  ['a type of two lines', { body: 'b', content_type: 'a\r\nb' }, 'not a valid header value'],
  ['a trigger that is no string', { trigger: 1 }, 'expected a string'],
])('refuses %s', (_, config, message) => {
  expect(() => configured(requestTermination, config, openHost().host)).toThrow(message);
});
