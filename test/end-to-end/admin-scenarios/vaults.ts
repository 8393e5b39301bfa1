import { expect } from 'bun:test';
import { METHOD_NOT_ALLOWED, NOT_FOUND, names, row, rows, uniqueViolation, violation } from './answers.ts';
import { invalidTag } from './messages.ts';
import { get, ID, jsonOnly, OTHER_ID, patch, post, put, refused, remove, type Table } from './scenario.ts';

const ENV = { name: 'env', prefix: 'my-env', config: { prefix: 'MY_' } };
const DEFAULTS = { id: expect.any(String), created_at: expect.any(Number), updated_at: expect.any(Number), description: null, tags: null };

export const vaults: Table = {
  'a vault and its prefix': [
    post('/vaults', ENV, 201, { ...DEFAULTS, ...ENV }),
    post('/vaults', { id: ID, name: 'env', prefix: 'other', description: 'secrets', tags: ['t'] }, 201, {
      ...DEFAULTS,
      id: ID,
      name: 'env',
      prefix: 'other',
      description: 'secrets',
      tags: ['t'],
      config: { prefix: null },
    }),
    get('/vaults/my-env', 200, row({ config: { prefix: 'MY_' } })),
    get(`/vaults/${ID}`, 200, row({ prefix: 'other' })),
    get('/vaults', 200, names('prefix', 'my-env', 'other')),
    get('/vaults?tags=t', 200, rows({ prefix: 'other' })),
  ],
  'what is wrong is said': [
    ...refused('POST', '/vaults', [
      [{ prefix: 'my-env' }, { name: 'required field missing' }],
      [{ name: 'nothing', prefix: 'my-env' }, { name: "vault 'nothing' is not installed" }],
      [{ name: 'env' }, { prefix: 'required field missing' }],
      [{ name: 'env', prefix: 'My-env' }, { prefix: 'invalid value: My-env' }],
      [{ name: 'env', prefix: '1env' }, { prefix: 'invalid value: 1env' }],
      [{ name: 'env', prefix: 'env-' }, { prefix: 'invalid value: env-' }],
      [{ name: 'env', prefix: 'my_env' }, { prefix: 'invalid value: my_env' }],
      [{ name: 'env', prefix: 'my-env', colour: 'red' }, { colour: 'unknown field' }],
      [{ name: 'env', prefix: 'my-env', config: { colour: 'red' } }, { config: { colour: 'unknown field' } }],
      [{ name: 'env', prefix: 'my-env', config: { prefix: '1_' } }, { config: { prefix: 'invalid value: 1_' } }],
      [{ name: 'env', prefix: 'my-env', id: 'x' }, { id: 'expected a valid UUID' }],
      [{ name: 'env', prefix: 'my-env', tags: ['a/b'] }, { tags: [invalidTag('a/b')] }],
    ]),
    post('/vaults', { name: 'env', prefix: 'env' }, 400, row({ fields: { prefix: expect.stringMatching(/^must not be one of: /) } })),
    get('/vaults', 200, { data: [], next: null }),
  ],
  'a type that JSON can get wrong': jsonOnly([
    ...refused('POST', '/vaults', [
      [{ name: 'env', prefix: 1 }, { prefix: 'expected a string' }],
      [{ name: 'env', prefix: 'my-env', config: 1 }, { config: 'expected a record' }],
      [{ name: 'env', prefix: 'my-env', config: { prefix: 1 } }, { config: { prefix: 'expected a string' } }],
    ]),
  ]),
  'every verb, by id and by prefix': [
    put('/vaults/my-env', { name: 'env' }, 200, { ...DEFAULTS, name: 'env', prefix: 'my-env', config: { prefix: null } }),
    patch('/vaults/my-env', { config: { prefix: 'A_' } }, 200, row({ config: { prefix: 'A_' } })),
    patch('/vaults/my-env', { description: 'd', tags: ['t'] }, 200, row({ description: 'd', tags: ['t'], config: { prefix: 'A_' } })),
    patch('/vaults/my-env', { config: { prefix: null } }, 200, row({ config: { prefix: null } })),
    patch('/vaults/my-env', { config: { prefix: '1' } }, 400, violation({ config: { prefix: 'invalid value: 1' } })),
    put(`/vaults/${OTHER_ID}`, { name: 'env', prefix: 'two' }, 200, row({ id: OTHER_ID, prefix: 'two' })),
    post('/vaults', { name: 'env', prefix: 'two' }, 409, uniqueViolation('prefix', 'two')),
    patch('/vaults/two', { prefix: 'my-env' }, 409, uniqueViolation('prefix', 'my-env')),
    patch('/vaults/two', { prefix: 'three' }, 200, row({ id: OTHER_ID, prefix: 'three' })),
    get('/vaults/two', 404, NOT_FOUND),
    patch('/vaults/two', { description: 'd' }, 404, NOT_FOUND),
    remove('/vaults/three', 204, null),
    remove('/vaults/three', 204, null),
    get('/vaults', 200, rows({ prefix: 'my-env' })),
    put('/vaults', ENV, 405, METHOD_NOT_ALLOWED),
    remove('/vaults', 405, METHOD_NOT_ALLOWED),
    { method: 'OPTIONS', path: '/vaults/my-env', status: 204, headers: { allow: 'DELETE, GET, HEAD, OPTIONS, PATCH, PUT' } },
  ],
  'references are shown as they were written': [
    post('/routes', { name: 'r', paths: ['/r'] }, 201),
    post(
      '/routes/r/plugins',
      { name: 'http-log', instance_name: 'log', config: { http_endpoint: '{vault://env/log-endpoint}' } },
      201,
      row({ config: row({ http_endpoint: '{vault://env/log-endpoint}' }) }),
    ),
    get('/plugins/log', 200, row({ config: row({ http_endpoint: '{vault://env/log-endpoint}' }) })),
    patch(
      '/plugins/log',
      { config: { timeout: 1000 } },
      200,
      row({ config: row({ http_endpoint: '{vault://env/log-endpoint}', timeout: 1000 }) }),
    ),
  ],
};
