import { describe, expect, test } from 'bun:test';
import { type Route, route } from '../../src/entities/route.ts';
import { validate } from '../../src/schema/validate.ts';
import { violation } from '../../src/schema/violation.ts';

const errorsOf = (input: object) => {
  const result = validate(route.schema, input);
  return 'errors' in result ? result.errors : undefined;
};

function valid(input: object): Route {
  const result = validate(route.schema, input);
  if ('errors' in result) throw new Error(violation(result.errors));
  return result.value;
}

test('a route needs no more than a way to match', () => {
  expect(valid({ paths: ['/chat'] })).toEqual({
    id: null as never,
    created_at: null as never,
    updated_at: null as never,
    name: null,
    protocols: ['http', 'https'],
    https_redirect_status_code: 426,
    strip_path: true,
    preserve_host: false,
    request_buffering: true,
    response_buffering: true,
    tags: null,
    service: null,
    snis: null,
    sources: null,
    destinations: null,
    methods: null,
    hosts: null,
    paths: ['/chat'],
    headers: null,
    regex_priority: 0,
    path_handling: 'v0',
  });
});

describe('what a route matches on', () => {
  const forHttps = "must set one of 'methods', 'hosts', 'headers', 'paths', 'snis' when 'protocols' is 'https'";
  const forHttp = "must set one of 'methods', 'hosts', 'headers', 'paths' when 'protocols' is 'http'";

  test.each([
    [{}, forHttps],
    [{ protocols: ['https'], paths: [] }, forHttps],
    [{ protocols: ['http'] }, forHttp],
    [{ protocols: ['http'], methods: [], hosts: null, headers: {} }, forHttp],
  ])('must be said: %j', (input, message) => {
    expect(errorsOf(input)).toEqual({ '@entity': [message] });
  });

  test.each([
    { methods: ['GET'] },
    { hosts: ['a'] },
    { paths: ['/'] },
    { headers: { version: ['1'] } },
    { snis: ['a.example.com'] },
    { protocols: ['http'], methods: ['GET'] },
  ])('may be any one: %j', input => {
    expect(errorsOf(input)).toBeUndefined();
  });
});

describe('protocols', () => {
  test.each(['grpc', 'grpcs', 'tcp', 'tls', 'tls_passthrough', 'udp'])('%s is refused: nothing here speaks it', name => {
    expect(errorsOf({ protocols: [name], hosts: ['a'] })).toEqual({
      protocols: `protocol '${name}' is not supported: routes are http or https`,
    });
  });

  test.each([
    [['ftp'], 'unknown type: ftp'],
    [['http', 'grpc'], "these sets are mutually exclusive: ('http', 'https'), ('grpc', 'grpcs')"],
    [
      ['http', 'ftp'],
      [null, 'expected one of: grpc, grpcs, http, https, tcp, tls, tls_passthrough, udp'],
    ],
    ['http', 'expected a set'],
    [null, 'required field missing'],
    [[], 'required field missing'],
  ])('of %j are refused', (protocols, message) => {
    expect(errorsOf({ protocols, hosts: ['a'] })).toEqual({ protocols: message } as never);
  });

  test('without TLS take no snis', () => {
    expect(errorsOf({ protocols: ['http'], hosts: ['a'], snis: ['a'] })).toEqual({
      '@entity': ["'snis' can only be set when 'protocols' is 'grpcs', 'https', 'tls' or 'tls_passthrough'"],
      snis: 'length must be 0',
    });
    expect(errorsOf({ protocols: ['http'], hosts: ['a'], snis: [] })).toBeUndefined();
  });

  test.each(['sources', 'destinations'])('of HTTP take no %s', name => {
    const refused = { [name]: `cannot set '${name}' when 'protocols' is 'http' or 'https'` };
    expect(errorsOf({ hosts: ['a'], [name]: [{ ip: '10.0.0.0/8' }] })).toEqual(refused);
    expect(errorsOf({ hosts: ['a'], [name]: null })).toBeUndefined();
  });
});

describe('paths', () => {
  test.each([['/'], ['/v1/chat'], ['/a.b'], ['/a b'], ['/é'], ['/a%2Fb'], ['~/v1/(?<version>\\d+)$'], ['~/a/[^/]+']])(
    '%s is taken',
    path => {
      expect(valid({ paths: [path] }).paths).toEqual([path]);
    },
  );

  test.each([
    ['a', 'should start with: / (fixed path) or ~/ (regex path)'],
    ['~a', 'should start with: / (fixed path) or ~/ (regex path)'],
    ['', 'length must be at least 1'],
    ['/a//b', 'must not have empty segments'],
    ['/a/../b', "non-normalized path, consider use '/b' instead"],
    ['/a/./b', "non-normalized path, consider use '/a/b' instead"],
    ['/%61', "non-normalized path, consider use '/a' instead"],
    ['/a%2f', "non-normalized path, consider use '/a%2F' instead"],
    ['/a%', "invalid url-encoded value: '%'"],
    ['/%zz', "invalid url-encoded value: '%zz'"],
  ])('%s is refused', (path, message) => {
    expect(errorsOf({ paths: ['/ok', path] })).toEqual({ paths: [null, message] });
  });

  test('a pattern that is none is refused with the reason', () => {
    const { paths } = errorsOf({ paths: ['~/a(b'] }) as { paths: string[] };
    expect(paths[0]).toStartWith("invalid regex: '/a(b' (PCRE returned: ");
  });
});

describe('a field', () => {
  test.each([
    ['hosts', ['*.a.b', 'a.*', 'a_b.c:8080', '10.0.0.1', '::1'], undefined],
    ['hosts', ['a*b'], ['invalid wildcard: must be placed at leftmost or rightmost label']],
    ['hosts', ['*'], ['invalid wildcard: must be placed at leftmost or rightmost label']],
    ['hosts', ['*.a.*'], ['invalid wildcard: must have at most one wildcard']],
    ['hosts', ['a b'], ['invalid hostname: a b']],
    ['hosts', ['*.a b'], ['invalid hostname: abc.a b']],
    ['hosts', ['a:99999'], ['invalid port number']],
    ['hosts', ['300.0.0.1'], ['invalid ipv4 address: 300.0.0.1']],
    ['methods', ['GET', 'PURGE'], undefined],
    ['methods', ['get'], ['invalid value: get']],
    ['methods', [1], ['expected a string']],
    ['headers', { 'x-a_b': ['1', '2'] }, undefined],
    ['headers', { Host: ['a'] }, "cannot contain 'host' header, which must be specified in the 'hosts' attribute"],
    ['headers', { 'a b': ['1'] }, "bad header name 'a b', allowed characters are A-Z, a-z, 0-9, '_', and '-'"],
    ['headers', { a: '1' }, 'expected an array'],
    ['headers', { a: [''] }, ['length must be at least 1']],
    ['snis', [], undefined],
    ['snis', ['10.0.0.1'], ['must not be an IP']],
    ['snis', ['a:443'], ['must not have a port']],
    ['snis', ['a b'], ['invalid value: a b']],
    ['path_handling', 'v1', undefined],
    ['path_handling', 'v2', 'expected one of: v0, v1'],
    ['https_redirect_status_code', 308, undefined],
    ['https_redirect_status_code', 200, 'expected one of: 426, 301, 302, 307, 308'],
    ['regex_priority', -5, undefined],
    ['regex_priority', 1.5, 'expected an integer'],
    ['strip_path', null, 'required field missing'],
    ['request_buffering', false, undefined],
    ['service', { id: 'aaaaaaaa-0000-4000-8000-000000000000' }, undefined],
    ['service', { name: 'a' }, { id: 'missing primary key' }],
    ['expression', 'http.path == "/"', 'unknown field'],
  ])('%s of %j', (field, value, message) => {
    const errors = errorsOf({ paths: ['/a'], [field]: value });
    expect(errors).toEqual(message === undefined ? undefined : ({ [field]: message } as never));
  });
});
