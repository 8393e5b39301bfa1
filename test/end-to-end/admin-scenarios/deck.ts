import { expect } from 'bun:test';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { entitiesOf } from '../../../src/gateway/entities.ts';
import { enabledPlugins } from '../../../src/plugins/registry.ts';
import { NOT_FOUND, names, row, rows } from './answers.ts';
import { get, ID, jsonOnly, OTHER_ID, post, put, remove, type Step, type Table, THIRD_ID } from './scenario.ts';

const read = (name: string): string => readFileSync(join(import.meta.dir, '../../fixtures/tls', `${name}.pem`), 'utf8');
const id = (digit: string): string => `${digit.repeat(8)}-${digit.repeat(4)}-4${digit.repeat(3)}-8${digit.repeat(3)}-${digit.repeat(12)}`;
const [GROUP, UPSTREAM, CERTIFICATE, AUTHORITY, SET, KEY, VAULT, PLUGIN] = ['4', '5', '6', '7', '8', '9', 'a', 'b'].map(id) as [
  string,
  string,
  string,
  string,
  string,
  string,
  string,
  string,
];
const TAGS = ['managed'];

/** What decK lists, in pages of a thousand. go-database-reconciler pkg/dump/dump.go */
const LISTED = [
  'services',
  'routes',
  'plugins',
  'consumers',
  'consumer_groups',
  'upstreams',
  'certificates',
  'ca_certificates',
  'snis',
  'vaults',
  'keys',
  'key-sets',
];
/** What plugins may bring. */
const CREDENTIALS = ['key-auths', 'hmac-auths', 'jwts', 'basic-auths', 'oauth2', 'acls'];
const known = new Set(entitiesOf(enabledPlugins(['bundled'])).map(({ name, adminApiName = name }) => adminApiName));
LISTED.push(...CREDENTIALS.filter(path => known.has(path)));
/** What it lists too, and takes a 404 for none. */
const NOT_HERE = [...CREDENTIALS.filter(path => !known.has(path)), 'filter-chains', 'partials', 'mtls-auths', 'licenses'];

const dump = (query: string): Step[] => [
  ...LISTED.map(path => get(`/${path}?${query}`, 200, row({ data: expect.any(Array), next: null }))),
  ...NOT_HERE.map(path => get(`/${path}?${query}`, 404, NOT_FOUND)),
];

/** Every row is put at an id that decK chose; only targets and members of groups are posted. go-kong `Create` of each service. */
const SYNC: readonly Step[] = [
  put(
    `/certificates/${CERTIFICATE}`,
    { id: CERTIFICATE, cert: read('certificate'), key: read('key'), tags: TAGS },
    200,
    row({ id: CERTIFICATE }),
  ),
  put(
    `/snis/${id('c')}`,
    { id: id('c'), name: 'a.example', certificate: { id: CERTIFICATE }, tags: TAGS },
    200,
    row({ name: 'a.example' }),
  ),
  put(`/ca_certificates/${AUTHORITY}`, { id: AUTHORITY, cert: read('authority'), tags: TAGS }, 200, row({ id: AUTHORITY })),
  put(
    `/services/${ID}`,
    {
      id: ID,
      name: 's',
      protocol: 'https',
      host: 'h.example',
      port: 443,
      retries: 5,
      connect_timeout: 60000,
      read_timeout: 60000,
      write_timeout: 60000,
      enabled: true,
      client_certificate: { id: CERTIFICATE },
      tags: TAGS,
    },
    200,
    row({ id: ID, name: 's' }),
  ),
  put(
    `/routes/${OTHER_ID}`,
    {
      id: OTHER_ID,
      name: 'r',
      paths: ['/r'],
      protocols: ['http', 'https'],
      service: { id: ID },
      strip_path: true,
      preserve_host: false,
      path_handling: 'v0',
      regex_priority: 0,
      https_redirect_status_code: 426,
      request_buffering: true,
      response_buffering: true,
      tags: TAGS,
    },
    200,
    row({ service: { id: ID } }),
  ),
  put(`/consumers/${THIRD_ID}`, { id: THIRD_ID, username: 'c', tags: TAGS }, 200, row({ username: 'c' })),
  put(`/consumer_groups/${GROUP}`, { id: GROUP, name: 'g', tags: TAGS }, 200, row({ name: 'g' })),
  post(`/consumer_groups/${GROUP}/consumers`, { consumer: THIRD_ID }, 201, row({ consumer_group: row({ id: GROUP }) })),
  put(
    `/upstreams/${UPSTREAM}`,
    {
      id: UPSTREAM,
      name: 'h.example',
      slots: 10000,
      algorithm: 'round-robin',
      hash_on: 'none',
      hash_fallback: 'none',
      hash_on_cookie_path: '/',
      tags: TAGS,
    },
    200,
    row({ name: 'h.example' }),
  ),
  post(
    `/upstreams/${UPSTREAM}/targets`,
    { id: id('d'), target: '127.0.0.1:80', weight: 100, upstream: { id: UPSTREAM }, tags: TAGS },
    201,
    row({ id: id('d') }),
  ),
  put(
    `/plugins/${PLUGIN}`,
    {
      id: PLUGIN,
      name: 'file-log',
      config: { path: '/tmp/a.log', reopen: false, custom_fields_by_lua: null },
      route: { id: OTHER_ID },
      enabled: true,
      protocols: ['grpc', 'grpcs', 'http', 'https'],
      tags: TAGS,
    },
    200,
    row({ route: { id: OTHER_ID } }),
  ),
  put(`/key-sets/${SET}`, { id: SET, name: 'k', tags: TAGS }, 200, row({ name: 'k' })),
  put(
    `/keys/${KEY}`,
    { id: KEY, name: 'key', kid: '42', set: { id: SET }, pem: { private_key: read('key') }, tags: TAGS },
    200,
    row({ set: { id: SET } }),
  ),
  put(
    `/vaults/${VAULT}`,
    { id: VAULT, name: 'env', prefix: 'my-env', config: { prefix: 'MY_' }, tags: TAGS },
    200,
    row({ prefix: 'my-env' }),
  ),
];

/** What `deck gateway` asks and writes, and what it requires of the answers. */
export const deck: Table = {
  'the first questions': jsonOnly([
    get('/', 200, row({ version: '3.9.1', configuration: expect.any(Object) })),
    ...['services', 'routes', 'upstreams', 'targets', 'consumers', 'consumer_groups', 'plugins'].map(entity =>
      get(`/schemas/${entity}`, 200, row({ fields: expect.any(Array) })),
    ),
    get('/schemas/plugins/file-log', 200, row({ fields: expect.any(Array) })),
  ]),
  'a dump of nothing': jsonOnly(dump('size=1000')),
  'a sync, and a dump of what it wrote': jsonOnly([
    ...SYNC,
    ...dump('size=1000'),
    ...dump('size=1000&tags=managed'),
    get('/services?size=1000&tags=managed', 200, rows({ id: ID })),
    get('/services?size=1000&tags=managed,other', 200, rows()),
    get('/plugins?size=1000', 200, rows({ id: PLUGIN, config: { path: '/tmp/a.log', reopen: false, custom_fields_by_lua: null } })),
    get(`/upstreams/${UPSTREAM}/targets?size=1000&tags=managed`, 200, rows({ target: '127.0.0.1:80' })),
    // It asks for each group by its name.
    get('/consumer_groups/g', 200, row({ consumer_group: row({ id: GROUP }), consumers: [row({ id: THIRD_ID })] })),
    get('/consumer_groups/g?list_consumers=false', 200, row({ consumer_group: row({ id: GROUP }) })),
  ]),
  'a sync again changes nothing, another one does': jsonOnly([
    ...SYNC.filter(({ method }) => method === 'PUT'),
    ...SYNC.filter(({ method }) => method === 'PUT'),
    get('/services', 200, names('id', ID)),
    put(
      `/services/${ID}`,
      { id: ID, name: 'renamed', protocol: 'http', host: 'i.example', tags: TAGS },
      200,
      row({ id: ID, name: 'renamed', client_certificate: null }),
    ),
    put(
      `/plugins/${PLUGIN}`,
      { id: PLUGIN, name: 'file-log', config: { path: '/tmp/b.log', reopen: true }, consumer: { id: THIRD_ID }, tags: TAGS },
      200,
      row({ route: null, consumer: { id: THIRD_ID } }),
    ),
    get('/services/renamed', 200, row({ id: ID })),
  ]),
  'a reset': jsonOnly([
    ...SYNC,
    remove(`/plugins/${PLUGIN}`),
    remove(`/routes/${OTHER_ID}`),
    remove(`/services/${ID}`),
    remove(`/upstreams/${UPSTREAM}/targets/${id('d')}`),
    remove(`/upstreams/${UPSTREAM}`),
    remove(`/consumer_groups/${GROUP}/consumers/${THIRD_ID}`),
    remove(`/consumers/${THIRD_ID}`),
    remove(`/consumer_groups/${GROUP}`),
    remove(`/snis/${id('c')}`),
    remove(`/certificates/${CERTIFICATE}`),
    remove(`/ca_certificates/${AUTHORITY}`),
    remove(`/keys/${KEY}`),
    remove(`/key-sets/${SET}`),
    remove(`/vaults/${VAULT}`),
    ...LISTED.map(path => get(`/${path}?size=1000`, 200, { data: [], next: null })),
  ]),
};
