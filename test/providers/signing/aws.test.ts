import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'bun:test';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ConfigurationError } from '../../../src/lib/configuration-error.ts';
import { RequestFailure } from '../../../src/lib/request-failure.ts';
import { type AwsIdentity, awsCredentials, awsRegion, signature } from '../../../src/providers/signing/aws.ts';
import suite from '../../fixtures/aws/signature-vectors.json';
import { isSignedBy, type SignedRequest } from '../../support/aws-signature.ts';

const KEYS = { accessKeyId: 'AKIDCONFIGURED', secretAccessKey: 'configured-secret' };
const BEDROCK = { service: 'bedrock', region: 'eu-west-1' };
const URL_OF_CALL =
  'https://bedrock-runtime.eu-west-1.amazonaws.com/model/arn%3Aaws%3Abedrock%3Aeu-west-1%3A1%3Ainference-profile%2Fx/converse';
const HOUR = 3_600_000;

interface Asked extends SignedRequest {
  readonly path: string;
}

/** AWS's endpoints for credentials: STS, a container's and an instance's. Each answer has keys with a number of their own. */
let asked: Asked[] = [];
let fails: { readonly status: number; readonly body: string } | null = null;
let lifetime = HOUR;
let server: Bun.Server<undefined>;
let origin: string;
const folder = mkdtempSync(join(tmpdir(), 'aws-'));

beforeAll(() => {
  server = Bun.serve({ port: 0, hostname: '127.0.0.1', fetch: answer });
  origin = `http://127.0.0.1:${server.port}`;
});
afterAll(() => {
  void server.stop(true);
  rmSync(folder, { recursive: true });
});

async function answer(request: Request): Promise<Response> {
  const { pathname, search } = new URL(request.url);
  asked.push({
    method: request.method,
    path: pathname,
    target: pathname + search,
    headers: request.headers.toJSON(),
    body: await request.text(),
  });
  if (fails !== null) return new Response(fails.body, { status: fails.status, headers: { 'content-type': 'text/xml' } });
  const count = asked.length;
  const keys = { AccessKeyId: `AKID${count}`, SecretAccessKey: `secret-${count}`, Token: `token-${count}`, Expiration: expiration() };
  switch (pathname) {
    case '/latest/api/token':
      return new Response('imds-token');
    case '/latest/meta-data/iam/security-credentials/':
      return new Response('gateway-role');
    case '/':
      return new Response(stsAnswer(new URLSearchParams(asked.at(-1)?.body).get('Action') ?? '', keys));
    default:
      return Response.json({ ...keys, Code: 'Success' });
  }
}

const expiration = () => new Date(Date.now() + lifetime).toISOString();
const stsAnswer = (action: string, keys: { AccessKeyId: string; SecretAccessKey: string; Token: string; Expiration: string }) =>
  `<${action}Response xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><${action}Result><Credentials>
    <AccessKeyId>${keys.AccessKeyId}</AccessKeyId><SecretAccessKey>${keys.SecretAccessKey}</SecretAccessKey>
    <SessionToken>${keys.Token}</SessionToken><Expiration>${keys.Expiration}</Expiration>
  </Credentials></${action}Result></${action}Response>`;

/** The environment is all that an SDK of AWS's looks at: each test has its own. */
const inherited = { ...process.env };
beforeEach(() => {
  asked = [];
  fails = null;
  lifetime = HOUR;
  for (const name of Object.keys(process.env)) if (name.startsWith('AWS_')) delete process.env[name];
  const nowhere = join(folder, 'nowhere');
  Object.assign(process.env, { AWS_CONFIG_FILE: nowhere, AWS_SHARED_CREDENTIALS_FILE: nowhere, AWS_EC2_METADATA_DISABLED: 'true' });
});
afterEach(() => {
  for (const name of Object.keys(process.env)) if (name.startsWith('AWS_')) delete process.env[name];
  Object.assign(process.env, inherited);
});

async function sign(credentials: ReturnType<typeof awsCredentials>, more: Record<string, string> = {}) {
  const headers: Record<string, string> = { 'content-type': 'application/json', ...more };
  await credentials.sign({ method: 'POST', url: URL_OF_CALL, headers, body: '{"messages":[]}' });
  return headers;
}

const asSent = (headers: Record<string, string>): SignedRequest => {
  const { host, pathname } = new URL(URL_OF_CALL);
  return { method: 'POST', target: pathname, headers: { ...headers, host }, body: '{"messages":[]}' };
};

describe('the signature', () => {
  const { accessKeyId, secretAccessKey, service, region, at, vectors } = suite;

  test.each(vectors)("is that of AWS's test suite: $name", async ({ method, url, signature: expected, sessionToken }) => {
    const keys = { accessKeyId, secretAccessKey, ...(sessionToken && { sessionToken }) };
    const proof = await signature({ method, url, headers: {}, body: '' }, keys, { service, region }, new Date(at));
    const names = sessionToken ? 'host;x-amz-date;x-amz-security-token' : 'host;x-amz-date';
    expect(proof).toEqual({
      authorization: `AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, SignedHeaders=${names}, Signature=${expected}`,
      'x-amz-date': '20150830T123600Z',
      ...(sessionToken && { 'x-amz-security-token': sessionToken }),
    });
  });

  test('holds for a path that is escaped, with whatever proxies add', async () => {
    const headers = await sign(awsCredentials({ ...BEDROCK, ...KEYS }), { 'x-amzn-bedrock-trace': 'ENABLED', 'user-agent': 'one' });
    expect(proofIn(headers)).toContain('SignedHeaders=content-type;host;x-amz-date;x-amzn-bedrock-trace,');
    expect(isSignedBy(KEYS.secretAccessKey, asSent({ ...headers, 'user-agent': 'another', 'x-forwarded-for': '10.0.0.1' }))).toBe(true);
    expect(isSignedBy('another-secret', asSent(headers))).toBe(false);
    expect(isSignedBy(KEYS.secretAccessKey, { ...asSent(headers), body: '{}' })).toBe(false);
  });

  test("takes the place of a client's own", async () => {
    const headers = await sign(awsCredentials({ ...BEDROCK, ...KEYS }), {
      authorization: 'Bearer client',
      'x-amz-security-token': 'client',
    });
    expect(proofIn(headers)).toStartWith('AWS4-HMAC-SHA256 Credential=AKIDCONFIGURED/');
    expect(headers['x-amz-security-token']).toBeUndefined();
  });

  test('is the same for a body of bytes, and covers a query with odd names', async () => {
    const body = '{"a":"ü"}';
    const call = { method: 'POST', url: 'https://h.test/a?constructor=1&b=2&b=1&c', headers: {} };
    const [text, bytes] = await Promise.all(
      [body, new TextEncoder().encode(body)].map(body => signature({ ...call, body }, KEYS, BEDROCK, new Date(0))),
    );
    expect(text).toEqual(bytes as never);
    const request = { method: 'POST', target: '/a?b=1&b=2&c=&constructor=1', headers: { ...text, host: 'h.test' }, body };
    expect(isSignedBy(KEYS.secretAccessKey, request)).toBe(true);
  });
});

describe('keys', () => {
  const role = { roleArn: 'arn:aws:iam::1:role/models', roleSessionName: 'session' };
  const assumed = (): AwsIdentity => ({ ...BEDROCK, ...KEYS, ...role, stsEndpoint: origin });

  test('of the configuration need no call', async () => {
    const credentials = awsCredentials({ ...BEDROCK, ...KEYS });
    expect(isSignedBy('configured-secret', asSent(await sign(credentials)))).toBe(true);
    expect(credentials.secrets()).toEqual(['configured-secret']);
    expect(asked).toEqual([]);
  });

  test.each<[string, () => Record<string, string>, string, string[]]>([
    [
      'the environment',
      () => ({ AWS_ACCESS_KEY_ID: 'AKIDENV', AWS_SECRET_ACCESS_KEY: 'env-secret', AWS_SESSION_TOKEN: 'env-token' }),
      'env-secret',
      [],
    ],
    ['the shared profile', () => ({ AWS_SHARED_CREDENTIALS_FILE: profile(), AWS_PROFILE: 'models' }), 'profile-secret', []],
    [
      'the container',
      () => ({ AWS_CONTAINER_CREDENTIALS_FULL_URI: `${origin}/task`, AWS_CONTAINER_AUTHORIZATION_TOKEN: 'pod' }),
      'secret-1',
      ['/task'],
    ],
    [
      'the instance',
      () => ({ AWS_EC2_METADATA_DISABLED: 'false', AWS_EC2_METADATA_SERVICE_ENDPOINT: origin }),
      'secret-3',
      ['/latest/api/token', '/latest/meta-data/iam/security-credentials/', '/latest/meta-data/iam/security-credentials/gateway-role'],
    ],
  ])('come from %s', async (_, environment, secret, paths) => {
    Object.assign(process.env, environment());
    const credentials = awsCredentials(BEDROCK);
    expect(isSignedBy(secret, asSent(await sign(credentials)))).toBe(true);
    expect(credentials.secrets()).toContain(secret);
    expect(asked.map(({ path }) => path)).toEqual(paths);
    if (paths.length > 1) expect(asked.at(-1)?.headers['x-aws-ec2-metadata-token']).toBe('imds-token');
    if (paths.length === 1) expect(proofIn(asked[0]?.headers)).toBe('pod');
  });

  test('come from STS for the token of a web identity', async () => {
    const token = join(folder, 'token');
    writeFileSync(token, 'signed-by-the-cluster');
    Object.assign(process.env, { AWS_WEB_IDENTITY_TOKEN_FILE: token, AWS_ROLE_ARN: role.roleArn, AWS_ROLE_SESSION_NAME: 'pod' });
    const headers = await sign(awsCredentials({ ...BEDROCK, stsEndpoint: origin }));
    expect(isSignedBy('secret-1', asSent(headers))).toBe(true);
    expect(headers['x-amz-security-token']).toBe('token-1');
    const form = new URLSearchParams(asked[0]?.body);
    expect([form.get('Action'), form.get('WebIdentityToken'), form.get('RoleArn')]).toEqual([
      'AssumeRoleWithWebIdentity',
      'signed-by-the-cluster',
      role.roleArn,
    ]);
  });

  test('of a role come from STS, for a call that the base keys sign', async () => {
    expect(isSignedBy('secret-1', asSent(await sign(awsCredentials(assumed()))))).toBe(true);
    const [request] = asked as [Asked];
    const form = new URLSearchParams(request.body);
    expect([form.get('Action'), form.get('RoleArn'), form.get('RoleSessionName')]).toEqual(['AssumeRole', role.roleArn, 'session']);
    expect(isSignedBy('configured-secret', request)).toBe(true);
  });

  test('of a role may rest on those of the environment', async () => {
    Object.assign(process.env, { AWS_ACCESS_KEY_ID: 'AKIDENV', AWS_SECRET_ACCESS_KEY: 'env-secret' });
    await sign(awsCredentials({ ...BEDROCK, ...role, stsEndpoint: origin }));
    expect(isSignedBy('env-secret', asked[0] as Asked)).toBe(true);
  });

  test('are fetched once for calls that come together, and again before they expire', async () => {
    let now = Date.now();
    const credentials = awsCredentials(assumed(), () => now);
    await Promise.all(Array.from({ length: 20 }, () => sign(credentials)));
    expect(asked).toHaveLength(1);

    now += HOUR - 5 * 60_000;
    await sign(credentials);
    expect(asked).toHaveLength(1);

    now += 2 * 60_000;
    lifetime = 2 * HOUR;
    const headers = await Promise.all(Array.from({ length: 20 }, () => sign(credentials)));
    expect(asked).toHaveLength(2);
    expect(headers.every(each => each['x-amz-security-token'] === 'token-2')).toBe(true);
    expect(credentials.secrets()).toEqual(['secret-2', 'token-2', 'secret-1', 'token-1']);
  });

  test('that still last are used while no new ones can be had', async () => {
    let now = Date.now();
    const credentials = awsCredentials(assumed(), () => now);
    await sign(credentials);
    fails = denied();
    now += HOUR - 60_000;
    expect((await sign(credentials))['x-amz-security-token']).toBe('token-1');
    now += 2 * 60_000;
    await expect(sign(credentials)).rejects.toThrow(RequestFailure);
  });

  test('that cannot be had fail the call without a secret in the message; the next call asks again', async () => {
    const credentials = awsCredentials(assumed());
    fails = denied();
    const failure = await sign(credentials).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(RequestFailure);
    expect(failure).toMatchObject({ status: 502, message: 'the gateway has no AWS credentials: AccessDenied' });
    fails = null;
    expect(proofIn(await sign(credentials))).toContain('AWS4-HMAC-SHA256');
  });

  test('that are nowhere fail the call', async () => {
    await expect(sign(awsCredentials(BEDROCK))).rejects.toThrow('the gateway has no AWS credentials: CredentialsProviderError');
  });

  test('are refused by halves', () => {
    expect(() => awsCredentials({ ...BEDROCK, accessKeyId: 'AKID' })).toThrow(ConfigurationError);
    expect(() => awsCredentials({ ...BEDROCK, secretAccessKey: 's' })).toThrow(ConfigurationError);
    expect(() => awsCredentials({ ...assumed(), stsEndpoint: 'sts.test' })).toThrow(ConfigurationError);
  });
});

test('the region is that of the configuration, else that of the environment', () => {
  expect(awsRegion('eu-west-1', { AWS_REGION: 'us-east-1' })).toBe('eu-west-1');
  expect(awsRegion(null, { AWS_REGION: 'us-east-1' })).toBe('us-east-1');
  expect(awsRegion(null, { AWS_DEFAULT_REGION: 'us-gov-west-1' })).toBe('us-gov-west-1');
  expect(() => awsRegion(null, {})).toThrow('no AWS region');
  expect(() => awsRegion('elsewhere.test/', {})).toThrow(ConfigurationError);
});

const proofIn = ({ authorization }: Readonly<Record<string, string>> = {}) => authorization;

const denied = () => ({
  status: 403,
  body: `<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><Error><Type>Sender</Type><Code>AccessDenied</Code>
    <Message>configured-secret may not assume arn:aws:iam::1:role/models</Message></Error></ErrorResponse>`,
});

function profile(): string {
  const path = join(folder, 'credentials');
  writeFileSync(path, '[models]\naws_access_key_id = AKIDPROFILE\naws_secret_access_key = profile-secret\n');
  return path;
}
