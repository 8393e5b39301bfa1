import { expect } from 'bun:test';
import { METHOD_NOT_ALLOWED, NOT_FOUND, row, violation } from './answers.ts';
import { get, jsonOnly, NOBODY, post, put, remove, type Table } from './scenario.ts';

const VALID = { message: 'schema validation successful' };
const fieldsOf =
  (...fields: readonly string[]) =>
  (answer: { fields: readonly object[] }): void => {
    const known = answer.fields.flatMap(field => Object.keys(field));
    expect(fields.filter(field => !known.includes(field))).toEqual([]);
  };
const schema = (entity: string, ...fields: readonly string[]) =>
  get(`/schemas/${entity}`, 200, fieldsOf('id', 'created_at', 'tags', ...fields));
const valid = (entity: string, body: object) => post(`/schemas/${entity}/validate`, body, 200, VALID);

const memoryOfWorkers = (http_allocated_gc: unknown) =>
  row({ memory: row({ workers_lua_vms: expect.arrayContaining([row({ http_allocated_gc })]) }) });

export const information: Table = {
  'the node': [
    get(
      '/',
      200,
      row({
        version: '3.9.1',
        edition: 'community',
        tagline: expect.any(String),
        hostname: expect.any(String),
        node_id: expect.stringMatching(/^[0-9a-f-]{36}$/),
        pids: expect.any(Object),
        configuration: expect.any(Object),
      }),
    ),
    get(
      '/',
      200,
      row({
        plugins: {
          available_on_server: expect.objectContaining({
            'ai-proxy': row({ priority: 770 }),
            'file-log': row({ priority: 9 }),
            'http-log': row({ priority: 12 }),
          }),
          enabled_in_cluster: [],
        },
      }),
    ),
    post('/plugins', { name: 'file-log', config: { path: '/tmp/a.log' } }, 201),
    get('/', 200, row({ plugins: expect.objectContaining({ enabled_in_cluster: ['file-log'] }) })),
    post('/', { a: 1 }, 405, METHOD_NOT_ALLOWED),
    remove('/', 405, METHOD_NOT_ALLOWED),
    { method: 'HEAD', path: '/', status: 200, answer: null },
    { method: 'OPTIONS', path: '/', status: 204, headers: { allow: 'GET, HEAD, OPTIONS' } },
    get('/plugins/enabled', 200, { enabled_plugins: expect.arrayContaining(['ai-proxy', 'file-log', 'http-log']) }),
    get('/endpoints', 200, {
      data: expect.arrayContaining([
        '/',
        '/services',
        '/services/{services}',
        '/services/{services}/routes',
        '/routes/{routes}/service',
        '/status',
        '/tags/{tags}',
      ]),
    }),
  ],
  'how it fares': [
    get(
      '/status',
      200,
      row({
        database: { reachable: true },
        server: row({ connections_active: expect.any(Number), total_requests: expect.any(Number) }),
        memory: row({ workers_lua_vms: expect.any(Array) }),
      }),
    ),
    get('/status?unit=b', 200, memoryOfWorkers(expect.any(Number))),
    get('/status?unit=k&scale=3', 200, memoryOfWorkers(expect.stringMatching(/^\d+\.\d{3} KiB$/))),
    get('/status?unit=x', 400, { message: "invalid unit 'x' (expected 'k/K', 'm/M', or 'g/G')" }),
    get('/status?unit=k&scale=-1', 400, { message: 'scale must be equal or greater than 0' }),
    put('/status', { a: 1 }, 405, METHOD_NOT_ALLOWED),
  ],
  'what it logs': [
    get('/debug/node/log-level', 200, { message: 'log level: notice' }),
    { method: 'PUT', path: '/debug/node/log-level/warn', status: 200, answer: { message: 'log level changed' } },
    get('/debug/node/log-level', 200, { message: 'log level: warn' }),
    { method: 'PUT', path: '/debug/node/log-level/warn', status: 200, answer: { message: 'log level is already warn' } },
    {
      method: 'PUT',
      path: '/debug/node/log-level/info?timeout=-1',
      status: 400,
      answer: { message: 'timeout must be greater than or equal to 0' },
    },
    { method: 'PUT', path: '/debug/node/log-level/notice', status: 200 },
    { method: 'PUT', path: '/debug/node/log-level/loud', status: 400, answer: { message: 'unknown log level: loud' } },
  ],
  'paths that are none': [
    get('/nothing', 404, NOT_FOUND),
    post('/nothing', { a: 1 }, 404, NOT_FOUND),
    get('/services/a/b/c/d', 404, NOT_FOUND),
    get('/services/a/colours', 404, NOT_FOUND),
    { method: 'OPTIONS', path: '/nothing', status: 404, answer: NOT_FOUND },
    { method: 'TRACE', path: '/services', status: 405 },
  ],
  'the schema of every entity': [
    schema('services', 'name', 'host', 'port', 'protocol', 'path', 'retries', 'client_certificate', 'ca_certificates'),
    schema('routes', 'name', 'paths', 'hosts', 'methods', 'headers', 'service'),
    schema('plugins', 'name', 'config', 'route', 'service', 'consumer', 'instance_name'),
    schema('consumers', 'username', 'custom_id'),
    schema('upstreams', 'name', 'algorithm', 'hash_on', 'healthchecks', 'slots'),
    schema('targets', 'target', 'weight', 'upstream'),
    schema('certificates', 'cert', 'key', 'cert_alt', 'key_alt'),
    schema('ca_certificates', 'cert', 'cert_digest'),
    schema('snis', 'name', 'certificate'),
    schema('keys', 'kid', 'jwk', 'pem', 'set', 'name'),
    schema('key_sets', 'name'),
    schema('vaults', 'prefix', 'name', 'config'),
    get('/schemas/nothing', 404, { message: "No entity named 'nothing'" }),
    get('/schemas/plugins/file-log', 200, fieldsOf('config', 'protocols')),
    get('/schemas/plugins/ai-proxy', 200, fieldsOf('config', 'protocols')),
    get('/plugins/schema/file-log', 200, fieldsOf('path', 'reopen')),
    get('/plugins/schema/nothing', 404, { message: "No plugin named 'nothing'" }),
    get('/schemas/plugins/nothing', 404, { message: "No plugin named 'nothing'" }),
  ],
  'a trial of a row': [
    valid('services', { host: 'h' }),
    valid('services', { name: 'a', url: 'http://h/p' }),
    post('/schemas/services/validate', { name: 'a' }, 400, violation({ host: 'required field missing' })),
    post('/schemas/services/validate', { host: 'h', port: 'x' }, 400, violation({ port: 'expected an integer' })),
    valid('routes', { paths: ['/p'] }),
    post('/schemas/routes/validate', { paths: ['p'] }, 400, violation({ paths: ['should start with: / (fixed path) or ~/ (regex path)'] })),
    valid('consumers', { username: 'c' }),
    post(
      '/schemas/consumers/validate',
      { tags: ['t'] },
      400,
      violation({ '@entity': ["at least one of these fields must be non-empty: 'custom_id', 'username'"] }),
    ),
    valid('plugins', { name: 'file-log', config: { path: '/tmp/a.log' } }),
    post('/schemas/plugins/validate', { name: 'file-log' }, 400, violation({ config: { path: 'required field missing' } })),
    post(
      '/schemas/plugins/validate',
      { name: 'nothing' },
      400,
      violation({ name: "plugin 'nothing' not enabled; add it to the 'plugins' configuration property" }),
    ),
    valid('upstreams', { name: 'u' }),
    post('/schemas/upstreams/validate', { slots: 5, name: 'u' }, 400, violation({ slots: 'value should be between 10 and 65536' })),
    valid('targets', { target: 't:80', upstream: { id: NOBODY } }),
    valid('key_sets', { name: 'k' }),
    valid('vaults', { name: 'env', prefix: 'my-env' }),
    valid('snis', { name: 'h.example', certificate: { id: NOBODY } }),
    post('/schemas/nothing/validate', { a: 1 }, 404, { message: "No entity named 'nothing'" }),
    get('/services', 200, { data: [], next: null }),
  ],
  'a declarative configuration needs no database': jsonOnly([
    get('/config', 400, { message: 'this endpoint is only available when Kong is configured to not use a database' }),
    post('/config', { _format_version: '3.0' }, 400, {
      message: 'this endpoint is only available when Kong is configured to not use a database',
    }),
  ]),
};
