import { expect } from 'bun:test';
import { NOT_FOUND, names, row, rows, violation } from './answers.ts';
import { invalidTag } from './messages.ts';
import { get, ID, NOBODY, OTHER_ID, patch, post, put, refused, remove, type Table } from './scenario.ts';

const UPSTREAM = post('/upstreams', { id: ID, name: 'u' }, 201);
const DEFAULTS = {
  id: expect.any(String),
  created_at: expect.any(Number),
  updated_at: expect.any(Number),
  weight: 100,
  tags: null,
  upstream: { id: ID },
};
const invalid = (target: string) => `Invalid target ('${target}'); not a valid hostname or ip address`;
const taken = row({ name: 'unique constraint violation', code: 5 });
const at = (target: string) => `/upstreams/u/targets/${encodeURIComponent(target)}`;

export const targets: Table = {
  'a target has a port, 8000 if it does not say': [
    UPSTREAM,
    post('/upstreams/u/targets', { target: 'h.example:8080' }, 201, { ...DEFAULTS, target: 'h.example:8080' }),
    post('/upstreams/u/targets', { target: 'h.example' }, 201, { ...DEFAULTS, target: 'h.example:8000' }),
    post(`/upstreams/${ID}/targets`, { target: '127.0.0.1:80', weight: 0, tags: ['t'] }, 201, {
      ...DEFAULTS,
      target: '127.0.0.1:80',
      weight: 0,
      tags: ['t'],
    }),
    post('/upstreams/u/targets', { target: '127.0.0.1', weight: 65535 }, 201, row({ target: '127.0.0.1:8000', weight: 65535 })),
    post('/upstreams/u/targets', { target: '[::1]:80' }, 201, row({ target: '[0000:0000:0000:0000:0000:0000:0000:0001]:80' })),
    post('/upstreams/u/targets', { target: 'id.example:80', id: OTHER_ID }, 201, row({ id: OTHER_ID })),
    get(`/upstreams/u/targets/${OTHER_ID}`, 200, row({ target: 'id.example:80' })),
    get(at('h.example:8080'), 200, row({ weight: 100 })),
    get('/upstreams/u/targets/all', 200, row({ data: expect.any(Array), next: null })),
  ],
  'what is wrong is said': [
    UPSTREAM,
    ...refused('POST', '/upstreams/u/targets', [
      [{ weight: 1 }, { target: 'required field missing' }],
      [{ target: 'a b' }, { target: invalid('a b') }],
      [{ target: '1.2.3.256' }, { target: invalid('1.2.3.256') }],
      [{ target: '123' }, { target: invalid('123') }],
      [{ target: 'h:99999' }, { target: invalid('h:99999') }],
      [{ target: 't:80', weight: -1 }, { weight: 'value should be between 0 and 65535' }],
      [{ target: 't:80', weight: 65536 }, { weight: 'value should be between 0 and 65535' }],
      [{ target: 't:80', weight: 'heavy' }, { weight: 'expected an integer' }],
      [{ target: 't:80', colour: 'red' }, { colour: 'unknown field' }],
      [{ target: 't:80', id: 'x' }, { id: 'expected a valid UUID' }],
      [{ target: 't:80', tags: ['a,b'] }, { tags: [invalidTag('a,b')] }],
    ]),
    get('/upstreams/u/targets', 200, rows()),
  ],
  'one upstream has each target once, written either way': [
    UPSTREAM,
    post('/upstreams', { name: 'v' }, 201),
    post('/upstreams/u/targets', { target: 'h.example' }, 201),
    post('/upstreams/u/targets', { target: 'h.example' }, 409, taken),
    post('/upstreams/u/targets', { target: 'h.example:8000' }, 409, taken),
    post('/upstreams/v/targets', { target: 'h.example:8000' }, 201),
    get('/upstreams/u/targets', 200, names('target', 'h.example:8000')),
    get('/upstreams/v/targets', 200, names('target', 'h.example:8000')),
  ],
  'a target is changed and removed by id and by name': [
    UPSTREAM,
    post('/upstreams/u/targets', { id: OTHER_ID, target: 'h.example:80', tags: ['t'] }, 201),
    patch(at('h.example:80'), { weight: 5 }, 200, row({ id: OTHER_ID, weight: 5, tags: ['t'] })),
    patch(`/upstreams/u/targets/${OTHER_ID}`, { tags: null }, 200, row({ weight: 5, tags: null })),
    patch(at('h.example:80'), { weight: 'x' }, 400, violation({ weight: 'expected an integer' })),
    patch(at('other.example:80'), { weight: 5 }, 404, NOT_FOUND),
    post('/upstreams/u/targets', { target: 'i.example:80' }, 201),
    remove(at('h.example:80'), 204, null),
    get('/upstreams/u/targets', 200, names('target', 'i.example:80')),
    remove(at('i.example:80'), 204, null),
    // Below a row Kong looks first, so that a second time is not the same.
    remove(at('i.example:80'), 404, NOT_FOUND),
    remove('/upstreams/nobody/targets/h:80', 404, NOT_FOUND),
    put(at('i.example:80'), { weight: 3 }, 404, NOT_FOUND),
    get('/upstreams/u/targets', 200, rows()),
  ],
  'an upstream takes its targets with it': [
    UPSTREAM,
    post('/upstreams/u/targets', { target: 'h.example:80' }, 201),
    remove('/upstreams/u', 204, null),
    get('/upstreams/u/targets', 404, NOT_FOUND),
    UPSTREAM,
    get('/upstreams/u/targets', 200, rows()),
  ],
  'targets of nothing': [
    get('/upstreams/nobody/targets', 404, NOT_FOUND),
    get(`/upstreams/${NOBODY}/targets`, 404, NOT_FOUND),
    post('/upstreams/nobody/targets', { target: 'h:80' }, 404, NOT_FOUND),
    get('/upstreams/nobody/targets/h:80', 404, NOT_FOUND),
    patch('/upstreams/nobody/targets/h:80', { weight: 1 }, 404, NOT_FOUND),
    // Kong has no paths of targets but those below an upstream.
    get('/targets', 404, NOT_FOUND),
    post('/targets', { target: 'h:80', upstream: { id: NOBODY } }, 404, NOT_FOUND),
    put('/upstreams/nobody/targets/h:80', { weight: 1 }, 404, NOT_FOUND),
  ],
};
