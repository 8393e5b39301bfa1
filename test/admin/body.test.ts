import { describe, expect, test } from 'bun:test';
import { encodings, openAdmin } from './harness.ts';

const JSON_TYPE = { 'content-type': 'application/json' };
const FORM_TYPE = { 'content-type': 'application/x-www-form-urlencoded' };
const PARSE_ERROR = { message: 'Cannot parse JSON body' };

/** The same rows as JSON and as a form. */
const good = {
  service: [
    { host: 'h', port: 81, tags: ['a', 'b'], path: null },
    { host: 'h', port: '81', 'tags[1]': 'a', 'tags[2]': 'b', path: '' },
  ],
  plugin: [
    {
      name: 'sample',
      config: { route_type: 'llm/v1/chat', model: { provider: 'openai', options: { max_tokens: 512, temperature: 1 } }, enabled: false },
    },
    {
      name: 'sample',
      'config.route_type': 'llm/v1/chat',
      'config.model.provider': 'openai',
      'config.model.options.max_tokens': '512',
      'config.model.options.temperature': '1.0',
      'config.enabled': 'false',
    },
  ],
} as const;
const bad = [
  { host: 'h', port: 'eighty' },
  { host: 'h', port: 'eighty' },
] as const;

const writes = [
  ['POST', '/services', 201],
  ['PUT', '/services/new', 200],
  ['PUT', '/services/old', 200],
  ['PATCH', '/services/old', 200],
  ['POST', '/services', 201],
] as const;

describe.each(['json', 'form', 'multipart'] as const)('%s', encoding => {
  const encode = (row: readonly [object, Readonly<Record<string, string>>]) =>
    encoding === 'json' ? encodings.json(row[0]) : encodings[encoding](row[1]);

  test.each(writes)('%s %s takes a good row', async (method, path, status) => {
    const api = await openAdmin();
    await api.send('PUT', '/services/old', ...encodings.json({ host: 'old' }));
    const response = await api.send(method, path, ...encode(good.service));
    expect([response.status, await response.json()]).toEqual([
      status,
      expect.objectContaining({ host: 'h', port: 81, tags: ['a', 'b'], path: null }),
    ]);
  });

  test.each(writes)('%s %s refuses a bad row and changes nothing', async (method, path) => {
    const api = await openAdmin();
    await api.send('PUT', '/services/old', ...encodings.json({ host: 'old' }));
    const before = await api.get('/services');
    const response = await api.send(method, path, ...encode(bad));
    expect([response.status, await response.json()]).toEqual([
      400,
      {
        message: 'schema violation (port: expected an integer)',
        name: 'schema violation',
        code: 2,
        fields: { port: 'expected an integer' },
      },
    ]);
    expect(await api.get('/services')).toEqual(before);
  });

  test('a plugin takes its values by the schema its name chooses', async () => {
    const api = await openAdmin();
    expect((await api.send('POST', '/plugins', ...encode(good.plugin))).status).toBe(201);
    const [row] = (await api.get('/plugins')).data;
    expect(row.config).toEqual(expect.objectContaining({ enabled: false, route_type: 'llm/v1/chat' }));
    expect(row.config.model.options).toEqual({ max_tokens: 512, temperature: 1, upstream_url: null });
  });

  test('a PATCH of a plugin takes its values by the schema of the plugin that is there', async () => {
    const api = await openAdmin();
    await api.send('POST', '/plugins', ...encodings.json({ ...good.plugin[0], instance_name: 'mine' }));
    const change = [{ config: { model: { options: { max_tokens: 5 } } } }, { 'config.model.options.max_tokens': '5' }] as const;
    const response = await api.send('PATCH', '/plugins/mine', ...encode(change));
    expect(response.status).toBe(200);
    expect((await api.get('/plugins/mine')).config.model.options).toEqual({ max_tokens: 5, temperature: 1, upstream_url: null });
  });
});

describe('bodies that are refused', () => {
  const large = 'x'.repeat(10 * 1024 * 1024);
  test.each<[string, string | undefined, Record<string, string>, number, object]>([
    ['JSON that ends early', '{"host":', JSON_TYPE, 400, PARSE_ERROR],
    ['no JSON at all', '', JSON_TYPE, 400, PARSE_ERROR],
    ['a JSON list', '[]', JSON_TYPE, 400, PARSE_ERROR],
    ['a JSON string', '"x"', JSON_TYPE, 400, PARSE_ERROR],
    ['JSON null', 'null', JSON_TYPE, 400, PARSE_ERROR],
    ['deep JSON', '['.repeat(200_000), JSON_TYPE, 400, PARSE_ERROR],
    ['deep JSON that ends', `{"host":${'['.repeat(100_000)}${']'.repeat(100_000)}}`, JSON_TYPE, 400, PARSE_ERROR],
    ['JSON with half a character', '{"host":"\\ud800"}', JSON_TYPE, 400, PARSE_ERROR],
    ['JSON with half a character in a name', '{"host":"h","\\udc00":1}', JSON_TYPE, 400, PARSE_ERROR],
    ['JSON with a number beyond all', '{"host":"h","port":1e999}', JSON_TYPE, 400, PARSE_ERROR],
    ['a form that is not UTF-8', 'host=%ff', FORM_TYPE, 400, { message: 'Cannot parse form body' }],
    ['a form without end', 'a&'.repeat(1_000_000), FORM_TYPE, 400, { message: 'Cannot parse form body' }],
    ['a form key that is not UTF-8', '%c3%28=h', FORM_TYPE, 400, { message: 'Cannot parse form body' }],
    [
      'a multipart body without a boundary',
      'x',
      { 'content-type': 'multipart/form-data' },
      400,
      { message: 'Cannot parse multipart body' },
    ],
    [
      'a multipart body that is none',
      'x',
      { 'content-type': 'multipart/form-data; boundary=y' },
      400,
      { message: 'Cannot parse multipart body' },
    ],
    [
      'a multipart body with bare line feeds',
      '--y\nContent-Disposition: form-data; name="host"\n\nh\n--y--\n',
      { 'content-type': 'multipart/form-data; boundary=y' },
      400,
      { message: 'Cannot parse multipart body' },
    ],
    ['another type', '<a/>', { 'content-type': 'application/xml' }, 415, { message: 'Unsupported media type' }],
    ['text', 'host=h', { 'content-type': 'text/plain' }, 415, { message: 'Unsupported media type' }],
    ['more than 10 MiB', `host=${large}`, FORM_TYPE, 413, { message: 'Payload too large' }],
  ])('%s', async (_name, body, headers, status, answer) => {
    const response = await (await openAdmin()).send('POST', '/services', body, headers);
    expect([response.status, await response.json()]).toEqual([status, answer]);
  });
});

test.each([
  ['JSON', JSON_TYPE['content-type'], '{"host":"%"}', 'JSON'],
  ['a form', FORM_TYPE['content-type'], 'host=%', 'form'],
  [
    'a multipart form',
    'multipart/form-data; boundary=x',
    '--x\r\nContent-Disposition: form-data; name="host"\r\n\r\n%\r\n--x--\r\n',
    'multipart',
  ],
])('bytes in %s that are not UTF-8', async (_name, type, text, word) => {
  const { admin } = await openAdmin();
  const body = Buffer.from(text.replace('%', '\xff'), 'latin1');
  const response = await admin.fetch(new Request('http://localhost/services', { method: 'POST', headers: { 'content-type': type }, body }));
  expect([response.status, await response.json()]).toEqual([400, { message: `Cannot parse ${word} body` }]);
});

test('of a key that JSON says twice the last counts', async () => {
  const response = await (await openAdmin()).send('POST', '/services', '{"host":"a","host":"b"}', JSON_TYPE);
  expect(await response.json()).toEqual(expect.objectContaining({ host: 'b' }));
});

test('a client that leaves before the end of its body is no fault of ours', async () => {
  const api = await openAdmin();
  const body = new ReadableStream({ pull: controller => controller.error(new Error('gone')) });
  const response = await api.admin.fetch(new Request('http://localhost/services', { method: 'POST', headers: JSON_TYPE, body }));
  expect([response.status, await response.json()]).toEqual([400, { message: 'The request body ended early' }]);
  expect(api.lines.map(line => line.level)).toEqual(['notice']);
});

test('a PUT without a body and without a type says nothing about the row', async () => {
  const response = await (await openAdmin()).send('PUT', '/services/a');
  expect(await response.json()).toEqual(expect.objectContaining({ message: 'schema violation (host: required field missing)' }));
});

test('types are read without regard to case and parameters', async () => {
  const api = await openAdmin();
  expect((await api.send('POST', '/services', '{"host":"h"}', { 'content-type': 'Application/JSON; charset=utf-8' })).status).toBe(201);
  expect(
    (await api.send('POST', '/services', 'host=h', { 'content-type': 'application/x-www-form-urlencoded;charset=UTF-8' })).status,
  ).toBe(201);
});

test('a part that is a file counts as its text', async () => {
  const api = await openAdmin();
  const body = '--x\r\nContent-Disposition: form-data; name="host"; filename="h.txt"\r\nContent-Type: text/plain\r\n\r\nh\r\n--x--\r\n';
  const response = await api.send('POST', '/services', body, { 'content-type': 'multipart/form-data; boundary=x' });
  expect([response.status, await response.json()]).toEqual([201, expect.objectContaining({ host: 'h' })]);
});

test('`__proto__` in a body is an unknown field and pollutes nothing', async () => {
  const api = await openAdmin();
  for (const [body, headers] of [
    ['{"host":"h","__proto__":{"polluted":1}}', JSON_TYPE],
    ['host=h&__proto__.polluted=1', FORM_TYPE],
  ] as const) {
    const response = await api.send('POST', '/services', body, headers);
    expect([response.status, ({} as { polluted?: unknown }).polluted]).toEqual([400, undefined]);
  }
});
