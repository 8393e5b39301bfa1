import { describe, expect, test } from 'bun:test';
import { type Service, service } from '../../src/entities/service.ts';
import { validate } from '../../src/schema/validate.ts';
import { violation } from '../../src/schema/violation.ts';

const errorsOf = (input: object) => {
  const result = validate(service.schema, input);
  return 'errors' in result ? result.errors : undefined;
};

function valid(input: object): Service {
  const result = validate(service.schema, input);
  if ('errors' in result) throw new Error(violation(result.errors));
  return result.value;
}

test('a service needs no more than a host', () => {
  expect(valid({ host: 'example.com' })).toEqual({
    id: null as never,
    created_at: null as never,
    updated_at: null as never,
    name: null,
    retries: 5,
    protocol: 'http',
    host: 'example.com',
    port: 80,
    path: null,
    connect_timeout: 60000,
    write_timeout: 60000,
    read_timeout: 60000,
    tags: null,
    client_certificate: null,
    tls_verify: null,
    tls_verify_depth: null,
    ca_certificates: null,
    enabled: true,
  });
});

describe('url', () => {
  test.each([
    ['https://api.openai.com', 'https', 'api.openai.com', 443, null],
    ['http://localhost:32000', 'http', 'localhost', 32000, null],
    ['http://example.com/v1/chat', 'http', 'example.com', 80, '/v1/chat'],
    ['http://example.com/', 'http', 'example.com', 80, '/'],
    ['//example.com:443', 'https', 'example.com', 443, null],
    ['//example.com', 'http', 'example.com', 80, null],
    ['http://[::1]:8080/x', 'http', '::1', 8080, '/x'],
    ['http://[::1]', 'http', '::1', 80, null],
    ['http://me:secret@example.com:81/a?b=c#d', 'http', 'example.com', 81, '/a'],
  ] as const)('%s is taken apart', (url, protocol, host, port, path) => {
    expect(valid({ url })).toMatchObject({ protocol, host, port, path });
  });

  test('wins over the fields it stands for', () => {
    expect(valid({ url: 'https://a', host: 'b', port: 1, path: '/c' })).toMatchObject({ host: 'a', port: 443, path: null });
  });

  test.each([
    ['foo', { host: 'required field missing', path: 'should start with: /' }],
    ['ftp://a', { protocol: 'expected one of: grpc, grpcs, http, https, tcp, tls, tls_passthrough, udp' }],
    ['http://a:b', { port: 'expected an integer' }],
    ['http://a:70000', { port: 'value should be between 0 and 65535' }],
    ['http://a b', { host: 'invalid value: a b' }],
    ['http://a//b', { path: 'must not have empty segments' }],
    ['', { url: 'length must be at least 1' }],
    [80, { url: 'expected a string' }],
  ])('%p is refused field by field', (url, errors) => {
    expect(errorsOf({ url })).toEqual(errors);
  });
});

describe('a field', () => {
  test.each([
    ['name', 'my service', "invalid value 'my service': the only accepted ascii characters are alphanumerics or ., -, _, and ~"],
    ['name', 'a\ud800', 'invalid utf-8 character sequence detected at position 2'],
    ['host', 'a/b', 'invalid value: a/b'],
    ['host', 'a:80', 'must not have a port'],
    ['host', 'a:99999', 'must not have a port'],
    ['host', '300.1.1.1', 'invalid value: 300.1.1.1'],
    ['host', null, 'required field missing'],
    ['port', 65536, 'value should be between 0 and 65535'],
    ['port', '80', 'expected an integer'],
    ['path', 'a', 'should start with: /'],
    ['path', '/a//b', 'must not have empty segments'],
    ['path', '/a b', "invalid path: '/a b' (characters outside of the reserved list of RFC 3986 found)"],
    ['path', '/a%2', "invalid url-encoded value: '%2'"],
    ['path', '/a%zz%20', "invalid url-encoded value: '%zz'"],
    ['retries', 32768, 'value should be between 0 and 32767'],
    ['connect_timeout', 0, 'value should be between 1 and 2147483646'],
    ['read_timeout', 2147483647, 'value should be between 1 and 2147483646'],
    ['tags', ['a,b'], ["invalid tag 'a,b': expected printable ascii (except `,` and `/`) or valid utf-8 sequences"]],
    ['tags', ['ok', 'a/b'], [null, "invalid tag 'a/b': expected printable ascii (except `,` and `/`) or valid utf-8 sequences"]],
    ['tags', ['\ud800'], ['invalid utf-8 character sequence detected at position 1']],
    ['protocol', 'ftp', 'expected one of: grpc, grpcs, http, https, tcp, tls, tls_passthrough, udp'],
    ['protocol', null, 'required field missing'],
    ['enabled', 'yes', 'expected a boolean'],
    ['client_certificate', { id: 'x' }, { id: 'expected a valid UUID' }],
  ])('%s of %j is refused', (field, value, message) => {
    expect(errorsOf({ host: 'a', protocol: 'https', [field]: value })).toEqual({ [field]: message } as never);
  });

  test.each([
    ['name', 'a.B-9_~é'],
    ['host', 'my_upstream.internal'],
    ['host', '10.1.2.3'],
    ['host', '::1'],
    ['path', "/v1/a:b@c!$&'()*+,;=-._~%20"],
    ['retries', 0],
    ['tags', ['two words', 'é', 'a:b']],
    ['tls_verify', false],
  ])('%s of %j is taken', (field, value) => {
    expect(valid({ host: 'a', protocol: 'https', [field]: value })).toMatchObject({ [field]: value });
  });

  test.each(['grpc', 'grpcs', 'tcp', 'tls', 'tls_passthrough', 'udp'])('protocol %s is refused: nothing here speaks it', protocol => {
    expect(errorsOf({ host: 'a', protocol })).toEqual({ protocol: `protocol '${protocol}' is not supported: upstreams are http or https` });
  });

  test.each([
    ['client_certificate', { id: 'aaaaaaaa-0000-4000-8000-000000000000' }],
    ['tls_verify', true],
    ['ca_certificates', []],
  ])('%s is for https only', (field, value) => {
    expect(errorsOf({ host: 'a', [field]: value })).toEqual({
      '@entity': ["failed conditional validation given value of field 'protocol'"],
      [field]: 'value must be null',
    });
  });

  test('what TLS cannot keep is refused', () => {
    expect(errorsOf({ host: 'a', protocol: 'https', tls_verify_depth: 1 })).toEqual({
      tls_verify_depth: 'a depth of verification is not supported: leave it null',
    });
  });
});
