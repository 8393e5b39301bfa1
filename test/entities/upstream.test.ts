import { describe, expect, test } from 'bun:test';
import { type Upstream, upstream } from '../../src/entities/upstream.ts';
import { validate, validateChange } from '../../src/schema/validate.ts';

const errorsOf = (input: object) => {
  const result = validate(upstream.schema, { name: 'a.test', ...input });
  return 'errors' in result ? result.errors : undefined;
};

function valid(input: object): Upstream {
  const result = validate(upstream.schema, { name: 'a.test', ...input });
  if ('errors' in result) throw new Error(JSON.stringify(result.errors));
  return result.value;
}

test('an upstream needs no more than a name', () => {
  const { healthchecks, ...rest } = valid({});
  expect(rest).toEqual({
    id: null as never,
    created_at: null as never,
    updated_at: null as never,
    name: 'a.test',
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
    tags: null,
    host_header: null,
    client_certificate: null,
    use_srv_name: false,
  });
  expect(healthchecks).toMatchObject({
    threshold: 0,
    active: { type: 'http', timeout: 1, concurrency: 10, http_path: '/', https_sni: null, headers: null, https_verify_certificate: true },
    passive: { type: 'http', healthy: { successes: 0 }, unhealthy: { http_statuses: [429, 500, 503], timeouts: 0 } },
  });
});

test('of health checks, what is left out is as ever', () => {
  const { healthchecks } = valid({ healthchecks: { active: { unhealthy: { interval: 5 } } } });
  expect(healthchecks).toEqual({
    ...valid({}).healthchecks,
    active: { ...valid({}).healthchecks?.active, unhealthy: { ...valid({}).healthchecks?.active?.unhealthy, interval: 5 } },
  } as never);
});

test.each([
  ['api.v1.service', undefined],
  ['a_b-c', undefined],
  ['10.0.0.1', 'Invalid name; no ip addresses allowed'],
  ['::1', 'Invalid name; no ip addresses allowed'],
  ['a.test:80', 'Invalid name; no port allowed'],
  ['a b', 'Invalid name; must be a valid hostname'],
  ['a..b', 'Invalid name; must be a valid hostname'],
  ['a:99999', 'Invalid name; must be a valid hostname'],
  ['', 'length must be at least 1'],
  [null, 'required field missing'],
  [1, 'expected a string'],
])('the name %j: %j', (name, message) => {
  expect(errorsOf({ name })).toEqual(message === undefined ? undefined : { name: message });
});

describe('what is hashed', () => {
  const check = (field: string, message: string, because = 'hash_on') => ({
    [field]: message,
    '@entity': [`failed conditional validation given value of field '${because}'`],
  });
  const missing = 'required field missing';

  test.each([
    [{ hash_on: 'header' }, check('hash_on_header', missing)],
    [{ hash_on: 'ip', hash_fallback: 'header' }, check('hash_fallback_header', missing, 'hash_fallback')],
    [{ hash_on: 'cookie' }, check('hash_on_cookie', missing)],
    [{ hash_on: 'ip', hash_fallback: 'cookie' }, check('hash_on_cookie', missing, 'hash_fallback')],
    [{ hash_on: 'query_arg' }, check('hash_on_query_arg', missing)],
    [{ hash_on: 'ip', hash_fallback: 'query_arg' }, check('hash_fallback_query_arg', missing, 'hash_fallback')],
    [{ hash_on: 'uri_capture' }, check('hash_on_uri_capture', missing)],
    [{ hash_on: 'ip', hash_fallback: 'uri_capture' }, check('hash_fallback_uri_capture', missing, 'hash_fallback')],
    [{ hash_fallback: 'ip' }, check('hash_fallback', 'expected one of: none')],
    [{ hash_on: 'cookie', hash_on_cookie: 'c', hash_fallback: 'ip' }, check('hash_fallback', 'expected one of: none')],
    [
      { hash_on: 'consumer', hash_fallback: 'consumer' },
      check('hash_fallback', 'expected one of: none, ip, header, cookie, path, query_arg, uri_capture'),
    ],
    [
      { hash_on: 'ip', hash_fallback: 'ip' },
      check('hash_fallback', 'expected one of: none, consumer, header, cookie, path, query_arg, uri_capture'),
    ],
    [
      { hash_on: 'path', hash_fallback: 'path' },
      check('hash_fallback', 'expected one of: none, consumer, header, cookie, query_arg, ip, uri_capture'),
    ],
    ...['header', 'query_arg', 'uri_capture'].map(
      input =>
        [
          { hash_on: input, hash_fallback: input, [`hash_on_${input}`]: 'x', [`hash_fallback_${input}`]: 'x' },
          { '@entity': [`values of these fields must be distinct: 'hash_on_${input}', 'hash_fallback_${input}'`] },
        ] as const,
    ),
  ] as const)('is named, and falls back on something else: %j', (input, errors) => {
    expect(errorsOf(input)).toEqual(errors as never);
  });

  test.each([
    { hash_on: 'header', hash_on_header: 'x-user', hash_fallback: 'header', hash_fallback_header: 'x-other' },
    { hash_on: 'cookie', hash_on_cookie: 'user', hash_on_cookie_path: '/a' },
    { hash_on: 'consumer', hash_fallback: 'cookie', hash_on_cookie: 'user' },
    { hash_on: 'uri_capture', hash_on_uri_capture: 'id', hash_fallback: 'ip' },
    { hash_on: 'path', hash_fallback: 'query_arg', hash_fallback_query_arg: 'q' },
  ])('may be %j', input => {
    expect(valid(input)).toMatchObject({ ...input, algorithm: 'consistent-hashing' } as never);
  });
});

describe('the algorithm', () => {
  test.each([
    [{ algorithm: 'least-connections' }, 'least-connections', 'none'],
    [{ algorithm: 'latency' }, 'latency', 'none'],
    [{ algorithm: 'latency', hash_on: 'none' }, 'latency', 'none'],
    [{ algorithm: 'least-connections', hash_on: 'ip' }, 'least-connections', 'none'],
    [{ algorithm: 'round-robin', hash_on: 'ip' }, 'consistent-hashing', 'ip'],
    [{ algorithm: 'consistent-hashing', hash_on: 'none' }, 'round-robin', 'none'],
    [{ algorithm: 'consistent-hashing', hash_on: null }, 'consistent-hashing', 'none'],
    [{ hash_on: 'ip' }, 'consistent-hashing', 'ip'],
  ])('of %j is %s, on %s', (input, algorithm, hash_on) => {
    expect(valid(input)).toMatchObject({ algorithm, hash_on } as never);
  });

  test.each([
    [{ algorithm: 'latency' }, { hash_on: 'ip' }, 'consistent-hashing', 'ip'],
    [{ hash_on: 'ip' }, { algorithm: 'least-connections' }, 'least-connections', 'none'],
    [{ algorithm: 'consistent-hashing' }, { slots: 20 }, 'consistent-hashing', 'none'],
    [{ hash_on: 'ip' }, { hash_on: 'none' }, 'round-robin', 'none'],
  ])('of %j, changed by %j, is %s on %s', (input, change, algorithm, hash_on) => {
    const { id, created_at, updated_at, ...old } = valid(input);
    const row = { id: 'aaaaaaaa-0000-4000-8000-000000000000', created_at: 1, updated_at: 1, ...old };
    expect(validateChange(upstream.schema, row, change)).toMatchObject({ value: { algorithm, hash_on } });
  });
});

const TOKEN =
  'contains one or more invalid characters. ASCII control characters (0-31;127), space, tab and the characters ()<>@,;:\\"/?={}[] are not allowed.';

test.each([
  ['algorithm', 'random', 'expected one of: consistent-hashing, least-connections, round-robin, latency'],
  ['hash_on', 'x', 'expected one of: none, consumer, ip, header, cookie, path, query_arg, uri_capture'],
  ['hash_on_header', 'a b', "bad header name 'a b', allowed characters are A-Z, a-z, 0-9, '_', and '-'"],
  ['hash_on_cookie', 'a b', TOKEN],
  ['hash_on_cookie', 'a=b', TOKEN],
  ['hash_on_cookie', 'é', TOKEN],
  ['hash_on_cookie', 'a.b!c', undefined],
  ['hash_on_cookie_path', 'a', 'should start with: /'],
  ['hash_on_cookie_path', '//', 'must not have empty segments'],
  ['hash_on_cookie_path', '/%zz', "invalid url-encoded value: '%zz'"],
  ['hash_on_query_arg', '', 'length must be at least 1'],
  ['slots', 9, 'value should be between 10 and 65536'],
  ['slots', 65537, 'value should be between 10 and 65536'],
  ['slots', 65536, undefined],
  ['host_header', 'a.test:8080', undefined],
  ['host_header', 'a b', 'invalid hostname: a b'],
  ['client_certificate', { id: 'x' }, { id: 'expected a valid UUID' }],
  ['healthchecks', { threshold: 101 }, { threshold: 'value should be between 0 and 100' }],
  ['healthchecks', { active: { type: 'udp' } }, { active: { type: 'expected one of: tcp, http, https, grpc, grpcs' } }],
  ['healthchecks', { active: { concurrency: 0 } }, { active: { concurrency: 'value should be between 1 and 2147483648' } }],
  ['healthchecks', { active: { https_sni: '10.0.0.1' } }, { active: { https_sni: 'must not be an IP' } }],
  ['healthchecks', { active: { headers: { a: 'b' } } }, { active: { headers: 'expected an array' } }],
  ['healthchecks', { active: { headers: { a: ['b'] } } }, undefined],
  [
    'healthchecks',
    { active: { healthy: { interval: 65536 } } },
    { active: { healthy: { interval: 'value should be between 0 and 65535' } } },
  ],
  ['healthchecks', { active: { healthy: { interval: 0.5 } } }, undefined],
  [
    'healthchecks',
    { passive: { unhealthy: { http_statuses: [99], tcp_failures: 256 } } },
    {
      passive: { unhealthy: { http_statuses: ['value should be between 100 and 999'], tcp_failures: 'value should be between 0 and 255' } },
    },
  ],
  ['healthchecks', { passive: { healthy: { interval: 1 } } }, { passive: { healthy: { interval: 'unknown field' } } }],
] as const)('the field %s of %j: %j', (field, value, error) => {
  expect(errorsOf({ [field]: value })?.[field] as unknown).toEqual(error);
});
