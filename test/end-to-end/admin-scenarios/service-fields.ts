import { names, row, violation } from './answers.ts';
import { between, invalidName, invalidTag, PROTOCOLS } from './messages.ts';
import { get, ID, jsonOnly, patch, post, refused, type Table } from './scenario.ts';

const ONLY_TLS = "failed conditional validation given value of field 'protocol'";
const TIMEOUT = between(1, 2147483646);

/** What the fields of a service may hold. */
export const serviceFields: Table = {
  'hosts are names or addresses': [
    post('/services', { host: '127.0.0.1' }, 201, row({ host: '127.0.0.1' })),
    post('/services', { host: 'a.b-c_d.example' }, 201, row({ host: 'a.b-c_d.example' })),
    post('/services', { host: 'trailing.dot.' }, 201, row({ host: 'trailing.dot.' })),
    post('/services', { host: '::1' }, 201, row({ host: '::1' })),
    ...refused('POST', '/services', [
      [{ host: 'h:80' }, { host: 'must not have a port' }],
      [{ host: 'h:99999' }, { host: 'must not have a port' }],
      [{ host: '127.0.0.1:80' }, { host: 'must not have a port' }],
      [{ host: 'a b' }, { host: 'invalid value: a b' }],
      [{ host: 'a..b' }, { host: 'invalid value: a..b' }],
      [{ host: 'a-.b' }, { host: 'invalid value: a-.b' }],
      [{ host: '256.1.1.1' }, { host: 'invalid value: 256.1.1.1' }],
      [{ host: 'h?' }, { host: 'invalid value: h?' }],
    ]),
    get('/services', 200, names('host', '127.0.0.1', 'a.b-c_d.example', 'trailing.dot.', '::1')),
  ],
  'what is wrong with a field is said at the field': [
    ...refused('POST', '/services', [
      [{ name: 'x' }, { host: 'required field missing' }],
      [{ host: 'h', colour: 'red' }, { colour: 'unknown field' }],
      [{ host: 'h', id: 'x' }, { id: 'expected a valid UUID' }],
      [{ host: 'h', port: 'high' }, { port: 'expected an integer' }],
      [{ host: 'h', port: 80.5 }, { port: 'expected an integer' }],
      [{ host: 'h', port: -1 }, { port: between(0, 65535) }],
      [{ host: 'h', port: 65536 }, { port: between(0, 65535) }],
      [{ host: 'h', retries: -1 }, { retries: between(0, 32767) }],
      [{ host: 'h', retries: 32768 }, { retries: between(0, 32767) }],
      [{ host: 'h', retries: 'often' }, { retries: 'expected an integer' }],
      [{ host: 'h', connect_timeout: 0 }, { connect_timeout: TIMEOUT }],
      [{ host: 'h', write_timeout: 2147483647 }, { write_timeout: TIMEOUT }],
      [{ host: 'h', read_timeout: -5 }, { read_timeout: TIMEOUT }],
      [{ host: 'h', protocol: 'ftp' }, { protocol: PROTOCOLS }],
      [{ host: 'h', protocol: 'HTTP' }, { protocol: PROTOCOLS }],
      [{ host: 'h', enabled: 'yes' }, { enabled: 'expected a boolean' }],
      [{ host: 'h', path: 'p' }, { path: 'should start with: /' }],
      [{ host: 'h', path: '/a//b' }, { path: 'must not have empty segments' }],
      [{ host: 'h', path: '/a b' }, { path: "invalid path: '/a b' (characters outside of the reserved list of RFC 3986 found)" }],
      [{ host: 'h', path: '/%zz' }, { path: "invalid url-encoded value: '%zz'" }],
      [{ host: 'h', path: '/a%4' }, { path: "invalid url-encoded value: '%4'" }],
      [{ host: 'h', name: 'a b' }, { name: invalidName('a b') }],
      [{ host: 'h', name: 'a/b' }, { name: invalidName('a/b') }],
      [{ host: 'h', name: 'a@b' }, { name: invalidName('a@b') }],
      [{ host: 'h', tags: ['a,b'] }, { tags: [invalidTag('a,b')] }],
      [{ host: 'h', tags: ['a/b'] }, { tags: [invalidTag('a/b')] }],
      [
        { port: 'x', retries: 'y' },
        { host: 'required field missing', port: 'expected an integer', retries: 'expected an integer' },
      ],
    ]),
    get('/services', 200, { data: [], next: null }),
  ],
  'a type that JSON can get wrong': jsonOnly([
    ...refused('POST', '/services', [
      [{ host: 1 }, { host: 'expected a string' }],
      [{ host: true }, { host: 'expected a string' }],
      [{ host: ['h'] }, { host: 'expected a string' }],
      [{ host: null }, { host: 'required field missing' }],
      [{ host: '' }, { host: 'length must be at least 1' }],
      [{ host: 'h', name: '' }, { name: 'length must be at least 1' }],
      [{ host: 'h', port: '80' }, { port: 'expected an integer' }],
      [{ host: 'h', port: null }, { port: 'required field missing' }],
      [{ host: 'h', enabled: 1 }, { enabled: 'expected a boolean' }],
      [{ host: 'h', enabled: null }, { enabled: 'required field missing' }],
      [{ host: 'h', tags: 'a' }, { tags: 'expected a set' }],
      [{ host: 'h', tags: [1] }, { tags: ['expected a string'] }],
      [{ host: 'h', tags: ['a', 2] }, { tags: [null, 'expected a string'] }],
      [{ host: 'h', ca_certificates: ['x'], protocol: 'https' }, { ca_certificates: ['expected a valid UUID'] }],
      [{ host: 'h', created_at: 'now' }, { created_at: 'expected an integer' }],
    ]),
  ]),
  'TLS belongs to https': [
    ...refused('POST', '/services', [
      [
        { host: 'h', tls_verify: true },
        { '@entity': [ONLY_TLS], tls_verify: 'value must be null' },
      ],
      [
        { host: 'h', client_certificate: { id: ID } },
        { '@entity': [ONLY_TLS], client_certificate: 'value must be null' },
      ],
      [
        { host: 'h', ca_certificates: [ID] },
        { '@entity': [ONLY_TLS], ca_certificates: 'value must be null' },
      ],
      [
        { host: 'h', tls_verify: true, client_certificate: { id: ID } },
        { '@entity': [ONLY_TLS, ONLY_TLS], client_certificate: 'value must be null', tls_verify: 'value must be null' },
      ],
    ]),
    post('/services', { name: 'tls', protocol: 'https', host: 'h', tls_verify: true }, 201, row({ tls_verify: true })),
    patch('/services/tls', { protocol: 'http' }, 400, violation({ '@entity': [ONLY_TLS], tls_verify: 'value must be null' })),
    patch('/services/tls', { protocol: 'http', tls_verify: null }, 200, row({ protocol: 'http', tls_verify: null })),
  ],
};
