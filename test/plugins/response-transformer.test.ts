import { afterAll, describe, expect, test } from 'bun:test';
import { gzipSync } from 'node:zlib';
import { responseTransformer } from '../../src/plugins/response-transformer.ts';
import { startGateway } from '../proxy/gateway.ts';
import { openRig } from '../support/behind.ts';
import { configured, openHost } from '../support/host.ts';
import type { Answer } from '../support/upstream.ts';

const rig = openRig();
afterAll(rig.close);

const ask = (config: object, reply: Answer) => rig.ask(responseTransformer, config, { reply });
const json = (body: string, type = 'application/json'): Answer => ({ headers: { 'content-type': type }, body });

describe('headers', () => {
  test.each<[string, object, Record<string, string>, Record<string, string | null>]>([
    ['are removed', { remove: { headers: ['X-A', 'X-C'] } }, { 'x-a': '1', 'x-b': '2' }, { 'x-a': null, 'x-b': '2' }],
    ['are removed by what stands before a colon', { remove: { headers: ['x-a:1'] } }, { 'x-a': '1' }, { 'x-a': null }],
    ['are renamed', { rename: { headers: ['X-A:X-B', 'X-C:X-D'] } }, { 'x-a': '1', 'x-b': '2' }, { 'x-a': null, 'x-b': '1', 'x-d': null }],
    ['renamed to themselves stay', { rename: { headers: ['X-A:x-a'] } }, { 'x-a': '1' }, { 'x-a': '1' }],
    ['are replaced where they are', { replace: { headers: ['X-A:9', 'X-C:9'] } }, { 'x-a': '1' }, { 'x-a': '9', 'x-c': null }],
    ['are added where they are not', { add: { headers: ['X-A:9', 'X-C:a:b'] } }, { 'x-a': '1' }, { 'x-a': '1', 'x-c': 'a:b' }],
    ['are appended', { append: { headers: ['X-A:9', 'X-A:8', 'X-C:9'] } }, { 'x-a': '1' }, { 'x-a': '1, 9, 8', 'x-c': '9' }],
    ['removed are not added, as in Kong', { remove: { headers: ['x-a'] }, add: { headers: ['x-a:9'] } }, { 'x-a': '1' }, { 'x-a': null }],
    ['removed are replaced, as in Kong', { remove: { headers: ['x-a'] }, replace: { headers: ['x-a:9'] } }, { 'x-a': '1' }, { 'x-a': '9' }],
    [
      'removed are renamed, as in Kong',
      { remove: { headers: ['x-a'] }, rename: { headers: ['x-a:x-b'] } },
      { 'x-a': '1' },
      { 'x-a': null, 'x-b': '1' },
    ],
    ['are in UTF-8', { add: { headers: ['X-A:é'] } }, {}, { 'x-a': Buffer.from('é').toString('latin1') }],
  ])('%s', async (_, config, headers, wanted) => {
    const got = await ask(config, { headers, body: 'ok' });
    expect(got.text).toBe('ok');
    for (const [name, value] of Object.entries(wanted)) expect([name, got.headers.get(name)]).toEqual([name, value]);
  });

  test('that come more than once stay apart', async () => {
    const reply = {
      headers: [
        ['set-cookie', 'a=1'],
        ['set-cookie', 'b=2'],
      ] as [string, string][],
      body: 'ok',
    };
    const appended = await ask({ append: { headers: ['Set-Cookie:c=3'] } }, reply);
    expect(appended.headers.getSetCookie()).toEqual(['a=1', 'b=2', 'c=3']);
    const renamed = await ask({ rename: { headers: ['Set-Cookie:X-Cookie'] } }, reply);
    expect([renamed.headers.getSetCookie(), renamed.headers.get('x-cookie')]).toEqual([[], 'a=1, b=2']);
  });

  test('of the gateway’s own answers change as well', async () => {
    const config = { add: { headers: ['X-A:9'], json: ['a:1'] } };
    const got = await rig.ask(responseTransformer, config, { setting: { matches: () => false } });
    expect([got.status, got.headers.get('x-a'), JSON.parse(got.text)]).toEqual([
      404,
      '9',
      { message: 'no Route matched with those values', request_id: expect.any(String), a: '1' },
    ]);
  });
});

describe('a JSON answer', () => {
  const OBJECT = '{"a": "1", "n": 12345678901234567890, "f": false, "z": null}';
  test.each<[string, object, string, string]>([
    ['loses members', { remove: { json: ['a', 'x'] } }, '{"a":1,"b":2}', '{"b":2}'],
    ['has members under other names', { rename: { json: ['a:b', 'f:g', 'x:y'] } }, '{"a":1,"f":false}', '{"b":1,"g":false}'],
    ['has other values', { replace: { json: ['a:9', 'f:9', 'z:9', 'x:9'] } }, '{"a":1,"f":false,"z":null}', '{"a":"9","f":false,"z":"9"}'],
    ['has members more', { add: { json: ['a:9', 'f:9', 'x:a:b'] } }, '{"a":1,"f":false}', '{"a":1,"f":"9","x":"a:b"}'],
    [
      'has values more',
      { append: { json: ['a:9', 'l:9', 'x:9', 'n:9'] } },
      '{"a":"1","l":[1],"n":5}',
      '{"a":["1","9"],"l":[1,"9"],"n":["9"],"x":["9"]}',
    ],
    [
      'has values of types',
      { replace: { json: ['a:1.5', 'b:true', 'c:no', 'd:7'], json_types: ['number', 'boolean', 'boolean', 'string'] } },
      '{"a":1,"b":1,"c":1,"d":1}',
      '{"a":1.5,"b":true,"c":false,"d":"7"}',
    ],
    [
      'has added values of types, text where none is said',
      { add: { json: ['a:-1e2', 'b:2'], json_types: ['number'] } },
      '{}',
      '{"a":-100,"b":"2"}',
    ],
    [
      'has appended values of types',
      { append: { json: ['a:0x10', 'a:true'], json_types: ['number', 'boolean'] } },
      '{"a":[]}',
      '{"a":[16,true]}',
    ],
    ['keeps what it does not change as it was spelt', { add: { json: ['b:"1"'] } }, OBJECT, `${OBJECT.slice(0, -1)},"b":"\\"1\\""}`],
    ['is as it came where nothing changes it', { remove: { json: ['x'] } }, '{ "a" :1e2 }', '{ "a" :1e2 }'],
    [
      'goes one way: removed, renamed, replaced, added, appended',
      { remove: { json: ['a'] }, rename: { json: ['b:a'] }, replace: { json: ['a:3'] }, add: { json: ['b:4'] }, append: { json: ['b:5'] } },
      '{"a":1,"b":2}',
      '{"a":"3","b":["4","5"]}',
    ],
    ['that is no object passes', { add: { json: ['a:1'] } }, '[1]', '[1]'],
    ['that is no JSON passes', { add: { json: ['a:1'] } }, '{"a"', '{"a"'],
    ['that is empty passes', { add: { json: ['a:1'] } }, '', ''],
  ])('%s', async (_, config, body, wanted) => {
    const { text, headers } = await ask(config, json(body));
    expect(text).toBe(wanted);
    expect(headers.get('content-length')).toBe(String(Buffer.byteLength(wanted)));
  });

  test.each([
    ['application/json; charset=utf-8', true],
    ['Application/JSON', true],
    ['text/plain, application/json', true],
    ['application/json-lines', false],
    ['application/problem+json', false],
    ['text/plain', false],
  ])('is one of type %s: %p', async (type, isOne) => {
    const { text } = await ask({ add: { json: ['b:2'] } }, json('{"a":1}', type));
    expect(text).toBe(isOne ? '{"a":1,"b":"2"}' : '{"a":1}');
  });

  test('in chunks is put together', async () => {
    const { text } = await ask({ add: { json: ['b:2'] } }, { headers: { 'content-type': 'application/json' }, chunks: ['{"a"', ':1}'] });
    expect(text).toBe('{"a":1,"b":"2"}');
  });

  test('is decoded, and what described it goes', async () => {
    const headers = { 'content-type': 'application/json', 'content-encoding': 'gzip', etag: '"1"' };
    const got = await ask({ remove: { json: ['a'] } }, { headers, body: gzipSync('{"a":1,"b":2}') });
    expect([got.text, got.headers.get('content-encoding'), got.headers.get('etag')]).toEqual(['{"b":2}', null, null]);
  });

  test.each([
    ['is not encoded as it says', { 'content-encoding': 'gzip' }, '{"a":1}'],
    ['is encoded as nobody knows', { 'content-encoding': 'x' }, '{"a":1}'],
  ])('that %s passes', async (_, headers, body) => {
    const got = await ask({ remove: { json: ['a'] } }, { headers: { 'content-type': 'application/json', ...headers }, body });
    expect([got.text, got.headers.get('content-encoding')]).toEqual([body, headers['content-encoding']]);
  });

  test.each([
    ['is too large', { headers: { 'content-type': 'application/json' }, body: `{"a":"${'x'.repeat(16 * 1024 * 1024)}"}` }],
    [
      'grows too large',
      {
        headers: { 'content-type': 'application/json', 'content-encoding': 'gzip' },
        body: gzipSync(`{"a":"${'x'.repeat(16 * 1024 * 1024)}"}`),
      },
    ],
  ])('that %s is withheld: it may show what was to be removed', async (_, reply) => {
    const { status, text } = await ask({ remove: { json: ['a'] } }, reply);
    expect([status, JSON.parse(text).message]).toEqual([500, 'the answer of the upstream server is too large to be transformed']);
  });

  test('that breaks off is the upstream’s failure', async () => {
    const { status } = await ask(
      { remove: { json: ['a'] } },
      { headers: { 'content-type': 'application/json' }, chunks: ['{"a":1}'], ending: 'close' },
    );
    expect(status).toBe(502);
  });

  test.each([204, 304])('of status %i has no body', async status => {
    const reply = { status, headers: { 'content-type': 'application/json' }, framing: 'none' as const };
    const got = await ask({ add: { json: ['b:2'], headers: ['X-A:1'] } }, { ...reply, ending: 'complete' });
    expect([got.status, got.text, got.headers.get('x-a')]).toEqual([status, '', '1']);
  });

  test('to HEAD has no body', async () => {
    const reply = { ...json(''), head: 'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 7\r\n\r\n' };
    const got = await rig.ask(responseTransformer, { add: { json: ['b:2'] } }, { method: 'HEAD', reply });
    expect([got.status, got.text]).toEqual([200, '']);
  });
});

test('a body that is not to change is not waited for', async () => {
  using gateway = startGateway({
    url: rig.upstream.url,
    plugins: [configured(responseTransformer, { add: { headers: ['X-A:1'] } }, openHost().host)],
  });
  rig.upstream.answer({ headers: { 'content-type': 'application/json' }, chunks: ['{"a":', '1}'], gated: true });
  const asked = fetch(gateway.url);
  await rig.upstream.release();
  const response = await asked;
  expect(response.headers.get('x-a')).toBe('1');
  const reader = (response.body as ReadableStream<Uint8Array>).getReader();
  expect(Buffer.from((await reader.read()).value ?? []).toString()).toBe('{"a":');
  await rig.upstream.release();
  expect(Buffer.from((await reader.read()).value ?? []).toString()).toBe('1}');
});

describe('refuses', () => {
  test.each([
    ['a header to rename that is none', { rename: { headers: ['a b:c'] } }, "'a b' is not a valid header"],
    ['a new name that is none', { rename: { headers: ['a:b c'] } }, "'b c' is not a valid header"],
    ['a rename without a new name', { rename: { headers: ['a'] } }, 'invalid value: a'],
    ['a header that is none', { add: { headers: ['a b:c'] } }, "'a b' is not a valid header"],
    ['a header of two lines', { replace: { headers: ['a:b\nc'] } }, 'is not a valid header'],
    ['a header without a value', { append: { headers: ['a:'] } }, "key 'a' has no value"],
    ['a length by another name', { rename: { headers: ['x-a:Content-Length'] } }, "'Content-Length' is for the gateway to say"],
    ['a length', { replace: { headers: ['Content-Length:5'] } }, "'Content-Length' is for the gateway to say"],
    ['a member without a value', { add: { json: ['a:'] } }, "key 'a' has no value"],
    ['a rename of a member without a name', { rename: { json: ['a'] } }, 'invalid value: a'],
    ['a number that is none', { add: { json: ['a:one'], json_types: ['number'] } }, "'one' is not a number"],
    ['a type nobody knows', { add: { json: ['a:1'], json_types: ['object'] } }, 'expected one of: boolean, number, string'],
    ['a list that is none', { remove: { json: 'a' } }, 'expected an array'],
    ['a status', { add: { if_status: ['200'] } }, 'unknown field'],
  ])('%s', (_, config, message) => {
    expect(() => configured(responseTransformer, config, openHost().host)).toThrow(message);
  });
});
