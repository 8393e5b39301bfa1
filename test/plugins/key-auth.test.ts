import { afterAll, describe, expect, test } from 'bun:test';
import { keyauthCredential } from '../../src/plugins/key-auth/keyauth-credential.ts';
import { type Answered, serveConfigurations } from '../support/served.ts';

const rig = await serveConfigurations();
afterAll(rig.close);

const ANN = '0f1a4101-3327-4274-b1e4-484a4ab0c030';
const CREDENTIAL = '5b0c8bd1-8d3a-4b5e-9a3b-0f5c7c1d2e3f';

const serving = (config: object, ...more: object[]) =>
  rig.load({
    consumers: [
      { id: ANN, username: 'ann', custom_id: '42', keyauth_credentials: [{ id: CREDENTIAL, key: 'anns-key' }] },
      { username: 'nobody', custom_id: 'anonymous' },
    ],
    services: [{ name: 'api', url: 'upstream', routes: [{ paths: ['/'], strip_path: false }] }],
    plugins: [{ name: 'key-auth', config }, ...more],
  });

const JSON_TYPE = { 'content-type': 'application/json' };
const FORM_TYPE = { 'content-type': 'application/x-www-form-urlencoded' };
const MULTIPART_TYPE = { 'content-type': 'multipart/form-data; boundary=XX' };
const multipart = (...parts: readonly (readonly [name: string, value: string])[]) =>
  `${parts.map(([name, value]) => `--XX\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`).join('')}--XX--\r\n`;

interface Asked extends RequestInit {
  readonly path?: string;
}
type Case = readonly [what: string, config: object, asked: Asked];

const ask = async ({ path = '/', ...init }: Asked, config: object): Promise<Answered> => {
  await serving(config);
  return rig.ask(path, init);
};

const IN_BODY = { key_in_body: true };
const post = (type: Record<string, string>, body: string | Uint8Array<ArrayBuffer>): Asked => ({ method: 'POST', headers: type, body });

describe('a key is taken', () => {
  test.each<Case>([
    ['in a header', {}, { headers: { apikey: 'anns-key' } }],
    ['in a header of any case', { key_names: ['X-Team-Key'] }, { headers: { 'x-TEAM-key': 'anns-key' } }],
    ['in a header with dashes for underscores', { key_names: ['team_key'] }, { headers: { 'Team-Key': 'anns-key' } }],
    ['under a name that no header can have', { key_names: ['the key'] }, { path: '/?the+key=anns-key' }],
    ['in the query', {}, { path: '/?apikey=anns-key' }],
    ['in the query, escaped', {}, { path: '/?a=b&api%6Bey=anns%2Dkey' }],
    ['under a later name', { key_names: ['first', 'second'] }, { headers: { second: 'anns-key' } }],
    ['in the header before the query', {}, { path: '/?apikey=other', headers: { apikey: 'anns-key' } }],
    ['in the query, where headers are not looked at', { key_in_header: false }, { path: '/?apikey=anns-key', headers: { apikey: 'x' } }],
    ['under a later name, where the first has no value', { key_names: ['a', 'b'] }, { path: '/?a&b=anns-key' }],
    ['in a JSON body', IN_BODY, post(JSON_TYPE, '{"apikey":"anns-key"}')],
    ['in a form', IN_BODY, post(FORM_TYPE, 'a=b&apikey=anns-key')],
    ['in a multipart form', IN_BODY, post(MULTIPART_TYPE, multipart(['a', 'b'], ['apikey', 'anns-key']))],
    ['in a compressed body', IN_BODY, post({ ...JSON_TYPE, 'content-encoding': 'gzip' }, Bun.gzipSync('{"apikey":"anns-key"}'))],
    ['in a header, whatever the body', IN_BODY, { ...post(JSON_TYPE, 'no JSON'), headers: { ...JSON_TYPE, apikey: 'anns-key' } }],
    ['by OPTIONS too', {}, { method: 'OPTIONS', headers: { apikey: 'anns-key' } }],
  ])('%s', async (_, config, asked) => {
    const { status, sent } = await ask(asked, config);
    expect([status, sent?.header('x-consumer-username')]).toEqual([200, 'ann']);
  });
});

describe('nobody passes', () => {
  const MISSING = 'No API key found in request';
  const DUPLICATE = 'Duplicate API key found';
  test.each<readonly [...Case, message: string]>([
    ['without a key', {}, {}, MISSING],
    ['with an empty key', {}, { headers: { apikey: '' } }, MISSING],
    ['with an empty parameter', {}, { path: '/?apikey=' }, MISSING],
    ['with a parameter that has no value', {}, { path: '/?apikey' }, MISSING],
    ['with a key under another name', {}, { headers: { 'x-api-key': 'anns-key' } }, MISSING],
    ['with a key in a header that is not looked at', { key_in_header: false }, { headers: { apikey: 'anns-key' } }, MISSING],
    ['with a key in a query that is not looked at', { key_in_query: false }, { path: '/?apikey=anns-key' }, MISSING],
    ['with a key in a body that is not looked at', {}, post(JSON_TYPE, '{"apikey":"anns-key"}'), MISSING],
    ['with a body that is no object', IN_BODY, post(JSON_TYPE, '["apikey"]'), MISSING],
    ['with a body that is no JSON', IN_BODY, post(JSON_TYPE, '{"apikey":"anns-key"'), MISSING],
    ['with a body of another type', IN_BODY, post({ 'content-type': 'text/plain' }, 'apikey=anns-key'), MISSING],
    ['with a key that is a number', IN_BODY, post(JSON_TYPE, '{"apikey":7}'), MISSING],
    ['with a member that objects have from elsewhere', { ...IN_BODY, key_names: ['constructor'] }, post(JSON_TYPE, '{}'), MISSING],
    [
      'with a body that is too large to be searched',
      IN_BODY,
      post(JSON_TYPE, JSON.stringify({ apikey: 'anns-key', a: 'x'.repeat(2 ** 20) })),
      MISSING,
    ],
    ['with a form that breaks off', IN_BODY, post(MULTIPART_TYPE, multipart(['apikey', 'anns-key']).slice(0, -10)), MISSING],
    ['with a wrong key', {}, { headers: { apikey: 'other' } }, 'Unauthorized'],
    ['with a key of another case', {}, { headers: { apikey: 'Anns-Key' } }, 'Unauthorized'],
    ['with two keys', {}, { path: '/?apikey=anns-key&apikey=anns-key' }, DUPLICATE],
    ['with two keys in a form', IN_BODY, post(FORM_TYPE, 'apikey=anns-key&apikey=other'), DUPLICATE],
    ['with a list of keys', IN_BODY, post(JSON_TYPE, '{"apikey":["anns-key"]}'), DUPLICATE],
    [
      'by a wrong name before a right one',
      { key_names: ['first', 'second'] },
      { headers: { first: 'x', second: 'anns-key' } },
      'Unauthorized',
    ],
    ['with OPTIONS', {}, { method: 'OPTIONS' }, MISSING],
  ])('%s', async (_, config, asked, message) => {
    const { status, headers, json, sent } = await ask(asked, config);
    expect(status).toBe(401);
    expect(json).toEqual({ message, request_id: headers.get('x-kong-request-id') });
    expect(headers.get('www-authenticate')).toBe('Key');
    expect(sent).toBeUndefined();
  });

  test('and the realm is named', async () => {
    const { headers } = await ask({}, { realm: 'Zoë’s' });
    expect(Buffer.from(headers.get('www-authenticate') ?? '', 'latin1').toString()).toBe('Key realm="Zoë’s"');
  });

  test('where a body that does not say how long it is has no end', async () => {
    const endless = new ReadableStream({ pull: controller => controller.enqueue(new Uint8Array(2 ** 16)) });
    const { status } = await ask({ method: 'POST', headers: JSON_TYPE, body: endless }, IN_BODY);
    expect(status).toBe(413);
  });
});

describe('what the upstream is told', () => {
  const CLAIMS = {
    'X-Consumer-ID': 'me',
    'X-Consumer-Custom-ID': 'me',
    'X-Consumer-Username': 'me',
    'X-Credential-Identifier': 'me',
    'X-Anonymous-Consumer': 'me',
    'X-Consumer-Groups': 'admins',
    'X-Authenticated-Groups': 'admins',
  };
  const told = ({ sent }: Answered) =>
    Object.fromEntries(
      Object.keys(CLAIMS).flatMap(name => (sent?.header(name) === undefined ? [] : [[name.toLowerCase(), sent.header(name)]])),
    );

  test('is the consumer, and not what the client says', async () => {
    const answered = await ask({ headers: { apikey: 'anns-key', ...CLAIMS } }, {});
    expect(told(answered)).toEqual({
      'x-consumer-id': ANN,
      'x-consumer-custom-id': '42',
      'x-consumer-username': 'ann',
      'x-credential-identifier': CREDENTIAL,
    });
  });

  test.each(['nobody', 'NOBODYS-ID'])('is that the consumer is anonymous, by %s', async anonymous => {
    await serving({});
    const [nobody] = [...rig.store.all(rig.store.entities.get('consumers') as never)].slice(-1) as { id: string }[];
    await serving({ anonymous: anonymous === 'nobody' ? anonymous : nobody?.id.toUpperCase() });
    const answered = await rig.ask('/', { headers: { apikey: 'wrong', ...CLAIMS } });
    expect(told(answered)).toEqual({
      'x-consumer-id': nobody?.id,
      'x-consumer-custom-id': 'anonymous',
      'x-consumer-username': 'nobody',
      'x-anonymous-consumer': 'true',
    });
  });

  test('is nothing of a browser’s question that nobody authenticates', async () => {
    const answered = await ask({ method: 'OPTIONS', headers: CLAIMS }, { run_on_preflight: false });
    expect([answered.status, told(answered)]).toEqual([200, {}]);
  });

  test('is a name in any script, and no second line', async () => {
    await rig.load({
      consumers: [{ username: 'Zoë 人', custom_id: 'a\r\nX-Admin: 1', keyauth_credentials: [{ key: 'k' }] }],
      services: [{ url: 'upstream', name: 'api', routes: [{ paths: ['/'] }] }],
      plugins: [{ name: 'key-auth' }],
    });
    const { sent } = await rig.ask('/', { headers: { apikey: 'k' } });
    expect(Buffer.from(sent?.header('x-consumer-username') ?? '', 'latin1').toString()).toBe('Zoë 人');
    expect([sent?.header('x-consumer-custom-id'), sent?.header('x-admin')]).toEqual(['a%0D%0AX-Admin: 1', undefined]);
  });

  test('an anonymous consumer that is not there is the operator’s mistake', async () => {
    const { status, json, headers } = await ask({}, { anonymous: 'ghost' });
    expect(status).toBe(500);
    expect(json).toEqual({
      message: "anonymous consumer ghost is configured but doesn't exist",
      request_id: headers.get('x-kong-request-id'),
    });
  });
});

describe('with hide_credentials the key stops here', () => {
  const BOTH = { apikey: 'anns-key' };
  test.each<readonly [...Case, target: string, body: string]>([
    ['in a header', {}, { headers: BOTH }, '/', ''],
    ['in a header of either spelling', { key_names: ['api_key'] }, { headers: { 'api-key': 'anns-key' } }, '/', ''],
    ['in the query', {}, { path: '/a?x=%41&apikey=anns-key&y' }, '/a?x=%41&y', ''],
    ['in the query alone', {}, { path: '/a?apikey=anns-key' }, '/a', ''],
    ['in the header, and in the query as well', {}, { path: '/?apikey=other&x=1', headers: BOTH }, '/?x=1', ''],
    ['in a JSON body', IN_BODY, post(JSON_TYPE, '{"a": 1.0, "apikey": "anns-key"}'), '/', '{"a": 1.0}'],
    ['in a form', IN_BODY, post(FORM_TYPE, 'a=%41&apikey=anns-key&b'), '/', 'a=%41&b'],
    [
      'in a multipart form',
      IN_BODY,
      post(MULTIPART_TYPE, multipart(['a', 'b'], ['apikey', 'anns-key'], ['c', 'd'])),
      '/',
      multipart(['a', 'b'], ['c', 'd']),
    ],
    [
      'in the header, and in the body as well',
      IN_BODY,
      { ...post(JSON_TYPE, '{"apikey":"anns-key"}'), headers: { ...JSON_TYPE, ...BOTH } },
      '/',
      '{}',
    ],
  ])('%s', async (_, config, asked, target, body) => {
    const { status, sent } = await ask(asked, { hide_credentials: true, ...config });
    expect(JSON.stringify(sent?.headers)).not.toContain('anns-key');
    expect([status, sent?.header('apikey'), sent?.target, sent?.text()]).toEqual([200, undefined, target, body]);
    expect(sent?.header('content-length') ?? '0').toBe(String(body.length));
  });

  test('and bytes that are no text stay as they were', async () => {
    const bytes = Buffer.from([0, 255, 13, 10, 254, 128]);
    const [before = '', after = ''] = multipart(['file', '|'], ['apikey', 'anns-key']).split('|');
    const body = Buffer.concat([Buffer.from(before), bytes, Buffer.from(after)]);
    const { sent } = await ask(post(MULTIPART_TYPE, body), { ...IN_BODY, hide_credentials: true });
    expect(sent?.body.includes(bytes)).toBe(true);
    expect(sent?.text()).not.toContain('anns-key');
  });

  test('otherwise it goes on as it came', async () => {
    const { sent } = await ask({ ...post(JSON_TYPE, '{"apikey":"anns-key"}'), path: '/?apikey=anns-key' }, IN_BODY);
    expect([sent?.target, sent?.text()]).toEqual(['/?apikey=anns-key', '{"apikey":"anns-key"}']);
  });
});

describe('credentials with a time to live', () => {
  const serve = (credential: object) =>
    rig.load({
      consumers: [{ username: 'ann', keyauth_credentials: [{ key: 'k', ...credential }] }],
      services: [{ url: 'upstream', name: 'api', routes: [{ paths: ['/'] }] }],
      plugins: [{ name: 'key-auth' }],
    });
  const statusNow = async () => (await rig.ask('/', { headers: { apikey: 'k' } })).status;

  test.each([
    [{ ttl: 100 }, 200],
    [{ ttl: 0 }, 200],
    [{ expires_at: Date.now() / 1000 - 1 }, 401],
  ])('%o', async (credential, status) => {
    await serve(credential);
    expect(await statusNow()).toBe(status);
  });

  test('end, and are gone then', async () => {
    await serve({ ttl: 1 });
    expect(await statusNow()).toBe(200);
    while ((await statusNow()) === 200);
    while ([...rig.store.all(keyauthCredential)].length > 0) await new Promise(setImmediate);
    expect(await statusNow()).toBe(401);
  });

  test('end in files too whose values are as rows keep them', async () => {
    await rig.load({ _transform: false, consumers: [{ username: 'ann', keyauth_credentials: [{ key: 'k', ttl: 100 }] }] });
    const [row] = rig.store.all(keyauthCredential);
    expect(row?.expires_at).toBeGreaterThan(Date.now() / 1000);
  });

  test('last no longer than Kong lets them', async () => {
    await expect(serve({ ttl: 100_000_001 })).rejects.toThrow('ttl: must be an integer between 0 and 100000000');
  });
});

test('a realm that no header can hold is refused', async () => {
  await expect(serving({ realm: 'a\nb' })).rejects.toThrow('realm: not a valid header value');
});
