import { afterAll, describe, expect, test } from 'bun:test';
import { createHmac, createPrivateKey, createSecretKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { type JWTPayload, SignJWT } from 'jose';
import { openssl, opensslPair } from '../support/openssl.ts';
import { serveConfigurations } from '../support/served.ts';

const rig = await serveConfigurations();
afterAll(rig.close);

interface Pair {
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
}
const pemOf = ({ privateKey, publicKey }: Pair) => ({
  privateKey,
  privatePem: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
  publicPem: publicKey.export({ type: 'spki', format: 'pem' }).toString(),
});
const rsa = pemOf(generateKeyPairSync('rsa', { modulusLength: 2048 }));
const otherRsa = generateKeyPairSync('rsa', { modulusLength: 2048 });
const onCurve = (namedCurve: string) => pemOf(generateKeyPairSync('ec', { namedCurve }));
const curves = { ES256: onCurve('P-256'), ES384: onCurve('P-384'), ES512: onCurve('P-521') };
const ed25519 = pemOf(generateKeyPairSync('ed25519'));

const secretKey = (secret: string | Uint8Array) => createSecretKey(Buffer.from(secret));
const SECRET = 'a secret that is long enough for every one of the hashes, which want 64 bytes';

const sign = (algorithm: string, key: KeyObject, claims: JWTPayload = { iss: 'anns' }, header: object = {}) =>
  new SignJWT(claims).setProtectedHeader({ typ: 'JWT', ...header, alg: algorithm }).sign(key);

interface Setup {
  readonly config?: object;
  readonly secret?: object;
}
const serving = ({ config = {}, secret = { secret: SECRET } }: Setup = {}) =>
  rig.load({
    consumers: [{ username: 'ann', custom_id: '42', jwt_secrets: [{ key: 'anns', ...secret }] }, { username: 'nobody' }],
    services: [{ name: 'api', url: 'upstream', routes: [{ paths: ['/'], strip_path: false }] }],
    plugins: [{ name: 'jwt', config }],
  });

const bearer = (token: string) => ({ authorization: `Bearer ${token}` });
const anns = (claims: JWTPayload = {}, header = {}) => sign('HS256', secretKey(SECRET), { iss: 'anns', ...claims }, header);
const seconds = (more: number) => Math.floor(Date.now() / 1000) + more;

describe('a token is taken that is signed by', () => {
  const pairs: readonly (readonly [string, object, KeyObject])[] = [
    ...['HS256', 'HS384', 'HS512'].map(algorithm => [algorithm, { secret: SECRET }, secretKey(SECRET)] as const),
    ...['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'].map(
      algorithm => [algorithm, { rsa_public_key: rsa.publicPem }, rsa.privateKey] as const,
    ),
    ...Object.entries(curves).map(
      ([algorithm, { privateKey, publicPem }]) => [algorithm, { rsa_public_key: publicPem }, privateKey] as const,
    ),
    ['EdDSA', { rsa_public_key: ed25519.publicPem }, ed25519.privateKey],
  ];

  test.each(pairs)('%s', async (algorithm, secret, key) => {
    await serving({ secret: { algorithm, ...secret } });
    const token = await sign(algorithm, key);
    const { status, sent } = await rig.ask('/', { headers: bearer(token) });
    expect([status, sent?.header('x-consumer-username'), sent?.header('x-credential-identifier')]).toEqual([200, 'ann', 'anns']);
    // The other half of the signature is somebody else's.
    const [head, claims, signature = ''] = token.split('.');
    const spoilt = `${signature[0] === 'A' ? 'B' : 'A'}${signature.slice(1)}`;
    for (const other of [`${head}.${claims}.${spoilt}`, `${head}.${claims}.`, `${head}.${claims}.${signature.slice(0, -4)}`]) {
      const answered = await rig.ask('/', { headers: bearer(other) });
      expect([answered.status, answered.json]).toEqual([401, { message: 'Invalid signature' }]);
    }
  });

  test.skipIf(!openssl).each([
    ['RS256', ['-algorithm', 'RSA', '-pkeyopt', 'rsa_keygen_bits:2048']],
    ['ES512', ['-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-521']],
    ['EdDSA', ['-algorithm', 'ED25519']],
  ])('%s, with a key that OpenSSL made', async (algorithm, args) => {
    const { privatePem, publicPem } = opensslPair(...args);
    await serving({ secret: { algorithm, rsa_public_key: publicPem } });
    const token = await sign(algorithm, createPrivateKey(privatePem));
    expect((await rig.ask('/', { headers: bearer(token) })).status).toBe(200);
  });

  test('a secret that the row has in base64', async () => {
    const bytes = new Uint8Array([0, 255, 128, 10]);
    await serving({ config: { secret_is_base64: true }, secret: { secret: Buffer.from(bytes).toString('base64') } });
    const token = await sign('HS256', secretKey(bytes));
    expect((await rig.ask('/', { headers: bearer(token) })).status).toBe(200);
  });

  test('a secret that the row has in the base64 of URLs', async () => {
    const bytes = new Uint8Array([251, 255, 191, 10]);
    await serving({ config: { secret_is_base64: true }, secret: { secret: Buffer.from(bytes).toString('base64url') } });
    expect((await rig.ask('/', { headers: bearer(await sign('HS256', secretKey(bytes))) })).status).toBe(200);
  });

  test('a public key, whatever secrets are in', async () => {
    await serving({ config: { secret_is_base64: true }, secret: { algorithm: 'RS256', rsa_public_key: rsa.publicPem } });
    const token = await sign('RS256', rsa.privateKey);
    expect((await rig.ask('/', { headers: bearer(token) })).status).toBe(200);
  });
});

describe('a token is found', () => {
  test.each<readonly [string, object, (token: string) => { path?: string; headers?: Record<string, string> }]>([
    ['in Authorization', {}, token => ({ headers: bearer(token) })],
    ['with the scheme in any case', {}, token => ({ headers: { authorization: `BEARER  ${token}` } })],
    [
      'in a header of another name',
      { header_names: ['authorization', 'X-Token'] },
      token => ({ headers: { 'x-token': `bearer ${token}` } }),
    ],
    [
      'beside a name that no header can have',
      { header_names: ['a b', 'x_token'] },
      token => ({ headers: { 'x-token': `bearer ${token}` } }),
    ],
    ['in the query', {}, token => ({ path: `/?a=1&jwt=${token}` })],
    ['in a parameter of another name', { uri_param_names: ['a', 'token'] }, token => ({ path: `/?token=${token}` })],
    ['in a cookie', { cookie_names: ['a', 'session'] }, token => ({ headers: { cookie: `x=1; session=${token}; y` } })],
    ['twice, when it is the same', {}, token => ({ path: `/?jwt=${token}&jwt=${token}`, headers: bearer(token) })],
    [
      'beside an empty one',
      { cookie_names: ['session'] },
      token => ({ path: '/?jwt=', headers: { ...bearer(token), cookie: 'session=' } }),
    ],
  ])('%s', async (_, config, asked) => {
    await serving({ config });
    const { path = '/', headers = {} } = asked(await anns());
    expect((await rig.ask(path, { headers })).status).toBe(200);
  });

  test('by a claim of another name, or by the header', async () => {
    await serving({ config: { key_claim_name: 'kid' } });
    for (const token of [await anns({ iss: 'x', kid: 'anns' }), await anns({ iss: 'x' }, { kid: 'anns' })]) {
      expect((await rig.ask('/', { headers: bearer(token) })).status).toBe(200);
    }
  });

  test('by OPTIONS only when it is asked for', async () => {
    await serving();
    expect((await rig.ask('/', { method: 'OPTIONS' })).status).toBe(401);
    await serving({ config: { run_on_preflight: false } });
    expect((await rig.ask('/', { method: 'OPTIONS' })).status).toBe(200);
    expect((await rig.ask('/')).status).toBe(401);
  });
});

const text = (value: unknown) => Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url');
const raw = (header: unknown, claims: unknown, signature = 'eA') => `${text(header)}.${text(claims)}.${signature}`;

describe('nobody passes', () => {
  const WITH_ERROR = 'Bearer error="invalid_token"';
  const refused = async (headers: Record<string, string>, message: string, challenge = WITH_ERROR, path = '/') => {
    const { status, headers: said, json, sent } = await rig.ask(path, { headers });
    expect([status, json, said.get('www-authenticate')]).toEqual([401, { message }, challenge]);
    expect(said.get('content-type')).toBe('application/json; charset=utf-8');
    expect(sent).toBeUndefined();
  };

  test.each<readonly [string, string, string]>([
    ['with no token at all', 'x', 'Bad token; invalid JSON'],
    ['with two parts', raw({ alg: 'HS256' }, { iss: 'anns' }).split('.', 2).join('.'), 'Bad token; invalid JSON'],
    ['with a header that is no JSON', raw('{', { iss: 'anns' }), 'Bad token; invalid JSON'],
    ['with claims that are no JSON', raw({ alg: 'HS256' }, '{'), 'Bad token; invalid JSON'],
    ['with no base64', `${raw({ alg: 'HS256' }, {})}!`, 'Bad token; invalid signature'],
    ['with four parts', `${raw({ alg: 'HS256' }, { iss: 'anns' })}.x`, 'Bad token; invalid signature'],
    ['with a header that is no object', raw(null, { iss: 'anns' }), 'Bad token; invalid alg'],
    ['with an algorithm that is a number', raw({ alg: 1 }, { iss: 'anns' }), 'Bad token; invalid alg'],
    ['with no algorithm', raw({}, { iss: 'anns' }), 'Bad token; invalid alg'],
    ['with the algorithm none', raw({ alg: 'none' }, { iss: 'anns' }, ''), 'Bad token; invalid alg'],
    ['with the algorithm None', raw({ alg: 'None' }, { iss: 'anns' }, ''), 'Bad token; invalid alg'],
    ['with claims that are no object', raw({ alg: 'HS256' }, 'null'), 'Bad token; invalid claims'],
    ['with claims that are a list', raw({ alg: 'HS256' }, []), 'Bad token; invalid claims'],
    ['without the claim that names the key', raw({ alg: 'HS256' }, {}), "No mandatory 'iss' in claims"],
    ['with a null for that claim', raw({ alg: 'HS256' }, { iss: null }), "No mandatory 'iss' in claims"],
    ['with nothing in that claim', raw({ alg: 'HS256' }, { iss: '' }), "Invalid 'iss' in claims"],
    ['with a number in that claim', raw({ alg: 'HS256' }, { iss: 1 }), "No credentials found for given 'iss'"],
    ['with a name that nobody has', raw({ alg: 'HS256' }, { iss: 'bob' }), "No credentials found for given 'iss'"],
    ['with another algorithm than the row’s', raw({ alg: 'HS512' }, { iss: 'anns' }), 'Invalid algorithm'],
  ])('%s', async (_, token, message) => {
    await serving();
    await refused(bearer(token), message);
  });

  test('without a token, or with one of another scheme', async () => {
    await serving();
    await refused({}, 'Unauthorized', 'Bearer');
    await refused({ authorization: `Basic ${await anns()}` }, 'Unauthorized', 'Bearer');
    await serving({ config: { realm: 'mine' } });
    await refused({}, 'Unauthorized', 'Bearer realm="mine"');
    await refused(bearer('x'), 'Bad token; invalid JSON', 'Bearer realm="mine" error="invalid_token"');
  });

  test('with tokens in places that are not looked at', async () => {
    await serving({ config: { uri_param_names: [], header_names: ['x-token'] } });
    const token = await anns();
    await refused({ ...bearer(token), cookie: `jwt=${token}` }, 'Unauthorized', 'Bearer', `/?jwt=${token}`);
  });

  test('with two different tokens', async () => {
    await serving();
    await refused(bearer(await anns()), 'Multiple tokens provided', WITH_ERROR, `/?jwt=${await anns({ n: 1 })}`);
  });

  test('with a claim that objects have from elsewhere', async () => {
    await serving({ config: { key_claim_name: 'constructor' } });
    await refused(bearer(await anns()), "No mandatory 'constructor' in claims");
  });

  test.each(['---!', '{}', '=', 'x'])('with a secret of base64 that is none: %s', async secret => {
    await serving({ config: { secret_is_base64: true }, secret: { secret } });
    const unsigned = raw({ alg: 'HS256' }, { iss: 'anns' }, '');
    const signature = createHmac('sha256', Buffer.from(secret, 'base64')).update(unsigned.slice(0, -1)).digest('base64url');
    await refused(bearer(unsigned + signature), 'Invalid key/secret');
  });

  describe('by taking one algorithm for another', () => {
    test('a public key is no secret', async () => {
      await serving({ secret: { algorithm: 'RS256', rsa_public_key: rsa.publicPem, secret: rsa.publicPem } });
      await refused(bearer(await sign('HS256', secretKey(rsa.publicPem))), 'Invalid algorithm');
      await serving({ secret: { algorithm: 'ES256', rsa_public_key: curves.ES256.publicPem } });
      await refused(bearer(await sign('HS256', secretKey(curves.ES256.publicPem))), 'Invalid algorithm');
    });

    test('RS256 is not PS256', async () => {
      await serving({ secret: { algorithm: 'RS256', rsa_public_key: rsa.publicPem } });
      await refused(bearer(await sign('PS256', rsa.privateKey)), 'Invalid algorithm');
    });

    test.each([
      ['ES256', rsa.publicPem],
      ['ES256', curves.ES384.publicPem],
      ['ES256', ed25519.publicPem],
      ['EdDSA', rsa.publicPem],
      ['RS256', curves.ES256.publicPem],
      ['ES384', null],
      ['ES384', 'no key'],
    ])('a key of another kind is none for %s', async (algorithm, rsa_public_key) => {
      await serving({ secret: { algorithm, rsa_public_key } });
      await refused(bearer(raw({ alg: algorithm }, { iss: 'anns' })), 'Invalid key/secret');
    });

    test('another key pair is another', async () => {
      await serving({ secret: { algorithm: 'RS256', rsa_public_key: rsa.publicPem } });
      await refused(bearer(await sign('RS256', otherRsa.privateKey)), 'Invalid signature');
    });
  });
});

describe('claims', () => {
  const VERIFIED = { claims_to_verify: ['exp', 'nbf'] };
  const LIMITED = { claims_to_verify: ['exp'], maximum_expiration: 100 };
  test.each<readonly [string, object, JWTPayload, object | null]>([
    ['are not looked at by default', {}, { exp: 1, nbf: 9e12 }, null],
    ['that hold now', VERIFIED, { exp: seconds(1000), nbf: seconds(-1) }, null],
    ['that are over', VERIFIED, { exp: seconds(-1), nbf: 0 }, { exp: 'token expired' }],
    ['that are yet to come', VERIFIED, { exp: seconds(1000), nbf: seconds(900) }, { nbf: 'token not valid yet' }],
    ['that are not there', VERIFIED, {}, { exp: 'must be a number', nbf: 'must be a number' }],
    ['that are text', VERIFIED, { exp: String(seconds(1000)) as never, nbf: 0 }, { exp: 'must be a number' }],
    ['that end soon enough', LIMITED, { exp: seconds(90) }, null],
    ['that ended, where only the limit is configured', { maximum_expiration: 100 }, { exp: seconds(-1) }, { exp: 'token expired' }],
    ['that do not end, likewise', { maximum_expiration: 100 }, {}, { exp: 'must be a number' }],
    ['that end too late', LIMITED, { exp: seconds(1000) }, { exp: 'exceeds maximum allowed expiration' }],
  ])('%s', async (_, config, claims, errors) => {
    await serving({ config });
    const { status, json, headers } = await rig.ask('/', { headers: bearer(await anns(claims)) });
    expect(status).toBe(errors === null ? 200 : 401);
    if (errors !== null) expect([json, headers.get('www-authenticate')]).toEqual([errors, 'Bearer error="invalid_token"']);
  });

  test('that are to end soon have to be looked at', async () => {
    const message = "failed conditional validation given value of field 'config.maximum_expiration'";
    await expect(serving({ config: { maximum_expiration: 100, claims_to_verify: ['nbf'] } })).rejects.toThrow(message);
  });
});

test('with an anonymous consumer everybody passes', async () => {
  await serving({ config: { anonymous: 'nobody' } });
  const { sent } = await rig.ask('/', { headers: bearer('x') });
  expect([sent?.header('x-consumer-username'), sent?.header('x-anonymous-consumer')]).toEqual(['nobody', 'true']);
});

describe('a row is refused', () => {
  test.each<readonly [string, object]>([
    ['that has no key where there has to be one', { algorithm: 'RS256' }],
    ['whose key is none', { algorithm: 'PS512', rsa_public_key: 'x' }],
    ['whose key is private', { algorithm: 'EdDSA', rsa_public_key: ed25519.privatePem }],
  ])('%s', async (_, secret) => {
    await expect(serving({ secret })).rejects.toThrow("failed conditional validation given value of field 'algorithm'");
  });

  test('that knows another algorithm', async () => {
    await expect(serving({ secret: { algorithm: 'none' } })).rejects.toThrow('algorithm: expected one of: HS256');
  });
});
