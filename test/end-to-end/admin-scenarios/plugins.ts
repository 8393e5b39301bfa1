import { expect } from 'bun:test';
import { METHOD_NOT_ALLOWED, NOT_FOUND, names, noSuchReference, row, rows, uniqueViolation, unresolved, violation } from './answers.ts';
import { invalidName, invalidTag, PROTOCOLS } from './messages.ts';
import { get, ID, jsonOnly, NOBODY, OTHER_ID, patch, post, put, refused, remove, type Table, THIRD_ID } from './scenario.ts';

const FILE_LOG = { name: 'file-log', config: { path: '/tmp/a.log' } };
const HTTP_LOG = { name: 'http-log', config: { http_endpoint: 'http://127.0.0.1:9/log' } };
const CHAT = { name: 'ai-proxy', config: { route_type: 'llm/v1/chat', model: { provider: 'openai', name: 'gpt-4' } } };
const SERVICE = post('/services', { id: ID, name: 's', host: 'h' }, 201);
const ROUTE = post('/routes', { id: OTHER_ID, name: 'r', paths: ['/r'] }, 201);
const CONSUMER = post('/consumers', { id: THIRD_ID, username: 'c' }, 201);
const taken = row({ name: 'unique constraint violation', code: 5 });
const NOT_ENABLED = (name: string) => ({ name: `plugin '${name}' not enabled; add it to the 'plugins' configuration property` });

export const plugins: Table = {
  'a plugin for everybody': [
    post('/plugins', { id: ID, ...FILE_LOG }, 201, {
      id: ID,
      name: 'file-log',
      instance_name: null,
      created_at: expect.any(Number),
      updated_at: expect.any(Number),
      route: null,
      service: null,
      consumer: null,
      consumer_group: null,
      config: { path: '/tmp/a.log', reopen: false, custom_fields_by_lua: null },
      protocols: ['grpc', 'grpcs', 'http', 'https'],
      enabled: true,
      tags: null,
    }),
    get(`/plugins/${ID}`, 200, row({ name: 'file-log' })),
    get('/plugins', 200, rows({ id: ID })),
    post('/plugins', FILE_LOG, 409, taken),
    post(
      '/plugins',
      { ...HTTP_LOG, tags: ['t'], enabled: false, protocols: ['http'], instance_name: 'mine' },
      201,
      row({ tags: ['t'], enabled: false, protocols: ['http'], instance_name: 'mine' }),
    ),
    get('/plugins/mine', 200, row({ name: 'http-log' })),
    post('/plugins', { ...CHAT, instance_name: 'mine' }, 409, uniqueViolation('instance_name', 'mine')),
    patch('/plugins/mine', { enabled: true }, 200, row({ enabled: true, tags: ['t'] })),
    put(
      '/plugins/mine',
      { ...HTTP_LOG },
      200,
      row({ instance_name: 'mine', tags: null, enabled: true, protocols: ['grpc', 'grpcs', 'http', 'https'] }),
    ),
    remove('/plugins/mine', 204, null),
    remove('/plugins/mine', 204, null),
    remove(`/plugins/${ID}`, 204, null),
    get('/plugins', 200, { data: [], next: null }),
  ],
  'a plugin for one service, route or consumer': [
    SERVICE,
    ROUTE,
    CONSUMER,
    post('/plugins', { ...FILE_LOG, service: { id: ID } }, 201, row({ service: { id: ID }, route: null, consumer: null })),
    post('/plugins', { ...FILE_LOG, route: { name: 'r' } }, 201, row({ route: { id: OTHER_ID } })),
    post('/plugins', { ...FILE_LOG, consumer: { username: 'c' } }, 201, row({ consumer: { id: THIRD_ID } })),
    post(
      '/plugins',
      { ...FILE_LOG, route: { id: OTHER_ID }, consumer: { id: THIRD_ID } },
      201,
      row({ route: { id: OTHER_ID }, consumer: { id: THIRD_ID } }),
    ),
    post('/plugins', FILE_LOG, 201, row({ service: null, route: null, consumer: null })),
    post('/plugins', { ...FILE_LOG, service: { name: 's' } }, 409, taken),
    post('/services/s/plugins', FILE_LOG, 409, taken),
    post('/routes/r/plugins', FILE_LOG, 409, taken),
    post(`/consumers/${THIRD_ID}/plugins`, FILE_LOG, 409, taken),
    post('/services/s/plugins', HTTP_LOG, 201, row({ service: { id: ID } })),
    post('/routes/r/plugins', HTTP_LOG, 201, row({ route: { id: OTHER_ID } })),
    post('/consumers/c/plugins', HTTP_LOG, 201, row({ consumer: { id: THIRD_ID } })),
    get('/services/s/plugins', 200, names('name', 'file-log', 'http-log')),
    get('/routes/r/plugins', 200, names('name', 'file-log', 'file-log', 'http-log')),
    get('/consumers/c/plugins', 200, names('name', 'file-log', 'file-log', 'http-log')),
  ],
  'a plugin below what it is for': [
    SERVICE,
    ROUTE,
    put(`/services/s/plugins/${THIRD_ID}`, FILE_LOG, 200, row({ id: THIRD_ID, service: { id: ID } })),
    get(`/services/s/plugins/${THIRD_ID}`, 200, row({ name: 'file-log' })),
    get(`/routes/r/plugins/${THIRD_ID}`, 404, NOT_FOUND),
    patch(
      `/services/s/plugins/${THIRD_ID}`,
      { config: { reopen: true } },
      200,
      row({ config: { path: '/tmp/a.log', reopen: true, custom_fields_by_lua: null } }),
    ),
    patch(`/routes/r/plugins/${THIRD_ID}`, { enabled: false }, 404, NOT_FOUND),
    get(`/plugins/${THIRD_ID}/service`, 200, row({ name: 's' })),
    get(`/plugins/${THIRD_ID}/route`, 404, NOT_FOUND),
    patch(`/plugins/${THIRD_ID}/service`, { port: 81 }, 200, row({ id: ID, port: 81 })),
    remove(`/plugins/${THIRD_ID}/service`, 405, METHOD_NOT_ALLOWED),
    remove(`/routes/r/plugins/${THIRD_ID}`, 404),
    remove(`/services/s/plugins/${THIRD_ID}`, 204, null),
    get(`/plugins/${THIRD_ID}`, 404, NOT_FOUND),
  ],
  'references to nothing': [
    post('/plugins', { ...FILE_LOG, service: { id: NOBODY } }, 400, noSuchReference('service', 'services', NOBODY)),
    post('/plugins', { ...FILE_LOG, route: { id: NOBODY } }, 400, noSuchReference('route', 'routes', NOBODY)),
    post('/plugins', { ...FILE_LOG, consumer: { id: NOBODY } }, 400, noSuchReference('consumer', 'consumers', NOBODY)),
    post('/plugins', { ...FILE_LOG, service: { name: 'nobody' } }, 400, unresolved('service', 'name', 'nobody', 'services')),
    post('/plugins', { ...FILE_LOG, consumer: { username: 'nobody' } }, 400, unresolved('consumer', 'username', 'nobody', 'consumers')),
    get('/plugins', 200, { data: [], next: null }),
  ],
  'plugins that are not there': [
    ...refused('POST', '/plugins', [
      [{ name: 'nonsense' }, NOT_ENABLED('nonsense')],
      [{ name: 'key-auth2', config: { a: 1 } }, NOT_ENABLED('key-auth2')],
    ]),
    put(`/plugins/${ID}`, { name: 'nonsense' }, 400, violation(NOT_ENABLED('nonsense'))),
    post('/plugins', { config: { path: '/tmp/a.log' } }, 400, violation({ name: 'required field missing' })),
    get(`/plugins/${NOBODY}`, 404, NOT_FOUND),
    patch(`/plugins/${NOBODY}`, { enabled: false }, 404, NOT_FOUND),
    remove(`/plugins/${NOBODY}`, 204, null),
    get('/plugins/nobody', 404, NOT_FOUND),
    put('/plugins', FILE_LOG, 405, METHOD_NOT_ALLOWED),
    remove('/plugins', 405, METHOD_NOT_ALLOWED),
  ],
  'what is wrong with the row': [
    ...refused('POST', '/plugins', [
      [{ ...FILE_LOG, colour: 'red' }, { colour: 'unknown field' }],
      [{ ...FILE_LOG, enabled: 'yes' }, { enabled: 'expected a boolean' }],
      [{ ...FILE_LOG, protocols: ['ftp'] }, { protocols: [PROTOCOLS] }],
      [{ ...FILE_LOG, id: 'x' }, { id: 'expected a valid UUID' }],
      [{ ...FILE_LOG, instance_name: 'a b' }, { instance_name: invalidName('a b') }],
      [{ ...FILE_LOG, tags: ['a,b'] }, { tags: [invalidTag('a,b')] }],
    ]),
  ],
  'file-log': [
    ...refused('POST', '/plugins', [
      [{ name: 'file-log' }, { config: { path: 'required field missing' } }],
      [{ name: 'file-log', config: { reopen: true } }, { config: { path: 'required field missing' } }],
      [{ name: 'file-log', config: { path: '/tmp/a*b' } }, { config: { path: 'not a valid filename' } }],
      [{ name: 'file-log', config: { path: '/tmp/a', reopen: 'x' } }, { config: { reopen: 'expected a boolean' } }],
      [{ name: 'file-log', config: { path: '/tmp/a', colour: 'red' } }, { config: { colour: 'unknown field' } }],
    ]),
    post('/plugins', { ...FILE_LOG, instance_name: 'log' }, 201),
    patch(
      '/plugins/log',
      { config: { reopen: true } },
      200,
      row({ config: { path: '/tmp/a.log', reopen: true, custom_fields_by_lua: null } }),
    ),
    patch('/plugins/log', { config: { path: null } }, 400, violation({ config: { path: 'required field missing' } })),
    patch(
      '/plugins/log',
      { config: { path: '/tmp/b.log' } },
      200,
      row({ config: { path: '/tmp/b.log', reopen: true, custom_fields_by_lua: null } }),
    ),
    put(
      '/plugins/log',
      { name: 'file-log', config: { path: '/tmp/c.log' } },
      200,
      row({ config: { path: '/tmp/c.log', reopen: false, custom_fields_by_lua: null } }),
    ),
  ],
  'http-log': [
    post(
      '/plugins',
      { ...HTTP_LOG, instance_name: 'log' },
      201,
      row({
        config: row({
          http_endpoint: 'http://127.0.0.1:9/log',
          method: 'POST',
          content_type: 'application/json',
          timeout: 10000,
          keepalive: 60000,
          headers: null,
        }),
      }),
    ),
    ...refused('POST', '/plugins', [
      [{ name: 'http-log' }, { config: { http_endpoint: 'required field missing' } }],
      [{ name: 'http-log', config: { http_endpoint: 'nonsense' } }, { config: { http_endpoint: 'missing host in url' } }],
      [
        { name: 'http-log', config: { http_endpoint: 'http://h', method: 'GET' } },
        { config: { method: 'expected one of: POST, PUT, PATCH' } },
      ],
      [{ name: 'http-log', config: { http_endpoint: 'http://h', timeout: 'x' } }, { config: { timeout: 'expected a number' } }],
      [
        { name: 'http-log', config: { http_endpoint: 'http://h', content_type: 'text/plain' } },
        { config: { content_type: 'expected one of: application/json, application/json; charset=utf-8' } },
      ],
      [
        { name: 'http-log', config: { http_endpoint: 'http://h', headers: { Host: 'x' } } },
        { config: { headers: "cannot contain 'Host' header" } },
      ],
      [
        { name: 'http-log', config: { http_endpoint: 'http://h', queue: { max_batch_size: 0 } } },
        { config: { queue: { max_batch_size: 'value should be between 1 and 1000000' } } },
      ],
      [
        { name: 'http-log', config: { http_endpoint: 'http://h', queue: { concurrency_limit: 2 } } },
        { config: { queue: { concurrency_limit: 'expected one of: -1, 1' } } },
      ],
      [
        { name: 'http-log', config: { http_endpoint: 'http://h', queue: { colour: 'red' } } },
        { config: { queue: { colour: 'unknown field' } } },
      ],
    ]),
    patch(
      '/plugins/log',
      { config: { queue: { max_batch_size: 10 } } },
      200,
      row({
        config: row({
          http_endpoint: 'http://127.0.0.1:9/log',
          queue: row({ max_batch_size: 10, max_coalescing_delay: 1, max_entries: 10000 }),
        }),
      }),
    ),
    patch(
      '/plugins/log',
      { config: { queue: { max_entries: 20 } } },
      200,
      row({ config: row({ queue: row({ max_batch_size: 10, max_entries: 20 }) }) }),
    ),
    patch('/plugins/log', { config: { headers: { 'x-a': '1' } } }, 200, row({ config: row({ headers: { 'x-a': '1' } }) })),
    patch('/plugins/log', { config: { headers: null } }, 200, row({ config: row({ headers: null }) })),
  ],
  'ai-proxy': [
    ROUTE,
    post(
      '/routes/r/plugins',
      { ...CHAT, instance_name: 'chat' },
      201,
      row({
        protocols: ['grpc', 'grpcs', 'http', 'https'],
        config: row({ route_type: 'llm/v1/chat', response_streaming: 'allow', model: row({ provider: 'openai', name: 'gpt-4' }) }),
      }),
    ),
    patch(
      '/plugins/chat',
      { config: { model: { options: { max_tokens: 512, temperature: 0.5 } } } },
      200,
      row({ config: row({ model: row({ name: 'gpt-4', options: row({ max_tokens: 512, temperature: 0.5 }) }) }) }),
    ),
    patch(
      '/plugins/chat',
      { config: { model: { options: { temperature: 1 } } } },
      200,
      row({ config: row({ model: row({ options: row({ max_tokens: 512, temperature: 1 }) }) }) }),
    ),
    patch(
      '/plugins/chat',
      { config: { auth: { header_name: 'Authorization', header_value: 'Bearer x' } } },
      200,
      row({ config: row({ auth: row({ header_name: 'Authorization', header_value: 'Bearer x' }) }) }),
    ),
    patch(
      '/plugins/chat',
      { config: { response_streaming: 'sometimes' } },
      400,
      violation({ config: { response_streaming: 'expected one of: allow, deny, always' } }),
    ),
    patch(
      '/plugins/chat',
      { config: { model: { options: { temperature: 6 } } } },
      400,
      violation({ config: { model: { options: { temperature: 'value should be between 0 and 5' } } } }),
    ),
    patch('/plugins/chat', { config: { auth: { header_name: null } } }, 400, row({ name: 'schema violation' })),
    get('/plugins/chat', 200, row({ config: row({ response_streaming: 'allow' }) })),
  ],
  'a plugin may move': [
    SERVICE,
    ROUTE,
    post('/plugins', { ...FILE_LOG, instance_name: 'log', service: { name: 's' } }, 201),
    patch('/plugins/log', { service: null, route: { name: 'r' } }, 200, row({ service: null, route: { id: OTHER_ID } })),
    get('/services/s/plugins', 200, { data: [], next: null }),
    get('/routes/r/plugins', 200, rows({ instance_name: 'log' })),
    patch('/plugins/log', { route: null }, 200, row({ service: null, route: null })),
    post('/plugins', { ...FILE_LOG, route: { name: 'r' } }, 201),
    patch('/plugins/log', { route: { name: 'r' } }, 409, taken),
    patch('/plugins/log', { instance_name: 'renamed' }, 200, row({ instance_name: 'renamed' })),
    get('/plugins/log', 404, NOT_FOUND),
  ],
  'a configuration that JSON gets wrong': jsonOnly([
    ...refused('POST', '/plugins', [
      [{ name: 'file-log', config: 1 }, { config: 'expected a record' }],
      [{ name: 'file-log', config: { path: 1 } }, { config: { path: 'expected a string' } }],
      [{ name: 'http-log', config: { http_endpoint: 'http://h', timeout: '1' } }, { config: { timeout: 'expected a number' } }],
      [{ name: 'http-log', config: { http_endpoint: 'http://h', queue: 1 } }, { config: { queue: 'expected a record' } }],
      [{ name: 'http-log', config: { http_endpoint: 'http://h', headers: { a: 1 } } }, { config: { headers: 'expected a string' } }],
    ]),
    post('/plugins', { name: 1 }, 400, row({ name: 'schema violation' })),
  ]),
};
