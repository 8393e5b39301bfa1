import { expect } from 'bun:test';
import { createHash, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { METHOD_NOT_ALLOWED, NOT_FOUND, names, noSuchReference, referencedBy, row, rows, uniqueViolation, violation } from './answers.ts';
import { invalidTag } from './messages.ts';
import { get, ID, NOBODY, OTHER_ID, patch, post, put, refused, remove, type Table, THIRD_ID } from './scenario.ts';

const read = (name: string): string => readFileSync(join(import.meta.dir, '../../fixtures/tls', `${name}.pem`), 'utf8');
const digest = (pem: string): string => createHash('sha256').update(new X509Certificate(pem).raw).digest('hex');

const [CERT, KEY] = [read('certificate'), read('key')];
const [CLIENT, CLIENT_KEY] = [read('client'), read('client.key')];
const [RSA, RSA_KEY] = [read('rsa'), read('rsa.key')];
const [AUTHORITY, OTHER_AUTHORITY, EXPIRED] = [read('authority'), read('other-authority'), read('expired-authority')];
const PAIR = { cert: CERT, key: KEY };
const OTHER_PAIR = { cert: CLIENT, key: CLIENT_KEY };
const DEFAULTS = {
  id: expect.any(String),
  created_at: expect.any(Number),
  updated_at: expect.any(Number),
  cert_alt: null,
  key_alt: null,
  tags: null,
  snis: [],
};
const SNI_DEFAULTS = { id: expect.any(String), created_at: expect.any(Number), updated_at: expect.any(Number), tags: null };
const invalidCertificate = (field: string) =>
  row({ name: 'schema violation', code: 2, fields: { [field]: expect.stringMatching(/^invalid certificate: /) } });
const invalidKey = (field: string) =>
  row({ name: 'schema violation', code: 2, fields: { [field]: expect.stringMatching(/^invalid key: /) } });
const NOT_A_CA = 'certificate does not appear to be a CA because it is missing the "CA" basic constraint';

export const certificates: Table = {
  'a certificate and its key': [
    post('/certificates', PAIR, 201, { ...DEFAULTS, ...PAIR }),
    post('/certificates', { ...OTHER_PAIR, id: ID, tags: ['t'], created_at: 1422386534 }, 201, {
      ...DEFAULTS,
      ...OTHER_PAIR,
      id: ID,
      tags: ['t'],
      created_at: 1422386534,
    }),
    get(`/certificates/${ID}`, 200, row({ ...OTHER_PAIR, snis: [] })),
    get('/certificates', 200, names('cert', CERT, CLIENT)),
    get('/certificates?tags=t', 200, rows({ id: ID })),
    post('/certificates', { ...PAIR, cert_alt: RSA, key_alt: RSA_KEY }, 201, { ...DEFAULTS, ...PAIR, cert_alt: RSA, key_alt: RSA_KEY }),
  ],
  'what is wrong with a pair is said': [
    ...refused('POST', '/certificates', [
      [{ key: KEY }, { cert: 'required field missing' }],
      [{ cert: CERT }, { key: 'required field missing' }],
      [{ tags: ['t'] }, { cert: 'required field missing', key: 'required field missing' }],
      [{ cert: CERT, key: CLIENT_KEY }, { '@entity': ['certificate does not match key'] }],
      [{ ...PAIR, cert_alt: RSA }, { '@entity': ["all or none of these fields must be set: 'cert_alt', 'key_alt'"] }],
      [{ ...PAIR, key_alt: RSA_KEY }, { '@entity': ["all or none of these fields must be set: 'cert_alt', 'key_alt'"] }],
      [{ ...PAIR, cert_alt: RSA, key_alt: CLIENT_KEY }, { '@entity': ['alternative certificate does not match key'] }],
      [
        { ...PAIR, cert_alt: CLIENT, key_alt: CLIENT_KEY },
        {
          '@entity': [
            'certificate and alternative certificate need to have different type (e.g. RSA and ECDSA), the provided certificates were both of the same type',
          ],
        },
      ],
      [{ ...PAIR, colour: 'red' }, { colour: 'unknown field' }],
      [{ ...PAIR, id: 'x' }, { id: 'expected a valid UUID' }],
      [{ ...PAIR, tags: ['a,b'] }, { tags: [invalidTag('a,b')] }],
      [{ ...PAIR, snis: ['1.2.3.4'] }, { snis: ['must not be an IP'] }],
      [{ ...PAIR, snis: ['h:443'] }, { snis: ['must not have a port'] }],
    ]),
    post('/certificates', { cert: 'nonsense', key: KEY }, 400, invalidCertificate('cert')),
    post('/certificates', { cert: CERT, key: 'nonsense' }, 400, invalidKey('key')),
    get('/certificates', 200, { data: [], next: null }),
  ],
  'a certificate and its names': [
    post('/certificates', { ...PAIR, id: ID, snis: ['b.example', 'a.example'] }, 201, {
      ...DEFAULTS,
      ...PAIR,
      id: ID,
      snis: ['a.example', 'b.example'],
    }),
    get('/snis', 200, names('name', 'a.example', 'b.example')),
    get('/snis/a.example', 200, row({ certificate: { id: ID } })),
    get('/certificates/a.example', 200, row({ id: ID, snis: ['a.example', 'b.example'] })),
    get('/certificates', 200, rows({ id: ID, snis: ['a.example', 'b.example'] })),
    post(
      '/certificates',
      { ...OTHER_PAIR, snis: ['a.example'] },
      400,
      violation({ snis: `a.example already associated with existing certificate '${ID}'` }),
    ),
    post('/certificates', { ...OTHER_PAIR, snis: ['c.example', 'c.example'] }, 400, violation({ snis: 'c.example is duplicated' })),
    patch(`/certificates/${ID}`, { snis: ['b.example', 'c.example'] }, 200, row({ snis: ['b.example', 'c.example'] })),
    get('/snis', 200, names('name', 'b.example', 'c.example')),
    patch('/certificates/c.example', { tags: ['t'] }, 200, row({ tags: ['t'], snis: ['b.example', 'c.example'] })),
    put(`/certificates/${ID}`, { ...OTHER_PAIR, snis: ['d.example'] }, 200, {
      ...DEFAULTS,
      ...OTHER_PAIR,
      id: ID,
      snis: ['d.example'],
      tags: null,
    }),
    patch(`/certificates/${ID}`, { snis: null }, 200, row({ snis: [] })),
    get('/snis', 200, { data: [], next: null }),
  ],
  'a certificate takes its names with it, and stays where it is used': [
    post('/certificates', { ...PAIR, id: ID, snis: ['a.example'] }, 201),
    post(
      '/services',
      { id: OTHER_ID, name: 's', protocol: 'https', host: 'h', client_certificate: { id: ID } },
      201,
      row({ client_certificate: { id: ID } }),
    ),
    remove(`/certificates/${ID}`, 400, referencedBy('services', 'certificates')),
    get(`/certificates/${ID}/services`, 200, rows({ id: OTHER_ID })),
    get('/services/s/client_certificate', 200, row({ id: ID })),
    patch('/services/s', { client_certificate: null }, 200),
    remove(`/certificates/${ID}`, 204, null),
    remove(`/certificates/${ID}`, 204, null),
    get('/snis/a.example', 404, NOT_FOUND),
    get('/services/s', 200, row({ client_certificate: null })),
    post(
      '/services',
      { protocol: 'https', host: 'h', client_certificate: { id: NOBODY } },
      400,
      noSuchReference('client_certificate', 'certificates', NOBODY),
    ),
  ],
  'a certificate by the name of an SNI': [
    get('/certificates/a.example', 404, { message: 'SNI not found' }),
    patch('/certificates/a.example', { tags: ['t'] }, 404, { message: 'SNI not found' }),
    put('/certificates/a.example', PAIR, 200, row({ ...PAIR, snis: ['a.example'] })),
    put('/certificates/a.example', { ...PAIR, snis: ['b.example'] }, 200, row({ snis: ['a.example', 'b.example'] })),
    get('/certificates/b.example', 200, row(PAIR)),
    get('/certificates/b.example/snis', 200, names('name', 'a.example', 'b.example')),
    remove('/certificates/a.example', 204, null),
    get('/snis', 200, { data: [], next: null }),
  ],
  'a certificate is changed': [
    post('/certificates', { ...PAIR, id: ID }, 201),
    patch(`/certificates/${ID}`, OTHER_PAIR, 200, row({ ...OTHER_PAIR, id: ID })),
    patch(`/certificates/${ID}`, { key: KEY }, 400, violation({ '@entity': ['certificate does not match key'] })),
    patch(`/certificates/${ID}`, { cert: 'nonsense' }, 400, invalidCertificate('cert')),
    put(`/certificates/${OTHER_ID}`, PAIR, 200, { ...DEFAULTS, ...PAIR, id: OTHER_ID }),
    put(`/certificates/${THIRD_ID}`, { cert: CERT }, 400, violation({ key: 'required field missing' })),
    get(`/certificates/${THIRD_ID}`, 404, NOT_FOUND),
    patch(`/certificates/${THIRD_ID}`, { tags: ['t'] }, 404, NOT_FOUND),
    put('/certificates', PAIR, 405, METHOD_NOT_ALLOWED),
    remove('/certificates', 405, METHOD_NOT_ALLOWED),
    { method: 'OPTIONS', path: '/certificates', status: 204, headers: { allow: 'GET, HEAD, OPTIONS, POST' } },
  ],
};

export const snis: Table = {
  'a name and its certificate': [
    post('/certificates', { ...PAIR, id: ID }, 201),
    post('/snis', { name: 'a.example', certificate: { id: ID } }, 201, { ...SNI_DEFAULTS, name: 'a.example', certificate: { id: ID } }),
    post('/snis', { name: '*.example.com', certificate: { id: ID }, tags: ['t'] }, 201, row({ name: '*.example.com', tags: ['t'] })),
    post('/snis', { name: 'example.*', certificate: { id: ID } }, 201, row({ name: 'example.*' })),
    post(`/certificates/${ID}/snis`, { name: 'below.example' }, 201, row({ certificate: { id: ID } })),
    get(`/certificates/${ID}`, 200, row({ snis: ['*.example.com', 'a.example', 'below.example', 'example.*'] })),
    get(`/certificates/${ID}/snis`, 200, names('name', '*.example.com', 'a.example', 'below.example', 'example.*')),
    get('/snis/a.example/certificate', 200, row({ id: ID, cert: CERT })),
    get('/snis?tags=t', 200, names('name', '*.example.com')),
    get(`/snis/${encodeURIComponent('*.example.com')}`, 200, row({ tags: ['t'] })),
  ],
  'what is wrong is said': [
    post('/certificates', { ...PAIR, id: ID }, 201),
    ...refused('POST', '/snis', [
      [{ certificate: { id: ID } }, { name: 'required field missing' }],
      [{ name: 'a.example' }, { certificate: 'required field missing' }],
      [{ name: '1.2.3.4', certificate: { id: ID } }, { name: 'must not be an IP' }],
      [{ name: '::1', certificate: { id: ID } }, { name: 'must not be an IP' }],
      [{ name: 'h:443', certificate: { id: ID } }, { name: 'must not have a port' }],
      [{ name: 'a b', certificate: { id: ID } }, { name: 'invalid value: a b' }],
      [{ name: 'a.*.b', certificate: { id: ID } }, { name: 'wildcard must be leftmost or rightmost character' }],
      [{ name: '*.a.*', certificate: { id: ID } }, { name: 'only one wildcard must be specified' }],
      [{ name: 'a.example', certificate: { id: ID }, colour: 'red' }, { colour: 'unknown field' }],
    ]),
    post('/snis', { name: 'a.example', certificate: { id: NOBODY } }, 400, noSuchReference('certificate', 'certificates', NOBODY)),
    post(`/certificates/${NOBODY}/snis`, { name: 'a.example' }, 404, NOT_FOUND),
    get('/snis', 200, { data: [], next: null }),
  ],
  'every verb, by id and by name': [
    post('/certificates', { ...PAIR, id: ID }, 201),
    post('/certificates', { ...OTHER_PAIR, id: OTHER_ID }, 201),
    put('/snis/a.example', { certificate: { id: ID } }, 200, row({ name: 'a.example' })),
    put('/snis/a.example', { certificate: { id: OTHER_ID } }, 200, { ...SNI_DEFAULTS, name: 'a.example', certificate: { id: OTHER_ID } }),
    patch('/snis/a.example', { certificate: { id: ID } }, 200, row({ certificate: { id: ID } })),
    patch('/snis/a.example', { certificate: null }, 400, violation({ certificate: 'required field missing' })),
    post('/snis', { name: 'a.example', certificate: { id: OTHER_ID } }, 409, uniqueViolation('name', 'a.example')),
    put(`/snis/${THIRD_ID}`, { name: 'b.example', certificate: { id: ID } }, 200, row({ id: THIRD_ID, name: 'b.example' })),
    patch(`/snis/${THIRD_ID}`, { name: 'a.example' }, 409, uniqueViolation('name', 'a.example')),
    patch(`/snis/${THIRD_ID}`, { name: 'c.example' }, 200, row({ id: THIRD_ID, name: 'c.example' })),
    get('/snis/b.example', 404, NOT_FOUND),
    get(`/snis/${THIRD_ID}`, 200, row({ name: 'c.example' })),
    remove('/snis/c.example', 204, null),
    remove('/snis/c.example', 204, null),
    get(`/certificates/${ID}`, 200, row({ snis: ['a.example'] })),
    put('/snis', { name: 'x' }, 405, METHOD_NOT_ALLOWED),
    remove('/snis', 405, METHOD_NOT_ALLOWED),
  ],
};

const CA_DEFAULTS = { id: expect.any(String), created_at: expect.any(Number), updated_at: expect.any(Number), tags: null };

const NO_ID = {
  message: `invalid primary key: '{id="expected a valid UUID"}'`,
  name: 'invalid primary key',
  code: 1,
  fields: { id: 'expected a valid UUID' },
};

export const caCertificates: Table = {
  'an authority and its digest': [
    post('/ca_certificates', { cert: AUTHORITY }, 201, { ...CA_DEFAULTS, cert: AUTHORITY, cert_digest: digest(AUTHORITY) }),
    post('/ca_certificates', { id: ID, cert: OTHER_AUTHORITY, tags: ['t'] }, 201, {
      ...CA_DEFAULTS,
      id: ID,
      cert: OTHER_AUTHORITY,
      cert_digest: digest(OTHER_AUTHORITY),
      tags: ['t'],
    }),
    post('/ca_certificates', { cert: AUTHORITY }, 409, uniqueViolation('cert_digest', digest(AUTHORITY))),
    get('/ca_certificates', 200, names('cert', AUTHORITY, OTHER_AUTHORITY)),
    get(`/ca_certificates/${ID}`, 200, row({ cert_digest: digest(OTHER_AUTHORITY) })),
    get('/ca_certificates?tags=t', 200, rows({ id: ID })),
  ],
  'what is no authority': [
    ...refused('POST', '/ca_certificates', [
      [{ tags: ['t'] }, { cert: 'required field missing' }],
      [{ cert: CLIENT }, { '@entity': [NOT_A_CA] }],
      [{ cert: EXPIRED }, { '@entity': ['certificate expired, "Not After" time is in the past'] }],
      [{ cert: AUTHORITY + OTHER_AUTHORITY }, { '@entity': ['please submit only one certificate at a time'] }],
      [{ cert: AUTHORITY, colour: 'red' }, { colour: 'unknown field' }],
    ]),
    post('/ca_certificates', { cert: 'nonsense' }, 400, invalidCertificate('cert')),
    get('/ca_certificates', 200, { data: [], next: null }),
  ],
  'every verb': [
    put(`/ca_certificates/${ID}`, { cert: AUTHORITY }, 200, { ...CA_DEFAULTS, id: ID, cert: AUTHORITY, cert_digest: digest(AUTHORITY) }),
    patch(`/ca_certificates/${ID}`, { tags: ['t'] }, 200, row({ tags: ['t'], cert_digest: digest(AUTHORITY) })),
    patch(
      `/ca_certificates/${ID}`,
      { cert: OTHER_AUTHORITY },
      200,
      row({ tags: ['t'], cert: OTHER_AUTHORITY, cert_digest: digest(OTHER_AUTHORITY) }),
    ),
    patch(`/ca_certificates/${ID}`, { cert: CLIENT }, 400, violation({ '@entity': [NOT_A_CA] })),
    put(`/ca_certificates/${OTHER_ID}`, { cert: OTHER_AUTHORITY }, 409, uniqueViolation('cert_digest', digest(OTHER_AUTHORITY))),
    patch(`/ca_certificates/${NOBODY}`, { tags: ['t'] }, 404, NOT_FOUND),
    get(`/ca_certificates/${NOBODY}`, 404, NOT_FOUND),
    get('/ca_certificates/nobody', 400, NO_ID),
    put('/ca_certificates/nobody', { cert: AUTHORITY }, 400, NO_ID),
    patch('/ca_certificates/nobody', { tags: ['t'] }, 400, NO_ID),
    remove('/ca_certificates/nobody', 400, NO_ID),
    remove(`/ca_certificates/${ID}`, 204, null),
    remove(`/ca_certificates/${ID}`, 204, null),
    get('/ca_certificates', 200, { data: [], next: null }),
    put('/ca_certificates', { cert: AUTHORITY }, 405, METHOD_NOT_ALLOWED),
  ],
  'an authority stays where it is used': [
    post('/ca_certificates', { id: ID, cert: AUTHORITY }, 201),
    post(
      '/services',
      { id: OTHER_ID, name: 's', protocol: 'https', host: 'h', tls_verify: true, ca_certificates: [ID] },
      201,
      row({ ca_certificates: [ID] }),
    ),
    remove(`/ca_certificates/${ID}`, 400, {
      message: `ca certificate ${ID} is still referenced by services (id = ${OTHER_ID})`,
      name: 'referenced by others',
      code: 19,
    }),
    patch('/services/s', { ca_certificates: null }, 200, row({ ca_certificates: null })),
    remove(`/ca_certificates/${ID}`, 204, null),
  ],
};
