import { afterAll, describe, expect, test } from 'bun:test';
import { basicauthCredential } from '../../src/plugins/basic-auth/basicauth-credential.ts';
import { serveConfigurations } from '../support/served.ts';

const rig = await serveConfigurations();
afterAll(rig.close);

const ANN = '0f1a4101-3327-4274-b1e4-484a4ab0c030';
const serving = (config: object) =>
  rig.load({
    consumers: [
      {
        id: ANN,
        username: 'ann',
        basicauth_credentials: [
          { username: 'ann', password: 'pass:word' },
          { username: 'zoë', password: 'pässwörd' },
        ],
      },
      { username: 'nobody' },
    ],
    services: [{ name: 'api', url: 'upstream', routes: [{ paths: ['/'] }] }],
    plugins: [{ name: 'basic-auth', config }],
  });

const encoded = (text: string) => Buffer.from(text).toString('base64');
const ANNS = `Basic ${encoded('ann:pass:word')}`;

describe('a name and a password are taken', () => {
  test.each([
    ['in Authorization', { authorization: ANNS }, 'ann'],
    ['in Proxy-Authorization', { 'proxy-authorization': ANNS }, 'ann'],
    ['in Proxy-Authorization first', { 'proxy-authorization': ANNS, authorization: 'Basic eA==' }, 'ann'],
    [
      'in Authorization, where nobody is named in the other',
      { 'proxy-authorization': `Basic ${encoded('x:y')}`, authorization: ANNS },
      'ann',
    ],
    ['with the scheme in any case', { authorization: ANNS.replace('Basic', 'BASIC  ') }, 'ann'],
    ['in any script', { authorization: `Basic ${encoded('zoë:pässwörd')}` }, 'zoë'],
  ])('%s', async (_, headers, identifier) => {
    await serving({});
    const { status, sent } = await rig.ask('/', { headers });
    expect([status, sent?.header('x-consumer-username'), sent?.header('x-consumer-id')]).toEqual([200, 'ann', ANN]);
    expect(Buffer.from(sent?.header('x-credential-identifier') ?? '', 'latin1').toString()).toBe(identifier);
    expect(sent?.header('authorization')).toBe((headers as { authorization?: string }).authorization);
  });
});

describe('nobody passes', () => {
  test.each<[string, Record<string, string>]>([
    ['without a header', {}],
    ['with a wrong password', { authorization: `Basic ${encoded('ann:pass')}` }],
    ['with an empty password', { authorization: `Basic ${encoded('ann:')}` }],
    ['with the digest for the password', { authorization: `Basic ${encoded('ann:e4f3e3a1b4ac2e5a4a6a3e1b5a1f7ad1f5fd9c0f')}` }],
    ['with a name that nobody has', { authorization: `Basic ${encoded('bob:pass:word')}` }],
    ['with a name of another case', { authorization: `Basic ${encoded('Ann:pass:word')}` }],
    ['without a name', { authorization: `Basic ${encoded(':pass:word')}` }],
    ['without a colon', { authorization: `Basic ${encoded('ann')}` }],
    ['with no base64', { authorization: 'Basic ***' }],
    ['with nothing after the scheme', { authorization: 'Basic ' }],
    ['with another scheme', { authorization: `Bearer ${encoded('ann:pass:word')}` }],
    [
      'with the right name in the first header, whatever the second',
      { 'proxy-authorization': `Basic ${encoded('ann:x')}`, authorization: ANNS },
    ],
  ])('%s', async (_, headers) => {
    await serving({});
    const { status, headers: said, json, sent } = await rig.ask('/', { headers });
    expect([status, said.get('www-authenticate')]).toEqual([401, 'Basic realm="service"']);
    expect(json).toEqual({ message: 'Unauthorized', request_id: said.get('x-kong-request-id') });
    expect(sent).toBeUndefined();
  });

  test('and the realm is named', async () => {
    await serving({ realm: 'Ann’s' });
    const { headers } = await rig.ask('/');
    expect(Buffer.from(headers.get('www-authenticate') ?? '', 'latin1').toString()).toBe('Basic realm="Ann’s"');
  });
});

test('with hide_credentials they stop here', async () => {
  await serving({ hide_credentials: true });
  const { status, sent } = await rig.ask('/', { headers: { authorization: ANNS } });
  expect([status, sent?.header('authorization')]).toEqual([200, undefined]);
});

test('with an anonymous consumer everybody passes', async () => {
  await serving({ anonymous: 'nobody' });
  const passed = async (headers: Record<string, string>) => {
    const { sent } = await rig.ask('/', { headers });
    return [sent?.header('x-consumer-username'), sent?.header('x-anonymous-consumer')];
  };
  expect(await passed({})).toEqual(['nobody', 'true']);
  expect(await passed({ authorization: 'Basic eDp5' })).toEqual(['nobody', 'true']);
  expect(await passed({ authorization: ANNS })).toEqual(['ann', undefined]);
});

test('a password is kept as Kong keeps it', async () => {
  await rig.load({
    consumers: [
      {
        id: '4a5ea5f0-0a0c-4b6c-8a51-4c7d4b9ea9f0',
        username: 'bob',
        basicauth_credentials: [{ username: 'bob', password: 'kong' }],
      },
    ],
  });
  const [row] = rig.store.all(basicauthCredential);
  const sha1 = new Bun.CryptoHasher('sha1').update('kong4a5ea5f0-0a0c-4b6c-8a51-4c7d4b9ea9f0').digest('hex');
  expect(row?.password).toBe(sha1);
});
