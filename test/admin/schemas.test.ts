import { describe, expect, test } from 'bun:test';
import { encodings, openAdmin } from './harness.ts';

const PLUGIN = { name: 'sample', config: { route_type: 'llm/v1/chat', model: { provider: 'openai' } } };

describe('/schemas', () => {
  test('of an entity', async () => {
    const schema = await (await openAdmin()).get('/schemas/consumers');
    expect(schema.fields.map((field: object) => Object.keys(field)[0]).sort()).toEqual([
      'created_at',
      'custom_id',
      'id',
      'tags',
      'updated_at',
      'username',
    ]);
    expect(schema).not.toHaveProperty('type');
  });

  test('of tags, which no row keeps', async () => {
    const schema = await (await openAdmin()).get('/schemas/tags');
    expect(schema.fields).toContainEqual({ entity_name: { type: 'string', required: true } });
  });

  test('of a plugin', async () => {
    const schema = await (await openAdmin()).get('/schemas/plugins/sample');
    const names = schema.fields.map((field: object) => Object.keys(field)[0]);
    expect(names.sort()).toEqual(['config', 'protocols']);
    const { config } = schema.fields.find((field: object) => 'config' in field);
    expect(config.type).toBe('record');
    expect(config.fields.map((field: object) => Object.keys(field)[0])).toContain('route_type');
  });

  test.each([
    ['/schemas/nothing', `No entity named 'nothing'`],
    ['/schemas/plugins/nothing', `No plugin named 'nothing'`],
  ])('%s is not there', async (path, message) => {
    const response = await (await openAdmin()).send('GET', path);
    expect([response.status, await response.json()]).toEqual([404, { message }]);
  });

  test.each<[string, object, number, string]>([
    ['services', { host: 'h' }, 200, 'schema validation successful'],
    ['services', { host: 1 }, 400, 'schema violation (host: expected a string)'],
    ['plugins', PLUGIN, 200, 'schema validation successful'],
    [
      'plugins',
      { ...PLUGIN, config: {} },
      400,
      '2 schema violations (config.model: {\n  provider = "required field missing"\n}; config.route_type: required field missing)',
    ],
    ['plugins', { name: 'x' }, 400, `schema violation (name: plugin 'x' not enabled; add it to the 'plugins' configuration property)`],
    [
      'plugins',
      { ...PLUGIN, config: { ...PLUGIN.config, model: { provider: 'x', options: { upstream_url: 'nowhere' } } } },
      400,
      'schema violation (config.model: {\n  options = {\n    upstream_url = "not a URL"\n  }\n})',
    ],
    ['nothing', {}, 404, `No entity named 'nothing'`],
  ])('%s/validate of %j', async (name, body, status, message) => {
    const api = await openAdmin();
    const response = await api.send('POST', `/schemas/${name}/validate`, ...encodings.json(body));
    expect([response.status, await response.json()]).toEqual([status, expect.objectContaining({ message })]);
    expect((await api.get('/services')).data).toEqual([]);
  });
});
