import { expect } from 'bun:test';
import { METHOD_NOT_ALLOWED, NOT_FOUND, names, primaryKeyViolation, row, rows, uniqueViolation, violation } from './answers.ts';
import { invalidTag } from './messages.ts';
import { get, ID, jsonOnly, NOBODY, OTHER_ID, patch, post, put, refused, remove, type Table } from './scenario.ts';

const DEFAULTS = {
  id: expect.any(String),
  created_at: expect.any(Number),
  updated_at: expect.any(Number),
  username: null,
  custom_id: null,
  tags: null,
};
const NAMELESS = { '@entity': ["at least one of these fields must be non-empty: 'custom_id', 'username'"] };

export const consumers: Table = {
  'either name will do': [
    post('/consumers', { username: 'bob' }, 201, { ...DEFAULTS, username: 'bob' }),
    post('/consumers', { custom_id: '42' }, 201, { ...DEFAULTS, custom_id: '42' }),
    post('/consumers', { id: ID, username: 'ann', custom_id: '43', tags: ['a', 'b'], created_at: 1422386534 }, 201, {
      ...DEFAULTS,
      id: ID,
      username: 'ann',
      custom_id: '43',
      tags: ['a', 'b'],
      created_at: 1422386534,
    }),
    get('/consumers/ann', 200, row({ id: ID })),
    get(`/consumers/${ID}`, 200, row({ username: 'ann' })),
    get('/consumers?custom_id=43', 200, rows({ id: ID })),
    get('/consumers?custom_id=44', 200, { data: [], next: null }),
    get('/consumers/42', 404, NOT_FOUND),
  ],
  'what is wrong is said': [
    ...refused('POST', '/consumers', [
      [{ tags: ['a'] }, NAMELESS],
      [{ username: 'bob', colour: 'red' }, { colour: 'unknown field' }],
      [{ username: 'bob', id: 'x' }, { id: 'expected a valid UUID' }],
      [{ username: 'bob', tags: ['a/b'] }, { tags: [invalidTag('a/b')] }],
    ]),
    put('/consumers/bob', { colour: 'red' }, 400, violation({ colour: 'unknown field' })),
    get('/consumers', 200, { data: [], next: null }),
  ],
  'a type that JSON can get wrong': jsonOnly([
    ...refused('POST', '/consumers', [
      [{}, NAMELESS],
      [{ username: null, custom_id: null }, NAMELESS],
      [{ username: 1 }, { username: 'expected a string' }],
      [{ username: 'bob', custom_id: 42 }, { custom_id: 'expected a string' }],
      [{ username: 'bob', custom_id: false }, { custom_id: 'expected a string' }],
      [{ username: 'bob', tags: 'a' }, { tags: 'expected a set' }],
    ]),
  ]),
  'usernames may be anything': [
    post('/consumers', { username: 'jörg/100% of?x#y' }, 201, row({ username: 'jörg/100% of?x#y' })),
    get(`/consumers/${encodeURIComponent('jörg/100% of?x#y')}`, 200, row({ username: 'jörg/100% of?x#y' })),
    patch(`/consumers/${encodeURIComponent('jörg/100% of?x#y')}`, { custom_id: 'a b' }, 200, row({ custom_id: 'a b' })),
    get('/consumers?custom_id=a%20b', 200, rows({ custom_id: 'a b' })),
    remove(`/consumers/${encodeURIComponent('jörg/100% of?x#y')}`, 204, null),
    get('/consumers', 200, { data: [], next: null }),
  ],
  'names are unique, each for itself': [
    post('/consumers', { id: ID, username: 'bob', custom_id: '42' }, 201),
    post('/consumers', { username: 'bob' }, 409, uniqueViolation('username', 'bob')),
    post('/consumers', { username: 'ann', custom_id: '42' }, 409, uniqueViolation('custom_id', '42')),
    post('/consumers', { id: ID, username: 'ann' }, 400, primaryKeyViolation(ID)),
    post('/consumers', { username: '42', custom_id: 'bob' }, 201),
    put(`/consumers/${OTHER_ID}`, { username: 'bob' }, 409, uniqueViolation('username', 'bob')),
    put('/consumers/new', { custom_id: '42' }, 409, uniqueViolation('custom_id', '42')),
    patch('/consumers/42', { username: 'bob' }, 409, uniqueViolation('username', 'bob')),
    patch('/consumers/42', { custom_id: '42' }, 409, uniqueViolation('custom_id', '42')),
    get('/consumers', 200, names('username', 'bob', '42')),
  ],
  'PUT and PATCH': [
    put('/consumers/bob', { custom_id: '42' }, 200, { ...DEFAULTS, username: 'bob', custom_id: '42' }),
    put('/consumers/bob', { tags: ['a'] }, 200, { ...DEFAULTS, username: 'bob', tags: ['a'] }),
    put(`/consumers/${ID}`, { custom_id: '43' }, 200, { ...DEFAULTS, id: ID, custom_id: '43' }),
    put(`/consumers/${OTHER_ID}`, { tags: ['a'] }, 400, violation(NAMELESS)),
    patch('/consumers/bob', { custom_id: '44' }, 200, { ...DEFAULTS, username: 'bob', custom_id: '44', tags: ['a'] }),
    patch('/consumers/bob', { tags: null }, 200, row({ tags: null })),
    patch('/consumers/bob', { username: null }, 200, { ...DEFAULTS, custom_id: '44' }),
    get('/consumers/bob', 404, NOT_FOUND),
    patch(
      `/consumers/${ID}`,
      { custom_id: null },
      400,
      violation({ '@entity': ["when updating, at least one of these fields must be non-empty: 'custom_id', 'username'"] }),
    ),
    patch(`/consumers/${ID}`, { username: 'ann' }, 200, row({ username: 'ann', custom_id: '43' })),
    patch('/consumers/nobody', { custom_id: 'x' }, 404, NOT_FOUND),
    patch(`/consumers/${NOBODY}`, { custom_id: 'x' }, 404, NOT_FOUND),
  ],
  'a consumer takes its plugins with it': [
    post('/consumers', { id: ID, username: 'bob' }, 201),
    post('/consumers/bob/plugins', { id: OTHER_ID, name: 'file-log', config: { path: '/tmp/a.log' } }, 201, row({ consumer: { id: ID } })),
    get('/consumers/bob/plugins', 200, rows({ id: OTHER_ID })),
    get(`/consumers/${ID}/plugins/${OTHER_ID}`, 200, row({ name: 'file-log' })),
    get(`/plugins/${OTHER_ID}/consumer`, 200, row({ username: 'bob' })),
    patch(`/plugins/${OTHER_ID}/consumer`, { custom_id: '42' }, 200, row({ username: 'bob', custom_id: '42' })),
    remove(`/plugins/${OTHER_ID}/consumer`, 405, METHOD_NOT_ALLOWED),
    remove('/consumers/bob', 204, null),
    remove('/consumers/bob', 204, null),
    get(`/plugins/${OTHER_ID}`, 404, NOT_FOUND),
  ],
  'what is not there, and methods that are not': [
    get('/consumers/nobody', 404, NOT_FOUND),
    get('/consumers/nobody/plugins', 404, NOT_FOUND),
    post('/consumers/nobody/plugins', { name: 'file-log', config: { path: '/tmp/a.log' } }, 404, NOT_FOUND),
    put('/consumers', { username: 'x' }, 405, METHOD_NOT_ALLOWED),
    remove('/consumers', 405, METHOD_NOT_ALLOWED),
    post('/consumers/bob', { username: 'x' }, 405, METHOD_NOT_ALLOWED),
    { method: 'OPTIONS', path: '/consumers', status: 204, headers: { allow: 'GET, HEAD, OPTIONS, POST' } },
    { method: 'HEAD', path: '/consumers', status: 200, answer: null },
  ],
};
