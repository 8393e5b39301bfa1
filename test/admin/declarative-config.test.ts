import { describe, expect, test } from 'bun:test';
import { service } from '../../src/entities/service.ts';
import { DeclarativeError } from '../../src/store/declarative-error.ts';
import { encodings, openAdmin } from './harness.ts';

const ID = '11111111-2222-4333-8444-555555555555';
const TEXT = `_format_version: "3.0"\nservices:\n- name: a\n  host: h\n`;
const JSON_TEXT = JSON.stringify({ _format_version: '3.0', services: [{ name: 'a', host: 'h' }] });

const FLAT = { entity_type: 'service', entity: { name: 'bad' }, errors: [{ type: 'entity', message: 'bad' }] } as const;

/** An Admin API without a database, and the texts that it hands on. */
async function open() {
  const texts: string[] = [];
  const api = await openAdmin({
    declarative: {
      isServed: text => texts.at(-1) === text,
      load: async text => {
        texts.push(text);
        if (text.includes('bad')) throw new DeclarativeError('config:1: bad', { services: ['bad'], x: 'y' }, [FLAT], { x: 'y' });
        await store.commit([{ entity: service, id: ID, row: { id: ID, name: 'a', host: 'h' } as never }]);
      },
    },
  });
  const { store } = api;
  return { ...api, texts };
}

describe('POST /config without a database', () => {
  test.each<[string, readonly [string, Record<string, string>], string]>([
    ['a form', encodings.form({ config: TEXT }), TEXT],
    ['a multipart form', encodings.multipart({ config: TEXT.replaceAll('\n', '\r\n') }), TEXT.replaceAll('\n', '\r\n')],
    ['text in JSON', encodings.json({ config: TEXT }), TEXT],
    ['JSON itself', [JSON_TEXT, { 'content-type': 'application/json' }], JSON_TEXT],
    ['YAML itself', [TEXT, { 'content-type': 'application/yaml' }], TEXT],
    ['YAML as text', [TEXT, { 'content-type': 'text/yaml; charset=utf-8' }], TEXT],
  ])('takes %s', async (_name, [body, headers], text) => {
    const api = await open();
    const response = await api.send('POST', '/config', body, headers);
    expect([response.status, api.texts]).toEqual([201, [text]]);
    expect(await response.json()).toEqual(
      expect.objectContaining({ services: { [ID]: expect.objectContaining({ name: 'a' }) }, routes: {} }),
    );
    expect(await api.get('/services/a')).toEqual(expect.objectContaining({ id: ID }));
  });

  test.each<[string, readonly [string, Record<string, string>], number, object]>([
    ['no configuration', encodings.form({ other: 'x' }), 400, { message: 'expected a declarative configuration' }],
    ['JSON without one', encodings.json({ services: [] }), 400, { message: 'expected a declarative configuration' }],
    ['what is no JSON', ['{', { 'content-type': 'application/json' }], 400, { message: 'Cannot parse JSON body' }],
    ['another type', ['x', { 'content-type': 'application/xml' }], 415, { message: 'Unsupported media type' }],
    [
      'a bad one',
      encodings.form({ config: 'bad' }),
      400,
      {
        message: 'declarative config is invalid: config:1: bad',
        name: 'invalid declarative configuration',
        code: 14,
        fields: { services: ['bad'], x: 'y' },
      },
    ],
  ])('refuses %s', async (_name, [body, headers], status, answer) => {
    const response = await (await open()).send('POST', '/config', body, headers);
    expect([response.status, await response.json()]).toEqual([status, answer]);
  });
});

describe('what a client asks for beside a configuration', () => {
  test.each<[string, string, readonly [string, Record<string, string>]]>([
    ['in the query', '?check_hash=1', encodings.form({ config: TEXT })],
    ['in a form', '', encodings.form({ config: TEXT, check_hash: '1' })],
    ['in JSON', '', encodings.json({ config: TEXT, check_hash: 1 })],
    ['beside YAML', '?check_hash=1', [TEXT, { 'content-type': 'text/yaml' }]],
  ])('check_hash %s: a text that is served is not loaded again', async (_name, query, [body, headers]) => {
    const api = await open();
    const statuses = [];
    for (let time = 0; time < 2; time++) statuses.push((await api.send('POST', `/config${query}`, body, headers)).status);
    expect([statuses, api.texts]).toEqual([[201, 304], [TEXT]]);
  });

  test('without check_hash a text is loaded again', async () => {
    const api = await open();
    for (let time = 0; time < 2; time++) await api.send('POST', '/config?check_hash=0', ...encodings.form({ config: TEXT }));
    expect(api.texts).toEqual([TEXT, TEXT]);
  });

  test('beside the sections of JSON, it is not taken for one', async () => {
    const api = await open();
    const sections = JSON.parse(JSON_TEXT);
    await api.send('POST', '/config', ...encodings.json({ ...sections, check_hash: 1, flatten_errors: true }));
    expect(api.texts).toEqual([JSON_TEXT]);
  });

  test.each<[string, readonly [string, Record<string, string>]]>([
    ['?flatten_errors=1', encodings.form({ config: 'bad' })],
    ['?flatten_errors=Yes', encodings.form({ config: 'bad' })],
    ['', encodings.json({ config: 'bad', flatten_errors: true })],
  ])('flatten_errors: errors by entry, and no entry in the fields (%s)', async (query, [body, headers]) => {
    const response = await (await open()).send('POST', `/config${query}`, body, headers);
    expect([response.status, await response.json()]).toEqual([
      400,
      {
        message: 'declarative config is invalid: config:1: bad',
        name: 'invalid declarative configuration',
        code: 14,
        fields: { x: 'y' },
        flattened_errors: [FLAT],
      },
    ]);
  });
});

test('GET /config without a database writes the configuration down', async () => {
  const api = await open();
  await api.send('POST', '/config', ...encodings.form({ config: TEXT }));
  expect((await api.get('/config')).config).toContain('name: a');
});

describe('rows without a database', () => {
  test.each<[string, string, object | undefined, string]>([
    ['POST', '/services', { host: 'h' }, `cannot create 'services' entities when not using a database`],
    ['POST', '/services/a/routes', { paths: ['/'] }, `cannot create 'routes' entities when not using a database`],
    ['PUT', `/services/${ID}`, { host: 'h' }, `cannot create or update 'services' entities when not using a database`],
    ['PUT', '/services/a', { host: 'h' }, `cannot create or update 'services' entities by 'name' when not using a database`],
    ['PATCH', `/services/${ID}`, { port: 81 }, `cannot update 'services' entities when not using a database`],
    ['PATCH', '/services/a', { port: 81 }, `cannot update 'services' entities by 'name' when not using a database`],
    ['DELETE', `/services/${ID}`, undefined, `cannot remove 'services' entities when not using a database`],
    ['DELETE', '/services/a', undefined, `cannot remove 'services' entities by 'name' when not using a database`],
  ])('%s %s is refused', async (method, path, body, message) => {
    const api = await open();
    await api.send('POST', '/config', ...encodings.form({ config: TEXT }));
    const before = await api.get('/services');
    const [text, headers] = body ? encodings.json(body) : [];
    const response = await api.send(method, path, text, headers);
    expect([response.status, await response.json()]).toEqual([405, { message, name: 'operation unsupported', code: 12 }]);
    expect(await api.get('/services')).toEqual(before);
  });

  test('may be tried out', async () => {
    const response = await (await open()).send('POST', '/schemas/services/validate', ...encodings.json({ host: 'h' }));
    expect(response.status).toBe(200);
  });
});

test.each(['GET', 'POST'])('%s /config with a database is refused', async method => {
  const response = await (await openAdmin()).send(method, '/config');
  expect([response.status, await response.json()]).toEqual([
    400,
    { message: 'this endpoint is only available when Kong is configured to not use a database' },
  ]);
});
