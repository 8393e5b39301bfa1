import { expect } from 'bun:test';
import {
  type Errors,
  METHOD_NOT_ALLOWED,
  NOT_FOUND,
  names,
  noSuchReference,
  primaryKeyViolation,
  row,
  rows,
  uniqueViolation,
  violation,
} from './answers.ts';
import { between, invalidTag } from './messages.ts';
import { get, ID, jsonOnly, NOBODY, OTHER_ID, patch, post, put, refused, remove, type Table } from './scenario.ts';

const ACTIVE = {
  type: 'http',
  timeout: 1,
  concurrency: 10,
  http_path: '/',
  https_sni: null,
  https_verify_certificate: true,
  headers: null,
  healthy: { interval: 0, http_statuses: [200, 302], successes: 0 },
  unhealthy: { interval: 0, http_statuses: [429, 404, 500, 501, 502, 503, 504, 505], tcp_failures: 0, timeouts: 0, http_failures: 0 },
};
const PASSIVE = {
  type: 'http',
  healthy: { http_statuses: [200, 201, 202, 203, 204, 205, 206, 207, 208, 226, 300, 301, 302, 303, 304, 305, 306, 307, 308], successes: 0 },
  unhealthy: { http_statuses: [429, 500, 503], tcp_failures: 0, timeouts: 0, http_failures: 0 },
};
const DEFAULTS = {
  id: expect.any(String),
  created_at: expect.any(Number),
  updated_at: expect.any(Number),
  algorithm: 'round-robin',
  hash_on: 'none',
  hash_fallback: 'none',
  hash_on_header: null,
  hash_fallback_header: null,
  hash_on_cookie: null,
  hash_on_cookie_path: '/',
  hash_on_query_arg: null,
  hash_fallback_query_arg: null,
  hash_on_uri_capture: null,
  hash_fallback_uri_capture: null,
  slots: 10000,
  healthchecks: { active: ACTIVE, passive: PASSIVE, threshold: 0 },
  tags: null,
  host_header: null,
  client_certificate: null,
  use_srv_name: false,
};
const INPUTS = 'expected one of: none, consumer, ip, header, cookie, path, query_arg, uri_capture';
const condition = (field: string) => `failed conditional validation given value of field '${field}'`;
/** One condition that another field does not meet. */
const unmet = (given: string, field: string, message: string): Errors => ({ '@entity': [condition(given)], [field]: message });
const active = (fields: object) => ({ name: 'u', healthchecks: { active: fields } });
const passive = (fields: object) => ({ name: 'u', healthchecks: { passive: fields } });
const inActive = (fields: Errors): Errors => ({ healthchecks: { active: fields } });
const inPassive = (fields: Errors): Errors => ({ healthchecks: { passive: fields } });

export const upstreams: Table = {
  'every field has a default but the name': [
    post('/upstreams', { name: 'u.example' }, 201, { ...DEFAULTS, name: 'u.example' }),
    get('/upstreams/u.example', 200, { ...DEFAULTS, name: 'u.example' }),
    get('/upstreams', 200, rows({ name: 'u.example' })),
  ],
  'names are host names': [
    post('/upstreams', { name: 'a-b.c_d' }, 201, row({ name: 'a-b.c_d' })),
    ...refused('POST', '/upstreams', [
      [{ slots: 10 }, { name: 'required field missing' }],
      [{ name: '1.2.3.4' }, { name: 'Invalid name; no ip addresses allowed' }],
      [{ name: '::1' }, { name: 'Invalid name; no ip addresses allowed' }],
      [{ name: 'u:80' }, { name: 'Invalid name; no port allowed' }],
      [{ name: 'a b' }, { name: 'Invalid name; must be a valid hostname' }],
      [{ name: 'a/b' }, { name: 'Invalid name; must be a valid hostname' }],
      [{ name: 'u', colour: 'red' }, { colour: 'unknown field' }],
      [{ name: 'u', id: 'x' }, { id: 'expected a valid UUID' }],
    ]),
  ],
  'slots, algorithm and header': [
    post(
      '/upstreams',
      { name: 'low', slots: 10, algorithm: 'least-connections', host_header: 'h.example', use_srv_name: true, tags: ['t'] },
      201,
      row({ slots: 10, algorithm: 'least-connections', host_header: 'h.example', use_srv_name: true, tags: ['t'] }),
    ),
    post('/upstreams', { name: 'high', slots: 65536, algorithm: 'latency' }, 201, row({ slots: 65536, algorithm: 'latency' })),
    post(
      '/upstreams',
      { name: 'hash', algorithm: 'consistent-hashing', hash_on: 'ip' },
      201,
      row({ algorithm: 'consistent-hashing', hash_on: 'ip' }),
    ),
    ...refused('POST', '/upstreams', [
      [{ name: 'u', slots: 9 }, { slots: between(10, 65536) }],
      [{ name: 'u', slots: 65537 }, { slots: between(10, 65536) }],
      [{ name: 'u', slots: 'many' }, { slots: 'expected an integer' }],
      [{ name: 'u', algorithm: 'random' }, { algorithm: 'expected one of: consistent-hashing, least-connections, round-robin, latency' }],
      [{ name: 'u', use_srv_name: 'maybe' }, { use_srv_name: 'expected a boolean' }],
      [{ name: 'u', tags: ['a,b'] }, { tags: [invalidTag('a,b')] }],
    ]),
    post(
      '/upstreams',
      { name: 'u', client_certificate: { id: NOBODY } },
      400,
      noSuchReference('client_certificate', 'certificates', NOBODY),
    ),
  ],
  'what is hashed must be named': [
    post('/upstreams', { name: 'consumer', hash_on: 'consumer' }, 201, row({ hash_on: 'consumer', algorithm: 'consistent-hashing' })),
    post(
      '/upstreams',
      { name: 'header', hash_on: 'header', hash_on_header: 'x-a', hash_fallback: 'header', hash_fallback_header: 'x-b' },
      201,
      row({ hash_on_header: 'x-a', hash_fallback_header: 'x-b' }),
    ),
    post(
      '/upstreams',
      { name: 'cookie', hash_on: 'cookie', hash_on_cookie: 'c', hash_on_cookie_path: '/p' },
      201,
      row({ hash_on_cookie: 'c', hash_on_cookie_path: '/p' }),
    ),
    post('/upstreams', { name: 'path', hash_on: 'path', hash_fallback: 'ip' }, 201, row({ hash_on: 'path', hash_fallback: 'ip' })),
    post('/upstreams', { name: 'query', hash_on: 'query_arg', hash_on_query_arg: 'q' }, 201, row({ hash_on_query_arg: 'q' })),
    post('/upstreams', { name: 'capture', hash_on: 'uri_capture', hash_on_uri_capture: 'c' }, 201, row({ hash_on_uri_capture: 'c' })),
    ...refused('POST', '/upstreams', [
      [{ name: 'u', hash_on: 'colour' }, { hash_on: INPUTS }],
      [{ name: 'u', hash_on: 'header', hash_on_header: 'x', hash_fallback: 'colour' }, { hash_fallback: INPUTS }],
      [{ name: 'u', hash_on: 'header' }, unmet('hash_on', 'hash_on_header', 'required field missing')],
      [{ name: 'u', hash_on: 'ip', hash_fallback: 'header' }, unmet('hash_fallback', 'hash_fallback_header', 'required field missing')],
      [{ name: 'u', hash_on: 'cookie' }, unmet('hash_on', 'hash_on_cookie', 'required field missing')],
      [{ name: 'u', hash_on: 'ip', hash_fallback: 'cookie' }, unmet('hash_fallback', 'hash_on_cookie', 'required field missing')],
      [{ name: 'u', hash_on: 'query_arg' }, unmet('hash_on', 'hash_on_query_arg', 'required field missing')],
      [{ name: 'u', hash_on: 'uri_capture' }, unmet('hash_on', 'hash_on_uri_capture', 'required field missing')],
      [{ name: 'u', hash_fallback: 'ip' }, unmet('hash_on', 'hash_fallback', 'expected one of: none')],
      [
        { name: 'u', hash_on: 'cookie', hash_on_cookie: 'c', hash_fallback: 'ip' },
        unmet('hash_on', 'hash_fallback', 'expected one of: none'),
      ],
      [
        { name: 'u', hash_on: 'consumer', hash_fallback: 'consumer' },
        unmet('hash_on', 'hash_fallback', 'expected one of: none, ip, header, cookie, path, query_arg, uri_capture'),
      ],
      [
        { name: 'u', hash_on: 'ip', hash_fallback: 'ip' },
        unmet('hash_on', 'hash_fallback', 'expected one of: none, consumer, header, cookie, path, query_arg, uri_capture'),
      ],
      [
        { name: 'u', hash_on: 'path', hash_fallback: 'path' },
        unmet('hash_on', 'hash_fallback', 'expected one of: none, consumer, header, cookie, query_arg, ip, uri_capture'),
      ],
      [
        { name: 'u', hash_on: 'header', hash_on_header: 'x', hash_fallback: 'header', hash_fallback_header: 'x' },
        { '@entity': ["values of these fields must be distinct: 'hash_on_header', 'hash_fallback_header'"] },
      ],
      [
        { name: 'u', hash_on: 'query_arg', hash_on_query_arg: 'x', hash_fallback: 'query_arg', hash_fallback_query_arg: 'x' },
        { '@entity': ["values of these fields must be distinct: 'hash_on_query_arg', 'hash_fallback_query_arg'"] },
      ],
      [
        { name: 'u', hash_on: 'header', hash_on_header: 'a b' },
        unmet('hash_on', 'hash_on_header', "bad header name 'a b', allowed characters are A-Z, a-z, 0-9, '_', and '-'"),
      ],
      [{ name: 'u', hash_on: 'cookie', hash_on_cookie: 'c', hash_on_cookie_path: 'p' }, { hash_on_cookie_path: 'should start with: /' }],
    ]),
  ],
  'health checks, member by member': [
    post(
      '/upstreams',
      {
        name: 'u',
        healthchecks: {
          threshold: 55.5,
          active: {
            type: 'https',
            https_sni: 'h.example',
            timeout: 0.5,
            healthy: { interval: 5, http_statuses: [200, 204] },
            headers: { 'x-a': ['1', '2'] },
          },
          passive: { unhealthy: { http_failures: 255 } },
        },
      },
      201,
      {
        ...DEFAULTS,
        name: 'u',
        healthchecks: {
          threshold: 55.5,
          active: {
            ...ACTIVE,
            type: 'https',
            https_sni: 'h.example',
            timeout: 0.5,
            healthy: { interval: 5, http_statuses: [200, 204], successes: 0 },
            headers: { 'x-a': ['1', '2'] },
          },
          passive: { ...PASSIVE, unhealthy: { ...PASSIVE.unhealthy, http_failures: 255 } },
        },
      },
    ),
    patch(
      '/upstreams/u',
      { healthchecks: { active: { healthy: { interval: 6 } } } },
      200,
      row({
        healthchecks: row({
          threshold: 55.5,
          active: row({ https_sni: 'h.example', healthy: { interval: 6, http_statuses: [200, 204], successes: 0 } }),
        }),
      }),
    ),
    patch(
      '/upstreams/u',
      { healthchecks: { threshold: 0 } },
      200,
      row({ healthchecks: row({ threshold: 0, passive: row({ unhealthy: row({ http_failures: 255 }) }) }) }),
    ),
    patch(
      '/upstreams/u',
      { healthchecks: { active: { https_sni: null } } },
      200,
      row({ healthchecks: row({ active: row({ https_sni: null, type: 'https' }) }) }),
    ),
    put('/upstreams/u', { slots: 10 }, 200, { ...DEFAULTS, name: 'u', slots: 10 }),
  ],
  'health checks that are none': [
    ...refused('POST', '/upstreams', [
      [active({ type: 'icmp' }), inActive({ type: 'expected one of: tcp, http, https, grpc, grpcs' })],
      [active({ timeout: -1 }), inActive({ timeout: between(0, 65535) })],
      [active({ timeout: 'x' }), inActive({ timeout: 'expected a number' })],
      [active({ concurrency: 0 }), inActive({ concurrency: between(1, 2147483648) })],
      [active({ http_path: 'p' }), inActive({ http_path: 'should start with: /' })],
      [active({ http_path: '/a//b' }), inActive({ http_path: 'must not have empty segments' })],
      [active({ https_sni: '1.2.3.4' }), inActive({ https_sni: 'must not be an IP' })],
      [active({ https_verify_certificate: 'x' }), inActive({ https_verify_certificate: 'expected a boolean' })],
      [active({ colour: 'red' }), inActive({ colour: 'unknown field' })],
      [active({ healthy: { interval: -1 } }), inActive({ healthy: { interval: between(0, 65535) } })],
      [active({ healthy: { successes: 256 } }), inActive({ healthy: { successes: between(0, 255) } })],
      [active({ healthy: { http_statuses: [99] } }), inActive({ healthy: { http_statuses: [between(100, 999)] } })],
      [active({ healthy: { http_statuses: ['x'] } }), inActive({ healthy: { http_statuses: ['expected an integer'] } })],
      [active({ unhealthy: { tcp_failures: -1 } }), inActive({ unhealthy: { tcp_failures: between(0, 255) } })],
      [active({ unhealthy: { timeouts: 256 } }), inActive({ unhealthy: { timeouts: between(0, 255) } })],
      [active({ unhealthy: { http_failures: 'x' } }), inActive({ unhealthy: { http_failures: 'expected an integer' } })],
      [passive({ type: 'icmp' }), inPassive({ type: 'expected one of: tcp, http, https, grpc, grpcs' })],
      [passive({ healthy: { successes: 256 } }), inPassive({ healthy: { successes: between(0, 255) } })],
      [passive({ unhealthy: { http_statuses: [1000] } }), inPassive({ unhealthy: { http_statuses: [between(100, 999)] } })],
      [passive({ timeout: 1 }), inPassive({ timeout: 'unknown field' })],
      [{ name: 'u', healthchecks: { threshold: 101 } }, { healthchecks: { threshold: between(0, 100) } }],
      [{ name: 'u', healthchecks: { colour: 'red' } }, { healthchecks: { colour: 'unknown field' } }],
    ]),
    get('/upstreams', 200, { data: [], next: null }),
  ],
  'a type that JSON can get wrong': jsonOnly([
    ...refused('POST', '/upstreams', [
      [{ name: 1 }, { name: 'expected a string' }],
      [{ name: 'u', slots: '10' }, { slots: 'expected an integer' }],
      [{ name: 'u', healthchecks: 'all' }, { healthchecks: 'expected a record' }],
      [{ name: 'u', healthchecks: { active: 1 } }, { healthchecks: { active: 'expected a record' } }],
      [active({ healthy: { http_statuses: 200 } }), inActive({ healthy: { http_statuses: 'expected an array' } })],
    ]),
  ]),
  'every verb, by id and by name': [
    post('/upstreams', { id: ID, name: 'u', tags: ['t'], created_at: 1422386534 }, 201),
    post('/upstreams', { name: 'u' }, 409, uniqueViolation('name', 'u')),
    post('/upstreams', { id: ID, name: 'v' }, 400, primaryKeyViolation(ID)),
    get(`/upstreams/${ID}`, 200, row({ name: 'u' })),
    patch('/upstreams/u', { slots: 100 }, 200, row({ id: ID, slots: 100, tags: ['t'], created_at: 1422386534 })),
    patch(`/upstreams/${ID}`, { name: 'renamed' }, 200, row({ name: 'renamed', slots: 100 })),
    patch('/upstreams/u', { slots: 10 }, 404, NOT_FOUND),
    put(`/upstreams/${OTHER_ID}`, { name: 'other' }, 200, { ...DEFAULTS, id: OTHER_ID, name: 'other' }),
    put('/upstreams/new', { slots: 20 }, 200, { ...DEFAULTS, name: 'new', slots: 20 }),
    put(`/upstreams/${OTHER_ID}`, { name: 'renamed' }, 409, uniqueViolation('name', 'renamed')),
    put('/upstreams/bad', { slots: 1 }, 400, violation({ slots: between(10, 65536) })),
    get('/upstreams', 200, names('name', 'renamed', 'other', 'new')),
    get('/upstreams?tags=t', 200, names('name', 'renamed')),
    remove('/upstreams/renamed', 204, null),
    remove('/upstreams/renamed', 204, null),
    remove(`/upstreams/${OTHER_ID}`, 204, null),
    put('/upstreams', { name: 'x' }, 405, METHOD_NOT_ALLOWED),
    remove('/upstreams', 405, METHOD_NOT_ALLOWED),
    { method: 'OPTIONS', path: '/upstreams', status: 204, headers: { allow: 'GET, HEAD, OPTIONS, POST' } },
  ],
};
