import { describe, expect, test } from 'bun:test';
import { caCertificate } from '../../src/entities/ca-certificate.ts';
import { certificate } from '../../src/entities/certificate.ts';
import { sni } from '../../src/entities/sni.ts';
import { pem } from '../support/certificates.ts';
import { encodings, openAdmin, play, type Step } from './harness.ts';

const open = () => openAdmin({}, [certificate, sni, caCertificate]);
const run = async (steps: readonly Step[]) => play(steps, await open());

const A = 'aaaaaaaa-0000-4000-8000-000000000000';
const B = 'bbbbbbbb-0000-4000-8000-000000000000';
const pair = { cert: pem('client'), key: pem('client.key') };
const withNames = (...snis: string[]) => expect.objectContaining({ id: A, snis });
const violation = (message: string) => ({
  message: `schema violation (snis: ${message})`,
  name: 'schema violation',
  code: 2,
  fields: { snis: message },
});

test('a certificate is answered whole, its names in their order', async () => {
  const time = expect.any(Number);
  const whole = {
    ...pair,
    id: A,
    cert_alt: null,
    key_alt: null,
    tags: null,
    created_at: time,
    updated_at: time,
    snis: ['a.test', 'b.test'],
  };
  await run([
    ['POST', '/certificates', { id: A, ...pair, snis: ['b.test', 'a.test'] }, 201, whole],
    ['GET', `/certificates/${A}`, undefined, 200, whole],
    ['GET', '/certificates/a.test', undefined, 200, whole],
    ['GET', '/certificates', undefined, 200, { data: [whole], next: null }],
    ['GET', '/snis/a.test', undefined, 200, expect.objectContaining({ name: 'a.test', certificate: { id: A } })],
    ['GET', '/snis/a.test/certificate', undefined, 200, whole],
    ['GET', '/certificates/a.test/snis', undefined, 200, { data: [expect.anything(), expect.anything()], next: null }],
  ]);
});

describe('the names of a certificate', () => {
  const first: Step = ['POST', '/certificates', { id: A, ...pair, snis: ['a.test', 'b.test'] }, 201];
  test.each<[string, ...Step[]]>([
    ['stay when a change does not speak of them', ['PATCH', `/certificates/${A}`, { tags: ['t'] }, 200, withNames('a.test', 'b.test')]],
    ['are those of a change', ['PATCH', `/certificates/${A}`, { snis: ['c.test', 'b.test'] }, 200, withNames('b.test', 'c.test')]],
    [
      'go when a change says so',
      ['PATCH', '/certificates/a.test', { snis: [] }, 200, withNames()],
      ['GET', '/snis/a.test', undefined, 404],
    ],
    ['go with null as well', ['PATCH', '/certificates/a.test', { snis: null }, 200, withNames()]],
    ['are those of a PUT', ['PUT', `/certificates/${A}`, { ...pair, snis: ['c.test'] }, 200, withNames('c.test')]],
    ['go with a PUT that has none', ['PUT', `/certificates/${A}`, pair, 200, withNames()]],
    ['have that of the path of a PUT', ['PUT', '/certificates/b.test', { ...pair, snis: ['c.test'] }, 200, withNames('b.test', 'c.test')]],
    ['may be one in a PUT', ['PUT', '/certificates/b.test', { ...pair, snis: 'c.test' }, 200, withNames('b.test', 'c.test')]],
    [
      'come and go one by one as well',
      ['POST', '/snis', { name: 'c.test', certificate: { id: A } }, 201],
      ['POST', `/certificates/${A}/snis`, { name: 'd.test' }, 201],
      ['PUT', '/certificates/a.test/snis/e.test', {}, 200],
      ['DELETE', '/snis/a.test', undefined, 204],
      ['DELETE', '/certificates/b.test/snis/c.test', undefined, 204],
      ['GET', `/certificates/${A}`, undefined, 200, withNames('b.test', 'd.test', 'e.test')],
    ],
    [
      'go with it',
      ['DELETE', '/certificates/a.test', undefined, 204],
      ['GET', '/snis', undefined, 200, { data: [], next: null }],
      ['GET', '/certificates', undefined, 200, { data: [], next: null }],
    ],
  ])('%s', async (_, ...steps) => {
    await run([first, ...steps]);
  });

  test('a row of a name that stays is left alone', async () => {
    const api = await run([first]);
    const before = await api.get('/snis/b.test');
    await play([['PATCH', `/certificates/${A}`, { snis: ['b.test', 'c.test'] }, 200]], api);
    expect(await api.get('/snis/b.test')).toEqual(before);
  });

  test('may come in a form', async () => {
    const api = await open();
    const [body, headers] = encodings.form({ ...pair, 'snis[]': 'a.test' });
    expect(await (await api.send('POST', '/certificates', body, headers)).json()).toMatchObject({ snis: ['a.test'] });
  });
});

test('a PUT at a name that nobody has makes the certificate and the name', async () => {
  await run([
    ['PUT', '/certificates/new.test', pair, 200, expect.objectContaining({ snis: ['new.test'] })],
    ['GET', '/certificates/new.test', undefined, 200],
  ]);
});

test.each<[string, Step]>([
  ['a name twice', ['POST', '/certificates', { ...pair, snis: ['x.test', 'x.test'] }, 400, violation('x.test is duplicated')]],
  [
    'a name of another certificate',
    ['POST', '/certificates', { ...pair, snis: ['a.test'] }, 400, violation(`a.test already associated with existing certificate '${A}'`)],
  ],
  [
    'the same in a change',
    ['PATCH', `/certificates/${B}`, { snis: ['a.test'] }, 400, violation(`a.test already associated with existing certificate '${A}'`)],
  ],
  ['a name that is none', ['PUT', '/certificates/a%20b', pair, 400]],
  ['a read by a name that nobody has', ['GET', '/certificates/x.test', undefined, 404, { message: 'SNI not found' }]],
  ['a change by it', ['PATCH', '/certificates/x.test', {}, 404, { message: 'SNI not found' }]],
  ['a removal by it', ['DELETE', '/certificates/x.test', undefined, 404, { message: 'SNI not found' }]],
  ['what is below it', ['GET', '/certificates/x.test/snis', undefined, 404, { message: 'SNI not found' }]],
  [
    'a read by an id that nobody has',
    ['GET', '/certificates/cccccccc-0000-4000-8000-000000000000', undefined, 404, { message: 'Not found' }],
  ],
  [
    'a certificate that a service shows',
    ['DELETE', '/certificates/a.test', undefined, 400, expect.objectContaining({ name: 'foreign key violation' })],
  ],
])('refused is %s, and nothing changes', async (_, step) => {
  const api = await run([
    ['POST', '/certificates', { id: A, ...pair, snis: ['a.test'] }, 201],
    ['POST', '/certificates', { id: B, ...pair, snis: ['b.test'] }, 201],
    ['POST', '/services', { url: 'https://up.test', client_certificate: { id: A } }, 201],
  ]);
  const everything = async () => [await api.get('/certificates'), await api.get('/snis')];
  const before = await everything();
  await play([step], api);
  expect(await everything()).toEqual(before);
});

test('an authority stays while a service trusts it, and is there once', async () => {
  const cert = pem('authority');
  const api = await run([
    [
      'POST',
      '/ca_certificates',
      { id: A, cert },
      201,
      expect.objectContaining({ cert, cert_digest: expect.stringMatching(/^[0-9a-f]{64}$/) }),
    ],
    ['POST', '/services', { id: B, url: 'https://up.test', ca_certificates: [A] }, 201],
    [
      'DELETE',
      `/ca_certificates/${A}`,
      undefined,
      400,
      {
        message: `ca certificate ${A} is still referenced by services (id = ${B})`,
        name: 'referenced by others',
        code: 19,
      },
    ],
    [
      'POST',
      '/services',
      { url: 'https://up.test', ca_certificates: [B] },
      400,
      expect.objectContaining({ name: 'foreign key violation' }),
    ],
  ]);
  const { cert_digest } = await api.get(`/ca_certificates/${A}`);
  await play(
    [
      [
        'POST',
        '/ca_certificates',
        { cert },
        409,
        expect.objectContaining({ message: `UNIQUE violation detected on '{cert_digest="${cert_digest}"}'`, fields: { cert_digest } }),
      ],
      ['PATCH', `/ca_certificates/${A}`, { tags: ['t'] }, 200, expect.objectContaining({ cert_digest })],
      ['DELETE', `/services/${B}`, undefined, 204],
      ['DELETE', `/ca_certificates/${A}`, undefined, 204],
    ],
    api,
  );
});
