import { describe, expect, test } from 'bun:test';
import { encodings, openAdmin, play, type Step } from './harness.ts';

const ID = 'fedcbafe-2222-4333-8444-555555555555';
const OTHER = 'abcdefab-2222-4333-8444-555555555555';
const row = (fields: object) => expect.objectContaining(fields);
const violation = (message: string, fields: object) => ({
  message: `schema violation (${message})`,
  name: 'schema violation',
  code: 2,
  fields,
});
const NOT_FOUND = { message: 'Not found' };
const METHOD_NOT_ALLOWED = { message: 'Method not allowed' };
const CHAT = { name: 'sample', config: { route_type: 'llm/v1/chat', model: { provider: 'openai' } } };

const scenarios: Record<string, readonly Step[]> = {
  'a row is created, read, changed, replaced and deleted by id': [
    ['POST', '/services', { id: ID, name: 'a', host: 'h' }, 201, row({ id: ID, name: 'a', host: 'h', port: 80, path: null, tags: null })],
    ['GET', `/services/${ID}`, undefined, 200, row({ id: ID, name: 'a' })],
    ['GET', `/services/${ID.toUpperCase()}`, undefined, 200, row({ id: ID })],
    [
      'POST',
      '/routes',
      { paths: ['/'], id: OTHER.toUpperCase(), service: { id: ID.toUpperCase() } },
      201,
      row({ id: OTHER, service: { id: ID } }),
    ],
    ['DELETE', `/routes/${OTHER.toUpperCase()}`, undefined, 204, null],
    ['PATCH', `/services/${ID}`, { port: 81 }, 200, row({ id: ID, name: 'a', host: 'h', port: 81 })],
    ['PUT', `/services/${ID}`, { host: 'i' }, 200, row({ id: ID, name: null, host: 'i', port: 80 })],
    ['DELETE', `/services/${ID}`, undefined, 204, null],
    ['GET', `/services/${ID}`, undefined, 404, NOT_FOUND],
  ],
  'a row is created, read, changed, replaced and deleted by name': [
    ['PUT', '/services/a', { host: 'h' }, 200, row({ name: 'a', host: 'h', port: 80 })],
    ['GET', '/services/a', undefined, 200, row({ name: 'a' })],
    ['PATCH', '/services/a', { port: 81, path: '/p' }, 200, row({ name: 'a', port: 81, path: '/p' })],
    ['PATCH', '/services/a', { path: null }, 200, row({ name: 'a', port: 81, path: null })],
    ['PUT', '/services/a', { host: 'i' }, 200, row({ name: 'a', host: 'i', port: 80 })],
    ['DELETE', '/services/a', undefined, 204, null],
    ['DELETE', '/services/a', undefined, 204, null],
    ['GET', '/services/a', undefined, 404, NOT_FOUND],
  ],
  'what is not there': [
    ['GET', '/services/a', undefined, 404, NOT_FOUND],
    ['PATCH', '/services/a', { port: 81 }, 404, NOT_FOUND],
    ['PATCH', `/services/${ID}`, { port: 81 }, 404, NOT_FOUND],
    ['DELETE', `/services/${ID}`, undefined, 204, null],
    ['GET', '/services/a/routes', undefined, 404, NOT_FOUND],
    ['POST', '/services/a/routes', { paths: ['/'] }, 404, NOT_FOUND],
    ['PUT', '/services/a/routes/r', { paths: ['/'] }, 404, NOT_FOUND],
    ['GET', '/routes/r/service', undefined, 404, NOT_FOUND],
    ['PUT', '/routes/r/service', { host: 'h' }, 404, NOT_FOUND],
    ['GET', '/nothing', undefined, 404, NOT_FOUND],
    ['OPTIONS', '/nothing', undefined, 404, NOT_FOUND],
    ['GET', '/services/a/b/c/d', undefined, 404, NOT_FOUND],
  ],
  'a name that no row can have': (['GET', 'PUT', 'PATCH', 'DELETE'] as const).flatMap(method =>
    ['/services/a%20b', '/services/a%20b/routes/x'].map(path => [
      method,
      path,
      undefined,
      400,
      {
        message: "invalid value 'a b': the only accepted ascii characters are alphanumerics or ., -, _, and ~",
        name: 'invalid unique name',
        code: 10,
      },
    ]),
  ),
  'methods that a path does not have': [
    ['PUT', '/services', { host: 'h' }, 405, METHOD_NOT_ALLOWED],
    ['DELETE', '/services', undefined, 405, METHOD_NOT_ALLOWED],
    ['POST', '/services/a', { host: 'h' }, 405, METHOD_NOT_ALLOWED],
    ['PATCH', '/services/a/routes', {}, 405, METHOD_NOT_ALLOWED],
    ['POST', '/', {}, 405, METHOD_NOT_ALLOWED],
    ['TRACE', '/services', undefined, 405, METHOD_NOT_ALLOWED],
  ],
  'a trailing slash and percent-encoding do not change what a path means': [
    ['POST', '/consumers/', { username: 'jörg/100% x' }, 201],
    ['GET', `/consumers/${encodeURIComponent('jörg/100% x')}`, undefined, 200, row({ username: 'jörg/100% x' })],
    ['GET', `/consumers/${encodeURIComponent('jörg/100% x')}/`, undefined, 200, row({ username: 'jörg/100% x' })],
    ['GET', '/consumers/%zz', undefined, 404, NOT_FOUND],
  ],
  'bad rows change nothing': [
    ['POST', '/services', { name: 'a' }, 400, violation('host: required field missing', { host: 'required field missing' })],
    ['POST', '/services', { host: 1 }, 400, violation('host: expected a string', { host: 'expected a string' })],
    ['POST', '/services', { host: 'h', nope: 1 }, 400, violation('nope: unknown field', { nope: 'unknown field' })],
    ['POST', '/services', { host: 'h', id: 'x' }, 400, violation('id: expected a valid UUID', { id: 'expected a valid UUID' })],
    ['GET', '/services', undefined, 200, { data: [], next: null }],
  ],
  'an id never changes': [
    ['POST', '/services', { id: ID, name: 'a', host: 'h' }, 201],
    [
      'PATCH',
      '/services/a',
      { id: OTHER },
      400,
      violation('id: immutable field cannot be updated', { id: 'immutable field cannot be updated' }),
    ],
    ['PATCH', '/services/a', { id: ID }, 200, row({ id: ID })],
    ['PUT', `/services/${ID}`, { id: OTHER, host: 'h' }, 400],
    ['PUT', '/services/a', { id: OTHER, host: 'h' }, 400],
    ['PUT', '/services/new', { id: OTHER, host: 'h' }, 200, row({ id: OTHER, name: 'new' })],
  ],
  'a url stands for protocol, host, port and path': [
    ['POST', '/services', { name: 'a', url: 'https://h/p' }, 201, row({ protocol: 'https', host: 'h', port: 443, path: '/p' })],
    ['PATCH', '/services/a', { url: 'http://i:81' }, 200, row({ protocol: 'http', host: 'i', port: 81 })],
    ['PUT', '/services/a', { url: 'http://j/q' }, 200, row({ protocol: 'http', host: 'j', port: 80, path: '/q' })],
    ['POST', '/services', { url: 'nonsense' }, 400],
    ['PATCH', '/services/a', { url: 'nonsense' }, 400],
  ],
  'names are unique': [
    ['POST', '/services', { id: ID, name: 'a', host: 'h' }, 201],
    [
      'POST',
      '/services',
      { name: 'a', host: 'h' },
      409,
      { message: `UNIQUE violation detected on '{name="a"}'`, name: 'unique constraint violation', code: 5, fields: { name: 'a' } },
    ],
    ['POST', '/services', { id: ID, name: 'b', host: 'h' }, 400, row({ name: 'primary key violation', code: 3, fields: { id: ID } })],
    ['PUT', `/services/${OTHER}`, { name: 'a', host: 'h' }, 409],
    ['POST', '/services', { name: 'b', host: 'h' }, 201],
    ['PATCH', '/services/b', { name: 'a' }, 409],
    ['GET', '/services/b', undefined, 200, row({ name: 'b' })],
  ],
  'a row points at another by id or by name': [
    ['POST', '/services', { id: ID, name: 'a', host: 'h' }, 201],
    ['POST', '/routes', { name: 'r1', paths: ['/1'], service: { id: ID } }, 201, row({ service: { id: ID } })],
    ['POST', '/routes', { name: 'r2', paths: ['/2'], service: { name: 'a' } }, 201, row({ service: { id: ID } })],
    ['PATCH', '/routes/r1', { service: null }, 200, row({ service: null })],
    ['PATCH', '/routes/r1', { service: { name: 'a' } }, 200, row({ service: { id: ID } })],
    [
      'POST',
      '/routes',
      { paths: ['/3'], service: { name: 'x' } },
      400,
      {
        message: `foreign key unresolved (service.name: the foreign key cannot be resolved with '{name="x"}' for an existing 'services' entity)`,
        name: 'foreign keys unresolved',
        code: 13,
        fields: { service: { name: `the foreign key cannot be resolved with '{name="x"}' for an existing 'services' entity` } },
      },
    ],
    [
      'POST',
      '/routes',
      { paths: ['/3'], service: { id: OTHER } },
      400,
      {
        message: `the foreign key '{id="${OTHER}"}' does not reference an existing 'services' entity.`,
        name: 'foreign key violation',
        code: 4,
        fields: { service: { id: OTHER } },
      },
    ],
    [
      'DELETE',
      '/services/a',
      undefined,
      400,
      {
        message: `an existing 'routes' entity references this 'services' entity`,
        name: 'foreign key violation',
        code: 4,
        fields: { '@referenced_by': 'routes' },
      },
    ],
  ],
  'rows below the row they point at': [
    ['POST', '/services', { id: ID, name: 'a', host: 'h' }, 201],
    ['POST', '/services', { name: 'b', host: 'h' }, 201],
    ['POST', '/services/a/routes', { name: 'r', paths: ['/r'], service: { name: 'b' } }, 201, row({ service: { id: ID } })],
    ['GET', '/services/a/routes', undefined, 200, { data: [row({ name: 'r' })], next: null }],
    ['GET', '/services/b/routes', undefined, 200, { data: [], next: null }],
    ['GET', '/services/a/routes/r', undefined, 200, row({ name: 'r' })],
    ['GET', '/services/b/routes/r', undefined, 404, NOT_FOUND],
    ['PATCH', '/services/b/routes/r', { paths: ['/q'] }, 404, NOT_FOUND],
    ['PATCH', '/services/a/routes/r', { paths: ['/q'] }, 200, row({ name: 'r', paths: ['/q'], service: { id: ID } })],
    ['PUT', '/services/a/routes/r', { paths: ['/p'] }, 200, row({ name: 'r', paths: ['/p'], service: { id: ID } })],
    ['PUT', '/services/a/routes/s', { paths: ['/s'] }, 200, row({ name: 's', paths: ['/s'], service: { id: ID } })],
    ['DELETE', '/services/b/routes/r', undefined, 404, NOT_FOUND],
    ['DELETE', '/services/a/routes/r', undefined, 204, null],
    ['DELETE', '/services/a/routes/r', undefined, 404, NOT_FOUND],
    ['GET', '/services/a/routes', undefined, 200, { data: [row({ name: 's' })], next: null }],
  ],
  'the row that another points at': [
    ['POST', '/routes', { name: 'r', paths: ['/r'] }, 201, row({ service: null })],
    ['GET', '/routes/r/service', undefined, 404, NOT_FOUND],
    ['PATCH', '/routes/r/service', { port: 81 }, 404, NOT_FOUND],
    ['DELETE', '/routes/r/service', undefined, 404, NOT_FOUND],
    ['PUT', '/routes/r/service', { name: 'made', host: 'h' }, 200, row({ name: 'made' })],
    ['GET', '/routes/r/service', undefined, 200, row({ name: 'made' })],
    ['PATCH', '/routes/r/service', { port: 81 }, 200, row({ name: 'made', port: 81 })],
    ['PUT', '/routes/r/service', { host: 'i' }, 200, row({ name: null, host: 'i', port: 80 })],
    ['DELETE', '/routes/r/service', undefined, 405, METHOD_NOT_ALLOWED],
    ['GET', '/services', undefined, 200, { data: [row({ host: 'i' })], next: null }],
  ],
  'plugins are checked by their own schema and by their own code': [
    [
      'POST',
      '/plugins',
      { ...CHAT, config: { ...CHAT.config, model: { provider: 'openai', options: { upstream_url: 'nowhere' } } } },
      400,
      violation('config.model: {\n  options = {\n    upstream_url = "not a URL"\n  }\n}', {
        config: { model: { options: { upstream_url: 'not a URL' } } },
      }),
    ],
    ['POST', '/plugins', CHAT, 201, row({ name: 'sample', route: null, config: row({ enabled: true, words: null }) })],
    ['POST', '/plugins', CHAT, 409, row({ code: 5 })],
    ['POST', '/plugins', { config: {} }, 400],
    [
      'POST',
      '/plugins',
      { name: 'nope' },
      400,
      violation(`name: plugin 'nope' not enabled; add it to the 'plugins' configuration property`, {
        name: `plugin 'nope' not enabled; add it to the 'plugins' configuration property`,
      }),
    ],
    [
      'POST',
      '/plugins',
      { ...CHAT, config: { ...CHAT.config, nope: 1 } },
      400,
      violation('config.nope: unknown field', { config: { nope: 'unknown field' } }),
    ],
  ],
  'a PATCH changes what it names of a configuration and keeps the rest': [
    ['POST', '/routes', { name: 'r', paths: ['/r'] }, 201],
    ['POST', '/routes/r/plugins', { ...CHAT, instance_name: 'mine', config: { ...CHAT.config, words: ['a'], headers: { a: '1' } } }, 201],
    [
      'PATCH',
      '/plugins/mine',
      { config: { model: { options: { max_tokens: 5 } }, words: ['b'], headers: { b: '2' } } },
      200,
      row({
        config: row({
          route_type: 'llm/v1/chat',
          words: ['b'],
          headers: { b: '2' },
          model: { provider: 'openai', name: null, options: { max_tokens: 5, temperature: null, upstream_url: null } },
        }),
      }),
    ],
    [
      'PATCH',
      '/routes/r/plugins/mine',
      { config: { model: { options: { temperature: 1, max_tokens: null } } } },
      200,
      row({
        config: row({ words: ['b'], model: row({ provider: 'openai', options: row({ temperature: 1 }) }) }),
      }),
    ],
    ['PATCH', '/plugins/mine', { config: { model: { options: { upstream_url: 'nowhere' } } } }, 400],
    ['PATCH', '/plugins/mine', { enabled: false }, 200, row({ enabled: false, config: row({ words: ['b'] }) })],
    ['GET', '/routes/r/plugins', undefined, 200, { data: [row({ instance_name: 'mine', enabled: false })], next: null }],
    ['DELETE', '/routes/r', undefined, 204, null],
    ['GET', '/plugins', undefined, 200, { data: [], next: null }],
  ],
  'consumers are found by username, by id and by custom_id': [
    ['POST', '/consumers', { id: ID, username: 'u', custom_id: 'c' }, 201, row({ username: 'u' })],
    ['GET', '/consumers/u', undefined, 200, row({ id: ID })],
    ['GET', `/consumers/${ID}`, undefined, 200, row({ id: ID })],
    ['GET', '/consumers?custom_id=c', undefined, 200, { data: [row({ id: ID })], next: null }],
    ['GET', '/consumers?custom_id=d', undefined, 200, { data: [], next: null }],
    ['POST', '/consumers/u/plugins', CHAT, 201, row({ consumer: { id: ID } })],
    ['GET', '/consumers/u/plugins', undefined, 200, { data: [row({ name: 'sample' })], next: null }],
  ],
};

describe('scenarios', () => {
  test.each(Object.keys(scenarios))('%s', async name => {
    await play(scenarios[name] ?? []);
  });
});

describe('times', () => {
  test('are seconds; a row keeps its birthday through PATCH and PUT', async () => {
    const api = await openAdmin();
    await api.send('PUT', `/services/${ID}`, ...encodings.json({ host: 'h', created_at: 1_000_000 }));
    const made = await api.get(`/services/${ID}`);
    expect(made.created_at).toBe(1_000_000);
    expect(Math.abs(made.updated_at - Date.now() / 1000)).toBeLessThan(60);
    await api.send('PATCH', `/services/${ID}`, ...encodings.json({ port: 81, updated_at: 5 }));
    const patched = await api.get(`/services/${ID}`);
    expect([patched.created_at, patched.updated_at > 5]).toEqual([1_000_000, true]);
    await api.send('PUT', `/services/${ID}`, ...encodings.json({ host: 'i' }));
    expect(await api.get(`/services/${ID}`)).toEqual(row({ host: 'i', created_at: 1_000_000 }));
  });
});

describe('at the same time', () => {
  test('of many POSTs of one name exactly one is answered 201', async () => {
    const api = await openAdmin();
    const statuses = await Promise.all(
      Array.from({ length: 20 }, async () => (await api.send('POST', '/services', ...encodings.json({ name: 'a', host: 'h' }))).status),
    );
    expect(statuses.sort()).toEqual([201, ...Array<number>(19).fill(409)]);
  });

  test('PATCHes of different fields all hold', async () => {
    const api = await openAdmin();
    await api.send('PUT', '/services/a', ...encodings.json({ host: 'h' }));
    const changes = [{ port: 81 }, { path: '/p' }, { retries: 1 }, { read_timeout: 7 }, { tags: ['t'] }];
    await Promise.all(changes.map(change => api.send('PATCH', '/services/a', ...encodings.json(change))));
    const after = await api.get('/services/a');
    expect(after).toEqual(row(Object.assign({}, ...changes)));
  });
});
