import { expect } from 'bun:test';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { enabledPlugins } from '../../../src/plugins/registry.ts';
import { names, row, rows } from './answers.ts';
import { get, ID, jsonOnly, OTHER_ID, patch, post, put, remove, type Step, type Table, THIRD_ID } from './scenario.ts';

const read = (name: string): string => readFileSync(join(import.meta.dir, '../../fixtures/tls', `${name}.pem`), 'utf8');
const [CERT, KEY, AUTHORITY] = [read('certificate'), read('key'), read('authority')];
const TAGS = ['user-level', 'low-priority'];
const OTHER_TAGS = ['admin', 'high-priority', 'critical'];

/** A form as curl's `-d` sends it. */
const form = (method: string, path: string, body: string, status: number, answer?: unknown): Step => {
  return { method, path, body, type: 'application/x-www-form-urlencoded', status, answer };
};
const CERTIFICATES = [
  post('/certificates', { id: ID, cert: CERT, key: KEY }, 201),
  post('/ca_certificates', { id: OTHER_ID, cert: AUTHORITY }, 201),
];
const SERVICE = {
  name: 'my-service',
  retries: 5,
  protocol: 'https',
  host: 'example.com',
  port: 80,
  path: '/some_api',
  connect_timeout: 60000,
  write_timeout: 60000,
  read_timeout: 60000,
  tags: TAGS,
  client_certificate: { id: ID },
  tls_verify: true,
  ca_certificates: [OTHER_ID],
  enabled: true,
};
const ROUTE = {
  name: 'my-route',
  protocols: ['http', 'https'],
  methods: ['GET', 'POST'],
  hosts: ['example.com', 'foo.test'],
  paths: ['/foo', '/bar'],
  headers: { 'x-my-header': ['foo', 'bar'], 'x-another-header': ['bla'] },
  https_redirect_status_code: 426,
  regex_priority: 0,
  strip_path: true,
  path_handling: 'v0',
  preserve_host: false,
  request_buffering: true,
  response_buffering: true,
  tags: TAGS,
};
const UPSTREAM = {
  name: 'my-upstream',
  algorithm: 'round-robin',
  hash_on: 'none',
  hash_fallback: 'none',
  hash_on_cookie_path: '/',
  slots: 10000,
  healthchecks: {
    passive: {
      type: 'http',
      healthy: {
        http_statuses: [200, 201, 202, 203, 204, 205, 206, 207, 208, 226, 300, 301, 302, 303, 304, 305, 306, 307, 308],
        successes: 0,
      },
      unhealthy: { http_statuses: [429, 500, 503], timeouts: 0, http_failures: 0, tcp_failures: 0 },
    },
    threshold: 0,
    active: {
      https_verify_certificate: true,
      healthy: { http_statuses: [200, 302], successes: 0, interval: 0 },
      unhealthy: { http_statuses: [429, 404, 500, 501, 502, 503, 504, 505], timeouts: 0, http_failures: 0, interval: 0, tcp_failures: 0 },
      http_path: '/',
      timeout: 1,
      concurrency: 10,
      https_sni: 'example.com',
      headers: { 'x-my-header': ['foo', 'bar'], 'x-another-header': ['bla'] },
      type: 'http',
    },
  },
  tags: TAGS,
  host_header: 'example.com',
  client_certificate: { id: ID },
  use_srv_name: false,
};
const RATE_LIMITING = { name: 'rate-limiting', config: { minute: 20, hour: 500 } };
const UPPER = '24D0DBDA-671C-11ED-BA0B-EF1DCCD3725F';
const MY_KEY = { name: 'my-key', kid: '42', tags: ['application-a', 'public-key-xyz'] };
const VAULT = {
  prefix: 'my-env',
  name: 'env',
  description: 'where the passwords of the database are',
  config: { prefix: 'SSL_' },
  tags: ['database-credentials', 'data-plane'],
};

/** What the Admin API reference of Kong 3.9 shows: its values, for the objects that it shows. docs.konghq.com/gateway/3.9.x/admin-api */
export const documentation: Table = {
  'the service object': [
    ...CERTIFICATES,
    post('/services', SERVICE, 201, row(SERVICE)),
    patch('/services/my-service', { path: '/another_api', tags: OTHER_TAGS }, 200, row({ path: '/another_api', tags: OTHER_TAGS })),
    put('/services/my-service', SERVICE, 200, row(SERVICE)),
    // The reference shows these fields with the protocol http, which its own schema refuses.
    post(
      '/services',
      { ...SERVICE, name: 'as-shown', protocol: 'http' },
      400,
      row({
        fields: row({ tls_verify: 'value must be null', client_certificate: 'value must be null', ca_certificates: 'value must be null' }),
      }),
    ),
    get(`/certificates/${ID}/services`, 200, names('name', 'my-service')),
    get(`/certificates/${ID}/services/my-service`, 200, row({ name: 'my-service' })),
  ],
  'the route object': [
    post('/services', { id: ID, name: 'my-service', host: 'example.com' }, 201),
    post('/routes', { ...ROUTE, service: { id: ID } }, 201, row({ ...ROUTE, service: { id: ID } })),
    patch('/routes/my-route', { tags: OTHER_TAGS }, 200, row({ tags: OTHER_TAGS })),
    put('/services/my-service/routes/my-route', ROUTE, 200, row({ ...ROUTE, service: { id: ID } })),
    get('/routes/my-route/service', 200, row({ name: 'my-service' })),
    // The second object it shows is one of streams, which this gateway does not proxy.
    post(
      '/routes',
      { name: 'stream', protocols: ['tcp', 'tls'], sources: [{ ip: '10.1.0.0/16', port: 1234 }, { ip: '10.2.2.2' }, { port: 9123 }] },
      400,
      row({ name: 'schema violation' }),
    ),
  ],
  'the consumer object': [
    post(
      '/consumers',
      { username: 'my-username', custom_id: 'my-custom-id', tags: TAGS },
      201,
      row({ username: 'my-username', custom_id: 'my-custom-id', tags: TAGS }),
    ),
    get('/consumers?custom_id=my-custom-id', 200, rows({ username: 'my-username' })),
    put('/consumers/my-username', { custom_id: 'my-custom-id', tags: OTHER_TAGS }, 200, row({ username: 'my-username', tags: OTHER_TAGS })),
  ],
  'the plugin object': [
    post('/services', { id: ID, name: 'my-service', host: 'example.com' }, 201),
    post('/routes', { id: OTHER_ID, ...ROUTE }, 201),
    post('/consumers', { id: THIRD_ID, username: 'my-username' }, 201),
    post(
      '/plugins',
      {
        name: 'file-log',
        instance_name: 'file-log-foo',
        route: { id: OTHER_ID },
        service: { id: ID },
        consumer: { id: THIRD_ID },
        config: { path: '/tmp/file.log' },
        protocols: ['http', 'https'],
        enabled: true,
        tags: TAGS,
      },
      201,
      row({
        instance_name: 'file-log-foo',
        route: { id: OTHER_ID },
        service: { id: ID },
        consumer: { id: THIRD_ID },
        protocols: ['http', 'https'],
        tags: TAGS,
      }),
    ),
    get('/routes/my-route/plugins/file-log-foo', 200, row({ name: 'file-log' })),
    get('/services/my-service/plugins/file-log-foo', 200, row({ name: 'file-log' })),
    get('/consumers/my-username/plugins/file-log-foo', 200, row({ name: 'file-log' })),
    remove('/plugins/file-log-foo'),
    // The plugin it shows.
    enabledPlugins(['bundled']).some(({ name }) => name === 'rate-limiting')
      ? post('/plugins', RATE_LIMITING, 201, row({ config: row(RATE_LIMITING.config) }))
      : post('/plugins', RATE_LIMITING, 400, row({ name: 'schema violation' })),
  ],
  'the certificate, CA certificate and SNI objects': [
    post('/certificates', { id: ID, cert: CERT, key: KEY, tags: TAGS }, 201, row({ cert: CERT, key: KEY, tags: TAGS })),
    post(
      '/snis',
      { name: 'my-sni', tags: TAGS, certificate: { id: ID } },
      201,
      row({ name: 'my-sni', tags: TAGS, certificate: { id: ID } }),
    ),
    get('/snis/my-sni/certificate', 200, row({ id: ID })),
    put('/snis/my-sni', { certificate: { id: ID }, tags: OTHER_TAGS }, 200, row({ tags: OTHER_TAGS })),
    patch(`/certificates/${ID}/snis/my-sni`, { tags: TAGS }, 200, row({ tags: TAGS })),
    post(
      '/ca_certificates',
      { cert: AUTHORITY, tags: TAGS },
      201,
      row({ cert_digest: expect.stringMatching(/^[0-9a-f]{64}$/), tags: TAGS }),
    ),
  ],
  'the upstream and target objects': [
    ...CERTIFICATES,
    post(
      '/upstreams',
      UPSTREAM,
      201,
      row({
        name: 'my-upstream',
        host_header: 'example.com',
        client_certificate: { id: ID },
        healthchecks: row({ active: row({ https_sni: 'example.com' }) }),
      }),
    ),
    // It shows the headers as a list, which its own schema refuses.
    patch(
      '/upstreams/my-upstream',
      { healthchecks: { active: { headers: [{ 'x-my-header': ['foo'] }] } } },
      400,
      row({ name: 'schema violation' }),
    ),
    put('/upstreams/my-upstream', UPSTREAM, 200, row({ slots: 10000 })),
    post(
      '/upstreams/my-upstream/targets',
      { target: 'example.com:8000', weight: 100, tags: TAGS },
      201,
      row({ target: 'example.com:8000', weight: 100, tags: TAGS }),
    ),
    patch('/upstreams/my-upstream/targets/example.com:8000', { weight: 50 }, 200, row({ weight: 50 })),
    remove('/upstreams/my-upstream/targets/example.com:8000'),
    get(`/certificates/${ID}/upstreams`, 200, names('name', 'my-upstream')),
  ],
  'the vault object': [
    post('/vaults', VAULT, 201, row(VAULT)),
    put('/vaults/my-env', VAULT, 200, row(VAULT)),
    // The reference shows the prefix env, which its own schema refuses.
    post('/vaults', { ...VAULT, prefix: 'env' }, 400, row({ name: 'schema violation' })),
  ],
  'the key set and key objects': [
    // The ids that it shows are in capitals.
    post(
      '/key-sets',
      { id: UPPER, name: 'my-key_set', tags: ['google-keys', 'mozilla-keys'] },
      201,
      row({ id: UPPER.toLowerCase(), name: 'my-key_set' }),
    ),
    post('/keys', { ...MY_KEY, set: { id: UPPER }, pem: { private_key: KEY } }, 201, row({ ...MY_KEY, set: { id: UPPER.toLowerCase() } })),
    // It shows a key as JWK and as PEM at once, which its own schema refuses.
    post(
      '/keys',
      { kid: '42', jwk: '{"alg":"RSA", "kid": "42"}', pem: { private_key: KEY } },
      400,
      row({ fields: { '@entity': expect.arrayContaining(["only one or none of these fields must be set: 'pem', 'jwk'"]) } }),
    ),
    get('/key-sets/my-key_set/keys/my-key', 200, row({ kid: '42' })),
    patch('/key-sets/my-key_set/keys/my-key', { tags: ['RSA', 'ECDSA'] }, 200, row({ tags: ['RSA', 'ECDSA'] })),
    remove('/key-sets/my-key_set/keys/my-key'),
    get('/key-sets/my-key_set/keys', 200, rows()),
  ],
  'lists in forms, in each way it shows': [
    form('POST', '/services', 'name=test&url=http://example.com/p', 201, row({ name: 'test', host: 'example.com', path: '/p' })),
    form('POST', '/services/test/routes', 'name=r1&hosts[]=example.com&hosts[]=foo.test', 201, row({ hosts: ['example.com', 'foo.test'] })),
    form(
      'POST',
      '/services/test/routes',
      'name=r2&hosts[1]=example.com&hosts[2]=foo.test',
      201,
      row({ hosts: ['example.com', 'foo.test'] }),
    ),
    form('POST', '/services/test/routes', 'name=r3&hosts=example.com&hosts=foo.test', 201, row({ hosts: ['example.com', 'foo.test'] })),
    form('POST', '/services/test/routes', 'name=r4&hosts=example.com', 201, row({ hosts: ['example.com'] })),
    form(
      'POST',
      '/services/test/routes',
      'name=r5&paths[]=/foo&methods[]=GET&methods[]=POST&strip_path=false',
      201,
      row({ paths: ['/foo'], methods: ['GET', 'POST'], strip_path: false }),
    ),
    form(
      'POST',
      '/services/test/routes',
      'name=r6&headers.x-my-header=foo&headers.x-my-header=bar&headers.x-another-header=bla',
      201,
      row({ headers: ROUTE.headers }),
    ),
    form(
      'POST',
      '/services/test/plugins',
      'name=http-log&config.http_endpoint=http://127.0.0.1:9/&config.method=PUT&config.timeout=1000',
      201,
      row({ config: row({ method: 'PUT', timeout: 1000 }) }),
    ),
    form('PATCH', '/routes/r5', 'methods=&tags[]=a', 200, row({ methods: null, tags: ['a'] })),
    form('PUT', '/consumers/my-username', 'custom_id=my-custom-id', 200, row({ username: 'my-username' })),
  ],
  tags: jsonOnly([
    post('/services', { id: ID, name: 'one', host: 'example.com', tags: ['example', 'admin'] }, 201),
    post('/services', { name: 'two', host: 'example.com', tags: ['example'] }, 201),
    post('/services', { name: 'three', host: 'example.com', tags: ['admin'] }, 201),
    get('/services?tags=example', 200, names('name', 'one', 'two')),
    get('/services?tags=example,admin', 200, names('name', 'one')),
    get('/services?tags=example/admin', 200, names('name', 'one', 'two', 'three')),
    get('/services?tags=example/admin,other', 400, row({ name: 'invalid options' })),
    post('/services/one/routes', { name: 'r', paths: ['/'], tags: ['x'] }, 201),
    get('/tags/example', 200, row({ data: expect.arrayContaining([{ entity_name: 'services', entity_id: ID, tag: 'example' }]) })),
  ]),
};
