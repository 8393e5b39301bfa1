import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'bun:test';
import { createVerify, generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ConfigurationError } from '../../../src/lib/configuration-error.ts';
import { RequestFailure } from '../../../src/lib/request-failure.ts';
import { type GoogleIdentity, googleCredentials } from '../../../src/providers/signing/google.ts';

const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
const key = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
const email = 'gateway@project.iam.gserviceaccount.com';
const serviceAccount = JSON.stringify({ type: 'service_account', client_email: email, private_key: key, private_key_id: 'key-1' });

/** What Google's endpoints were asked, and how they answer. */
let asked: { path: string; headers: Headers; body: string }[] = [];
let answer: (count: number) => Response;
const tokenNumber = (count: number) => Response.json({ access_token: `token-${count}`, expires_in: 3600, token_type: 'Bearer' });

let server: Bun.Server<undefined>;
let origin: string;
const folder = mkdtempSync(join(tmpdir(), 'google-'));

beforeAll(() => {
  server = Bun.serve({
    port: 0,
    hostname: '127.0.0.1',
    async fetch(request) {
      asked.push({ path: new URL(request.url).pathname, headers: request.headers, body: await request.text() });
      return answer(asked.length);
    },
  });
  origin = `http://127.0.0.1:${server.port}`;
});
afterAll(() => {
  void server.stop(true);
  rmSync(folder, { recursive: true });
});
beforeEach(() => {
  asked = [];
  answer = tokenNumber;
});

const byKey = (): GoogleIdentity => ({ gcp_service_account_json: serviceAccount, gcp_oauth_token_url: `${origin}/token` });
const byMetadata = (): GoogleIdentity => ({ gcp_metadata_url: origin });

async function signed({ sign }: { sign: ReturnType<typeof googleCredentials>['sign'] }, headers: Record<string, string> = {}) {
  await sign({ method: 'POST', url: 'https://aiplatform.googleapis.com/', headers, body: '{}' });
  return headers;
}

test('a service account asks for a token with an assertion that its key signed', async () => {
  const started = Math.floor(Date.now() / 1000);
  const credentials = googleCredentials(byKey(), {});
  expect(await signed(credentials, { 'x-goog-api-key': 'the client' })).toEqual({ authorization: 'Bearer token-1' });
  expect(credentials.secrets()).toEqual(['token-1']);

  const [request] = asked;
  const form = new URLSearchParams(request?.body);
  expect(request?.path).toBe('/token');
  expect(form.get('grant_type')).toBe('urn:ietf:params:oauth:grant-type:jwt-bearer');
  const [header = '', claims = '', signature = ''] = (form.get('assertion') ?? '').split('.');
  const read = (part: string) => JSON.parse(Buffer.from(part, 'base64url').toString());
  expect(read(header)).toEqual({ alg: 'RS256' });
  const { iat, exp, ...rest } = read(claims);
  expect(rest).toEqual({ iss: email, scope: 'https://www.googleapis.com/auth/cloud-platform', aud: `${origin}/token` });
  expect(iat).toBeGreaterThanOrEqual(started);
  expect(exp - iat).toBe(3600);
  expect(createVerify('RSA-SHA256').update(`${header}.${claims}`).verify(publicKey, signature, 'base64url')).toBe(true);
});

test('the metadata server speaks for the machine or the workload', async () => {
  expect(await signed(googleCredentials(byMetadata(), {}))).toEqual({ authorization: 'Bearer token-1' });
  expect(asked[0]?.path).toBe('/computeMetadata/v1/instance/service-accounts/default/token');
  expect(asked[0]?.headers.get('metadata-flavor')).toBe('Google');
});

test('a metadata URL with a path is asked as it stands', async () => {
  await signed(googleCredentials({ gcp_metadata_url: `${origin}/own/token` }, {}));
  expect(asked[0]?.path).toBe('/own/token');
});

test('the metadata host of the environment is asked', async () => {
  expect(await signed(googleCredentials({}, { GCE_METADATA_HOST: new URL(origin).host }))).toEqual({ authorization: 'Bearer token-1' });
});

test('a service account stands in GCP_SERVICE_ACCOUNT', async () => {
  await signed(googleCredentials({ gcp_oauth_token_url: `${origin}/token` }, { GCP_SERVICE_ACCOUNT: serviceAccount }));
  expect(asked[0]?.body).toContain('assertion=');
});

test('a workload identity federation exchanges the token of its file, named by GOOGLE_APPLICATION_CREDENTIALS', async () => {
  writeFileSync(join(folder, 'subject'), 'the-subject-token');
  const federation = {
    type: 'external_account',
    audience: '//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/pool/providers/oidc',
    subject_token_type: 'urn:ietf:params:oauth:token-type:jwt',
    token_url: `${origin}/sts`,
    credential_source: { file: join(folder, 'subject') },
  };
  writeFileSync(join(folder, 'federation.json'), JSON.stringify(federation));
  const environment = { GOOGLE_APPLICATION_CREDENTIALS: join(folder, 'federation.json') };
  expect(await signed(googleCredentials({}, environment))).toEqual({ authorization: 'Bearer token-1' });
  expect(asked[0]?.path).toBe('/sts');
  expect(new URLSearchParams(asked[0]?.body).get('subject_token')).toBe('the-subject-token');
});

describe.each([
  ['a service account', byKey],
  ['the metadata server', byMetadata],
])('the token of %s', (_, identity) => {
  test('is fetched once for 50 calls at a time', async () => {
    const credentials = googleCredentials(identity(), {});
    const all = await Promise.all(Array.from({ length: 50 }, () => signed(credentials)));
    expect(all).toEqual(Array.from({ length: 50 }, () => ({ authorization: 'Bearer token-1' })));
    expect(asked).toHaveLength(1);
  });

  test('is kept until shortly before its end, then fetched anew, once', async () => {
    let ahead = 0;
    const credentials = googleCredentials(identity(), {}, () => Date.now() + ahead);
    await signed(credentials);
    ahead = 55 * 60_000;
    expect(await signed(credentials)).toEqual({ authorization: 'Bearer token-1' });
    ahead = 57 * 60_000;
    const all = await Promise.all([signed(credentials), signed(credentials)]);
    expect(all).toEqual([{ authorization: 'Bearer token-2' }, { authorization: 'Bearer token-2' }]);
    expect(asked).toHaveLength(2);
  });

  test('is used to its end when there is no new one, and then no longer', async () => {
    let ahead = 0;
    const credentials = googleCredentials(identity(), {}, () => Date.now() + ahead);
    await signed(credentials);
    answer = () => new Response('no', { status: 403 });
    ahead = 58 * 60_000;
    expect(await signed(credentials)).toEqual({ authorization: 'Bearer token-1' });
    ahead = 61 * 60_000;
    expect(signed(credentials)).rejects.toBeInstanceOf(RequestFailure);
  });

  test('that is refused is a 502 without secrets, and the next call asks again', async () => {
    const credentials = googleCredentials(identity(), {});
    answer = () => Response.json({ error: 'invalid_grant', error_description: `no ${key}` }, { status: 400 });
    const failure = await signed(credentials).catch(error => error);
    expect(failure).toBeInstanceOf(RequestFailure);
    expect(failure.status).toBe(502);
    expect(failure.message).toMatch(
      /^there is no access token of Google's to be had: (invalid_grant|the metadata server answered with status 400)$/,
    );
    answer = tokenNumber;
    expect(await signed(credentials)).toEqual({ authorization: expect.stringMatching(/^Bearer token-\d$/) });
  });

  test.each([
    ['no JSON', () => new Response('<html>')],
    ['no token', () => Response.json({ expires_in: 3600 })],
  ])('that is %s is a 502', async (_, says) => {
    answer = says;
    const failure = await signed(googleCredentials(identity(), {})).catch(error => error);
    expect(failure).toBeInstanceOf(RequestFailure);
    expect(failure.status).toBe(502);
  });
});

test('an endpoint that nobody answers at is a 502', async () => {
  const closed = Bun.serve({ port: 0, hostname: '127.0.0.1', fetch: () => new Response() });
  const gone = `http://127.0.0.1:${closed.port}/`;
  closed.stop(true);
  const failure = await signed(googleCredentials({ gcp_metadata_url: gone }, {})).catch(error => error);
  expect(failure.message).toBe("there is no access token of Google's to be had: the metadata server gave no answer");
});

test('a credentials file that is none is a 502', async () => {
  const failure = await signed(googleCredentials({}, { GOOGLE_APPLICATION_CREDENTIALS: join(folder, 'missing.json') })).catch(
    error => error,
  );
  expect(failure.status).toBe(502);
});

test.each(['gcp_metadata_url', 'gcp_oauth_token_url'])('an %s that is none is refused at configure time', name => {
  expect(() => googleCredentials({ [name]: 'metadata' }, {})).toThrow(ConfigurationError);
});

test.each([
  ['no JSON', 'secret', 'this is not the JSON of a service account'],
  ['an empty object', '{}', "this has no 'client_email' and 'private_key'"],
  ['a key that is none', JSON.stringify({ client_email: email, private_key: 'secret' }), "the 'private_key' of this is none"],
])('%s is refused at configure time without being shown', (_, json, message) => {
  const configure = () => googleCredentials({ gcp_service_account_json: json }, {});
  expect(configure).toThrow(ConfigurationError);
  expect(configure).toThrow(message);
});
