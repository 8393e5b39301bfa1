import { afterAll, describe, expect, test } from 'bun:test';
import { gzipSync } from 'node:zlib';
import { requestTransformer } from '../../src/plugins/request-transformer.ts';
import { type Asked, openRig } from '../support/behind.ts';
import { configured, openHost } from '../support/host.ts';

const rig = openRig();
afterAll(rig.close);

const ask = (config: object, asked: Asked = {}) => rig.ask(requestTransformer, config, asked);
const JSON_TYPE = { 'content-type': 'application/json' };
const FORM_TYPE = { 'content-type': 'application/x-www-form-urlencoded' };
const captures = (caught: Record<string, string>) => ({ setting: { match: { captures: caught } } });

describe('headers', () => {
  test.each<[string, object, Record<string, string>, Record<string, string | undefined>]>([
    ['are removed', { remove: { headers: ['X-A', 'X-C'] } }, { 'x-a': '1', 'x-b': '2' }, { 'x-a': undefined, 'x-b': '2' }],
    ['are removed by what stands before a colon', { remove: { headers: ['x-a:1'] } }, { 'x-a': '1' }, { 'x-a': undefined }],
    [
      'are renamed',
      { rename: { headers: ['X-A:X-B', 'X-C:X-D'] } },
      { 'x-a': '1', 'x-b': '2' },
      { 'x-a': undefined, 'x-b': '1', 'x-d': undefined },
    ],
    ['renamed to themselves stay', { rename: { headers: ['X-A:x-a'] } }, { 'x-a': '1' }, { 'x-a': '1' }],
    ['are replaced where they are', { replace: { headers: ['X-A:9', 'X-C:9'] } }, { 'x-a': '1' }, { 'x-a': '9', 'x-c': undefined }],
    ['are added where they are not', { add: { headers: ['X-A:9', 'X-C:9'] } }, { 'x-a': '1' }, { 'x-a': '1', 'x-c': '9' }],
    ['are appended', { append: { headers: ['X-A:9', 'X-A:8', 'X-C:9'] } }, { 'x-a': '1' }, { 'x-a': '1, 9, 8', 'x-c': '9' }],
    ['have values with colons', { add: { headers: ['X-A:http://a.test:80', 'X-B::9'] } }, {}, { 'x-a': 'http://a.test:80', 'x-b': '9' }],
    ['have values in UTF-8', { add: { headers: ['X-A:é'] } }, {}, { 'x-a': Buffer.from('é').toString('latin1') }],
    [
      'go one way: removed, renamed, replaced, added, appended',
      {
        remove: { headers: ['x-a'] },
        rename: { headers: ['x-b:x-a'] },
        replace: { headers: ['x-a:3'] },
        add: { headers: ['x-b:4'] },
        append: { headers: ['x-b:5'] },
      },
      { 'x-a': '1', 'x-b': '2' },
      { 'x-a': '3', 'x-b': '4, 5' },
    ],
    [
      'of a client are what templates read',
      { add: { headers: ['X-B:$(headers.x_a)-$(headers["X-A"])'] } },
      { 'x-a': '1' },
      { 'x-b': '1-1' },
    ],
    [
      'that templates read are those before',
      { remove: { headers: ['x-a'] }, add: { headers: ['x-b:$(headers.x_a)'] } },
      { 'x-a': '1' },
      { 'x-b': '' },
    ],
    ['that nobody sent are empty', { add: { headers: ["X-B:a$(headers.x_a)b$(headers.x_c or 'c')"] } }, {}, { 'x-b': 'abc' }],
    [
      'in UTF-8 stay so',
      { add: { headers: ['X-B:é$(headers.x_a)'] } },
      { 'x-a': Buffer.from('é').toString('latin1') },
      { 'x-b': Buffer.from('éé').toString('latin1') },
    ],
  ])('%s', async (_, config, headers, wanted) => {
    const { sent } = await ask(config, { headers });
    for (const [name, value] of Object.entries(wanted)) expect([name, sent?.header(name)]).toEqual([name, value]);
  });

  test('a Host is replaced, and never removed, renamed or added', async () => {
    const host = async (config: object) => (await ask(config)).sent?.header('host');
    const usual = await host({});
    expect(usual).toStartWith('127.0.0.1:');
    expect(await host({ replace: { headers: ['Host:shop.test'] } })).toBe('shop.test');
    for (const config of [
      { remove: { headers: ['Host'] } },
      { rename: { headers: ['Host:X-Host'] } },
      { add: { headers: ['Host:shop.test'] } },
    ])
      expect(await host(config)).toBe(usual);
  });

  test('the Host that a client asked for is what templates read', async () => {
    const { sent } = await ask({ add: { headers: ['X-Host:$(headers.host)'] } }, { headers: { host: 'asked.test' } });
    expect(sent?.header('x-host')).toBe('asked.test');
  });

  test('a line end of a client does not become one of a header', async () => {
    const { sent } = await ask({ add: { headers: ['X-B:$(query_params.a)'] } }, { path: '/?a=1%0d%0aX-Evil:%201' });
    expect([sent?.header('x-b'), sent?.header('x-evil')]).toEqual(['1%0D%0AX-Evil: 1', undefined]);
  });
});

describe('the query', () => {
  test.each<[string, object, string, string]>([
    ['loses arguments', { remove: { querystring: ['a', 'c'] } }, '/?a=1&b=2&a=3', '/?b=2'],
    ['loses its last argument', { remove: { querystring: ['a'] } }, '/?a=1', '/'],
    ['has an argument under another name', { rename: { querystring: ['a:b', 'c:d'] } }, '/?a=1&b=2', '/?b=1'],
    ['has another value', { replace: { querystring: ['a:9', 'c:9'] } }, '/?a=1&a=2', '/?a=9'],
    ['has an argument more', { add: { querystring: ['a:9', 'c:x y&z'] } }, '/?a=1', '/?a=1&c=x%20y%26z'],
    ['has an argument where there was none', { add: { querystring: ['a:9'] } }, '/', '/?a=9'],
    ['has a value more', { append: { querystring: ['a:9', 'c:9'] } }, '/?a=1', '/?a=1&a=9&c=9'],
    ['has a value in place of none', { append: { querystring: ['a:9'] } }, '/?a', '/?a=9'],
    ['is as it came where nothing changes it', { remove: { querystring: ['x'] } }, '/?b=%7e&&a', '/?b=%7e&&a'],
    [
      'is what templates read',
      { add: { querystring: ['b:$(query_params.a)', 'c:$(query_params.flag)'] } },
      '/?a=x%26y&flag',
      '/?a=x%26y&flag&b=x%26y&c=true',
    ],
    ['has all values of a name', { add: { querystring: ['b:$(query_params.a)'] } }, '/?a=1&a=2', '/?a=1&a=2&b=1%2C2'],
  ])('%s', async (_, config, path, wanted) => {
    expect((await ask(config, { path })).sent?.target).toBe(wanted);
  });
});

describe('the path', () => {
  test.each<[string, string, Asked, string]>([
    ['is another', '/other/path', { path: '/a?b=c' }, '/other/path?b=c'],
    ['has a query of its own', '/other?x=y', { path: '/a?b=c' }, '/other?x=y&b=c'],
    ['is made of what the route caught', '/v2/$(uri_captures["id"])/$(uri_captures[1])', captures({ id: '7', '1': 'x' }), '/v2/7/x'],
    ['has several segments that the route caught', '/v2/$(uri_captures.rest)', captures({ rest: 'a/b' }), '/v2/a/b'],
    ['is made of a header', "/$(headers['x-tenant'] or 'none')", { headers: { 'x-tenant': 'acme' } }, '/acme'],
    ['is made of nothing', "/$(headers['x-tenant'] or 'none')", {}, '/none'],
    ['is escaped', '/é x', {}, '/%C3%A9%20x'],
    ['is no query by what a client says', '/$(query_params.p)', { path: '/?p=a%3Fb%23c%25d' }, '/a%3Fb%23c%25d?p=a%3Fb%23c%25d'],
  ])('%s', async (_, uri, asked, wanted) => {
    expect((await ask({ replace: { uri } }, asked)).sent?.target).toBe(wanted);
  });

  test.each(['..', 'a/../../b', '.', 'x/..'])('cannot be left by what a client says: %s', async id => {
    const { status, sent } = await ask({ replace: { uri: '/v2/$(uri_captures.id)' } }, captures({ id }));
    expect([status, sent]).toEqual([400, undefined]);
  });

  test('that does not begin with a slash after all is a failure', async () => {
    const { status, sent } = await ask({ replace: { uri: '$(query_params.p)' } }, { path: '/?p=x' });
    expect([status, sent]).toEqual([500, undefined]);
  });

  test('of no service stays what it is', async () => {
    const config = { replace: { uri: '/x' }, add: { querystring: ['a:1'] }, http_method: 'GET' };
    expect((await ask(config, { setting: { url: null } })).status).toBe(503);
  });
});

describe('the method', () => {
  test('is another, and the body the same', async () => {
    const { sent } = await ask({ http_method: 'PUT' }, { method: 'POST', body: 'hello' });
    expect([sent?.method, (await rig.upstream.received(sent?.number)).text()]).toEqual(['PUT', 'hello']);
  });

  test('may be one without a body', async () => {
    const { sent } = await ask({ http_method: 'GET' }, { method: 'POST', body: 'hello', headers: { 'content-type': 'text/plain' } });
    expect([sent?.method, sent?.target, sent?.bodyLength]).toEqual(['GET', '/', 0]);
  });

  test('without a body takes the fields of a form into the query', async () => {
    const asked = { method: 'POST', body: 'a=1&b=2&b=3', headers: FORM_TYPE, path: '/?a=0&c=4' };
    const { sent } = await ask({ http_method: 'GET' }, asked);
    expect([sent?.method, sent?.target, sent?.bodyLength]).toEqual(['GET', '/?a=0&a=1&c=4&b=2&b=3', 0]);
  });

  test('HEAD is one', async () => {
    expect((await ask({ http_method: 'HEAD' })).sent?.method).toBe('HEAD');
  });
});

describe('a JSON body', () => {
  const OBJECT = '{"a": "1", "n": 12345678901234567890, "f": false, "z": null, "l": [1], "o": {"x": 1}}';
  test.each<[string, object, string, string]>([
    ['loses members', { remove: { body: ['a', 'x'] } }, '{"a":1, "b": 2}', '{"b": 2}'],
    ['has a member under another name', { rename: { body: ['a:b', 'x:y'] } }, '{"a":1}', '{"b":1}'],
    ['has another value', { replace: { body: ['a:9', 'f:9', 'z:9', 'x:9'] } }, '{"a":1,"f":false,"z":null}', '{"a":"9","f":false,"z":"9"}'],
    ['has a member more', { add: { body: ['a:9', 'f:9', 'x:9'] } }, '{"a":1,"f":false}', '{"a":1,"f":"9","x":"9"}'],
    [
      'has a value more',
      { append: { body: ['a:9', 'l:9', 'x:9', 'n:9'] } },
      '{"a":"1","l":[1],"n":5}',
      '{"a":["1","9"],"l":[1,"9"],"n":["9"],"x":["9"]}',
    ],
    ['has a value more in an object', { append: { body: ['o:9', 'o:8'] } }, '{"o":{"x":1}}', '{"o":{"1":"9","2":"8","x":1}}'],
    ['has members that are not there yet', { add: { body: ['a:9'] } }, '', '{"a":"9"}'],
    ['keeps what it does not change as it was spelt', { add: { body: ['b:1'] } }, OBJECT, `${OBJECT.slice(0, -1)},"b":"1"}`],
    ['is as it came where nothing changes it', { remove: { body: ['x'] } }, '{ "a" :1e2 }', '{ "a" :1e2 }'],
    ['has dots in names', { add: { body: ['a.b:1'] } }, '{}', '{"a.b":"1"}'],
    ['takes no name for another', { add: { body: ['__proto__:1', 'toString:2'] } }, '{}', '{"__proto__":"1","toString":"2"}'],
    ['is filled in', { add: { body: ["who:$(headers.x_who or 'é')"] } }, '{}', '{"who":"é"}'],
    ['that is no object passes', { add: { body: ['a:1'] } }, '[1]', '[1]'],
    ['that is no JSON passes', { add: { body: ['a:1'] } }, '{"a"', '{"a"'],
    [
      'goes one way: removed, renamed, replaced, added, appended',
      { remove: { body: ['a'] }, rename: { body: ['b:a'] }, replace: { body: ['a:3'] }, add: { body: ['b:4'] }, append: { body: ['b:5'] } },
      '{"a":1,"b":2}',
      '{"a":"3","b":["4","5"]}',
    ],
  ])('%s', async (_, config, body, wanted) => {
    const { sent } = await ask(config, { method: 'POST', body, headers: { 'content-type': 'Application/JSON; charset=utf-8' } });
    expect((await rig.upstream.received(sent?.number)).text()).toBe(wanted);
    expect(sent?.header('content-length')).toBe(String(Buffer.byteLength(wanted)));
  });

  test('is decoded where it must change', async () => {
    const body = gzipSync('{"a":1}');
    const { sent } = await ask({ add: { body: ['b:2'] } }, { method: 'POST', body, headers: { ...JSON_TYPE, 'content-encoding': 'gzip' } });
    expect([(await rig.upstream.received(sent?.number)).text(), sent?.header('content-encoding')]).toEqual(['{"a":1,"b":"2"}', undefined]);
  });

  test('is known by the type that headers were given', async () => {
    const config = { replace: { headers: ['content-type:application/json'] }, add: { body: ['a:1'] } };
    const { sent } = await ask(config, { method: 'POST', body: '{}', headers: { 'content-type': 'text/plain' } });
    expect((await rig.upstream.received(sent?.number)).text()).toBe('{"a":"1"}');
  });

  test('that is too large to be changed is refused', async () => {
    const body = JSON.stringify({ a: 'x'.repeat(16 * 1024 * 1024) });
    const { status, sent } = await ask({ add: { body: ['b:2'] } }, { method: 'POST', body, headers: JSON_TYPE });
    expect([status, sent]).toEqual([413, undefined]);
  });
});

test.each(['GET', 'HEAD'])('a %s is given no body', async method => {
  const { status, sent } = await ask({ add: { body: ['a:1'] } }, { method, headers: JSON_TYPE });
  expect([status, sent?.bodyLength]).toEqual([200, 0]);
});

test('a body of another type passes, however large it is', async () => {
  const body = 'x'.repeat(17 * 1024 * 1024);
  const { sent } = await ask({ add: { body: ['b:2'] } }, { method: 'POST', body, headers: { 'content-type': 'text/plain' } });
  expect((await rig.upstream.received(sent?.number)).bodyLength).toBe(body.length);
});

describe('a form', () => {
  test.each<[string, object, string, string]>([
    ['loses fields', { remove: { body: ['a', 'x'] } }, 'a=1&b=2', 'b=2'],
    ['has a field under another name', { rename: { body: ['a:b'] } }, 'a=1', 'b=1'],
    ['has another value', { replace: { body: ['a:9', 'x:9'] } }, 'a=1&a=2', 'a=9'],
    ['has a field more', { add: { body: ['a:9', 'x:é&'] } }, 'a=', 'a=&x=%C3%A9%26'],
    ['has a value more', { append: { body: ['a:9', 'x:9'] } }, 'a=1', 'a=1&a=9&x=9'],
    ['has fields where there were none', { add: { body: ['a:9'] } }, '', 'a=9'],
    ['is as it came where nothing changes it', { remove: { body: ['x'] } }, "b='&a", "b='&a"],
  ])('%s', async (_, config, body, wanted) => {
    const { sent } = await ask(config, { method: 'POST', body, headers: FORM_TYPE });
    expect((await rig.upstream.received(sent?.number)).text()).toBe(wanted);
  });
});

describe('a multipart form', () => {
  const type = { 'content-type': 'multipart/form-data; boundary=b' };
  const FILE = '--b\r\nContent-Disposition: form-data; name="f"; filename="x.bin"\r\nContent-Type: image/png\r\n\r\n\x89\0\r\n\xff\r\n';
  const part = (name: string, value: string) => `--b\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`;
  const END = '--b--\r\n';

  test.each<[string, object, string, string]>([
    ['loses fields', { remove: { body: ['a', 'x'] } }, part('a', '1') + FILE, FILE],
    ['has a field under another name', { rename: { body: ['f:g'] } }, FILE + part('g', '0'), FILE.replace('"f"', '"g"')],
    ['has another value', { replace: { body: ['a:9', 'x:9'] } }, part('a', '1') + FILE, FILE + part('a', '9')],
    ['has a field more', { add: { body: ['a:9', 'x:9'] } }, part('a', '1') + FILE, part('a', '1') + FILE + part('x', '9')],
    ['has a value more', { append: { body: ['a:9'] } }, part('a', '1'), part('a', '1') + part('a', '9')],
    ['has UTF-8 in it', { add: { body: ['é:é'] } }, FILE, FILE + Buffer.from(part('é', 'é')).toString('latin1')],
    ['is as it came where nothing changes it', { remove: { body: ['x'] } }, FILE, FILE],
  ])('%s', async (_, config, body, wanted) => {
    const { sent } = await ask(config, { method: 'POST', body: Buffer.from(body + END, 'latin1'), headers: type });
    expect((await rig.upstream.received(sent?.number)).body.toString('latin1')).toBe(wanted + END);
  });

  test.each([
    ['that is none', 'hello', type],
    ['without a boundary', part('a', '1') + END, { 'content-type': 'multipart/form-data' }],
    ['that is encoded', part('a', '1') + END, { ...type, 'content-encoding': 'br' }],
  ])('%s passes', async (_, body, headers) => {
    const { sent } = await ask({ remove: { body: ['a'] } }, { method: 'POST', body, headers });
    expect((await rig.upstream.received(sent?.number)).text()).toBe(body);
  });
});

describe('refuses', () => {
  test.each([
    ['a method in small letters', { http_method: 'get' }, 'invalid value: get'],
    ['a method that cannot be sent', { http_method: 'FROB' }, 'FROB is not supported'],
    ['CONNECT', { http_method: 'CONNECT' }, 'CONNECT is not supported'],
    ['a header to remove that is none', { remove: { headers: ['a b'] } }, "'a b' is not a valid header"],
    ['a header to rename that is none', { rename: { headers: ['a b:c'] } }, "'a b' is not a valid header"],
    ['a new name that is none', { rename: { headers: ['a:b c'] } }, "'b c' is not a valid header"],
    ['a rename without a name', { rename: { headers: ['a'] } }, 'invalid value: a'],
    ['a header without a value', { add: { headers: ['a:'] } }, "key 'a' has no value"],
    ['a header of two lines', { add: { headers: ['a:b\nc'] } }, 'is not a valid header'],
    ['a header that is none', { append: { headers: ['a b:c'] } }, "'a b' is not a valid header"],
    ['a length by another name', { rename: { headers: ['x-a:Content-Length'] } }, "'Content-Length' is for the gateway to say"],
    ['a length', { replace: { headers: ['Content-Length:5'] } }, "'Content-Length' is for the gateway to say"],
    ['another coding', { add: { headers: ['Transfer-Encoding:gzip'] } }, "'Transfer-Encoding' is for the gateway to say"],
    ['a second Host', { append: { headers: ['Host:a.test'] } }, 'a request has one Host: replace it'],
    ['an argument without a value', { add: { querystring: ['a'] } }, "key 'a' has no value"],
    ['a field without a value', { replace: { body: ['a:'] } }, "key 'a' has no value"],
    ['a rename of a field without a name', { rename: { body: ['a'] } }, "key 'a' has no value"],
    ['Lua', { add: { headers: ['a:$(os.time())'] } }, 'this gateway runs no Lua'],
    [
      'Lua in a body',
      { add: { body: ['a:$((function() return 1 end)())'] } },
      'is not in supported format, error:this gateway runs no Lua',
    ],
    ['Lua in a query', { append: { querystring: ['a:$(ngx.var.uri)'] } }, 'this gateway runs no Lua'],
    ['Lua in a path', { replace: { uri: '/$(headers)' } }, 'this gateway runs no Lua'],
    ['a path without a slash', { replace: { uri: 'a' } }, 'the path must start with /'],
    ['a list that is none', { remove: { body: 'a' } }, 'expected an array'],
    ['a path to add', { add: { uri: '/' } }, 'unknown field'],
  ])('%s', (_, config, message) => {
    expect(() => configured(requestTransformer, config, openHost().host)).toThrow(message);
  });
});
