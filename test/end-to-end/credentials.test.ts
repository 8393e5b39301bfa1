import { afterAll, beforeAll, beforeEach, describe, expect, setDefaultTimeout, test } from 'bun:test';
import { generateKeyPairSync } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isSignedBy } from '../support/aws-signature.ts';
import { startConnectProxy } from '../support/connect-proxy.ts';
import { newFolder, startGateway } from '../support/executable.ts';
import { CERTIFICATE_FILE, KEY_FILE } from '../support/upstream.ts';

// Who the gateway is to AWS, Google and Azure, by every way there is, in the compiled executable: their libraries load parts of
// themselves when they need them, which a bundle may have lost.

setDefaultTimeout(30_000);

interface Asked {
  readonly path: string;
  readonly method: string;
  readonly target: string;
  readonly headers: Record<string, string>;
  readonly body: string;
}

/** The vendors, and all that gives credentials for them. Each answer has a number of its own. */
let asked: Asked[] = [];
const serve = (tls?: Bun.TLSOptions) => Bun.serve({ port: 0, hostname: '127.0.0.1', fetch: answer, ...(tls && { tls }) });
const cloud = serve();
const entra = serve({ cert: Bun.file(CERTIFICATE_FILE), key: Bun.file(KEY_FILE) });
const origin = `http://127.0.0.1:${cloud.port}`;
const folder = newFolder();
const HOUR = 3600;

beforeEach(() => {
  asked = [];
});
afterAll(() => Promise.all([cloud.stop(true), entra.stop(true)]));

async function answer(request: Request): Promise<Response> {
  const { pathname: path, search } = new URL(request.url);
  const { method } = request;
  asked.push({ path, method, target: path + search, headers: request.headers.toJSON(), body: await request.text() });
  const count = asked.filter(({ path }) => !isVendor(path)).length;
  const expiration = new Date(Date.now() + HOUR * 1000).toISOString();
  const keys = { AccessKeyId: `AKID${count}`, SecretAccessKey: `secret-${count}`, Token: `token-${count}`, Expiration: expiration };
  if (path.startsWith('/model/')) return Response.json({ output: { message: { content: [{ text: 'hi' }] } }, stopReason: 'end_turn' });
  if (path === '/gemini') return Response.json({ candidates: [{ content: { parts: [{ text: 'hi' }] }, finishReason: 'STOP' }] });
  if (path === '/azure') return Response.json({ id: 'a', object: 'chat.completion', created: 1, model: 'm', choices: [] });
  if (path === '/latest/api/token') return new Response('imds-token');
  if (path === '/latest/meta-data/iam/security-credentials/') return new Response('gateway-role');
  if (path === '/') return new Response(stsAnswer(new URLSearchParams(asked.at(-1)?.body).get('Action') ?? '', keys));
  if (path === '/task' || path.endsWith('/gateway-role')) return Response.json({ ...keys, Code: 'Success' });
  // Entra's client first looks where the tenant is.
  const expires_on = `${Math.floor(Date.now() / 1000) + HOUR}`;
  return Response.json({ access_token: `token-${count}`, token_type: 'Bearer', expires_in: HOUR, expires_on });
}

const isVendor = (path: string) => path.startsWith('/model/') || path === '/gemini' || path === '/azure';
const stsAnswer = (action: string, keys: { AccessKeyId: string; SecretAccessKey: string; Token: string; Expiration: string }) =>
  `<${action}Response xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><${action}Result><Credentials>
    <AccessKeyId>${keys.AccessKeyId}</AccessKeyId><SecretAccessKey>${keys.SecretAccessKey}</SecretAccessKey>
    <SessionToken>${keys.Token}</SessionToken><Expiration>${keys.Expiration}</Expiration>
  </Credentials></${action}Result></${action}Response>`;

/** What the vendor and the givers of credentials are asked when ten chats come at once to a gateway of this configuration. */
async function chats(environment: Record<string, string>, auth: object, model: object) {
  await using gateway = await startGateway({ environment: { SLUICE_WORKERS: '1', ...environment } });
  await gateway.request('POST', '/routes', { name: 'chat', paths: ['/'] });
  const plugin = { name: 'ai-proxy', config: { route_type: 'llm/v1/chat', auth, model } };
  const made = await gateway.request('POST', '/routes/chat/plugins', plugin);
  expect([made.status, made.body]).toEqual([201, expect.objectContaining({ name: 'ai-proxy' })]);
  const ask = async () => {
    const response = await fetch(gateway.proxy, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: 'Bearer the-clients-own' },
      body: JSON.stringify({ messages: [{ role: 'user', content: 'hi' }] }),
    });
    return [response.status, response.status === 200 ? '' : await response.text()];
  };
  const all = await Promise.all(Array.from({ length: 10 }, ask));
  expect(all).toEqual(all.map(() => [200, '']));
  return {
    vendor: asked.filter(({ path }) => isVendor(path)),
    givers: asked.filter(({ path }) => !isVendor(path)),
  };
}

describe('AWS', () => {
  const nowhere = join(folder, 'nowhere');
  const NOTHING = { AWS_CONFIG_FILE: nowhere, AWS_SHARED_CREDENTIALS_FILE: nowhere, AWS_EC2_METADATA_DISABLED: 'true' };
  const file = (name: string, text: string) => {
    writeFileSync(join(folder, name), text);
    return join(folder, name);
  };
  const IN_ENVIRONMENT = { AWS_ACCESS_KEY_ID: 'AKIDENV', AWS_SECRET_ACCESS_KEY: 'env-secret' };
  const STATIC = { aws_access_key_id: 'AKIDSTATIC', aws_secret_access_key: 'static-secret' };
  const ROLE = { aws_assume_role_arn: 'arn:aws:iam::1:role/models', aws_role_session_name: 'one', aws_sts_endpoint_url: `${origin}` };

  test.each<[string, () => Record<string, string>, object, object, string, string[]]>([
    ['static keys', () => ({}), STATIC, {}, 'static-secret', []],
    ['the environment', () => IN_ENVIRONMENT, {}, {}, 'env-secret', []],
    [
      'a profile',
      () => ({
        AWS_PROFILE: 'models',
        AWS_SHARED_CREDENTIALS_FILE: file(
          'credentials',
          '[models]\naws_access_key_id = AKIDPROFILE\naws_secret_access_key = profile-secret\n',
        ),
      }),
      {},
      {},
      'profile-secret',
      [],
    ],
    [
      'the container',
      () => ({ AWS_CONTAINER_CREDENTIALS_FULL_URI: `${origin}/task`, AWS_CONTAINER_AUTHORIZATION_TOKEN: 'pod' }),
      {},
      {},
      'secret-1',
      ['/task'],
    ],
    [
      'the instance',
      () => ({ AWS_EC2_METADATA_DISABLED: 'false', AWS_EC2_METADATA_SERVICE_ENDPOINT: origin }),
      {},
      {},
      'secret-3',
      ['/latest/api/token', '/latest/meta-data/iam/security-credentials/', '/latest/meta-data/iam/security-credentials/gateway-role'],
    ],
    [
      'a web identity',
      () => ({ AWS_WEB_IDENTITY_TOKEN_FILE: file('token', 'of-the-cluster'), AWS_ROLE_ARN: 'arn:aws:iam::1:role/models' }),
      {},
      { aws_sts_endpoint_url: `${origin}` },
      'secret-1',
      ['/'],
    ],
    ['a role of static keys', () => ({}), STATIC, ROLE, 'secret-1', ['/']],
    ['a role of the environment', () => IN_ENVIRONMENT, {}, ROLE, 'secret-1', ['/']],
    [
      'a role of the container',
      () => ({ AWS_CONTAINER_CREDENTIALS_FULL_URI: `${origin}/task`, AWS_CONTAINER_AUTHORIZATION_TOKEN: 'pod' }),
      {},
      ROLE,
      'secret-2',
      ['/task', '/'],
    ],
    [
      'a profile that takes on a role',
      () => ({
        AWS_PROFILE: 'models',
        AWS_ENDPOINT_URL_STS: `${origin}`,
        AWS_CONFIG_FILE: file(
          'config',
          '[profile models]\nrole_arn = arn:aws:iam::1:role/models\nsource_profile = base\n[profile base]\naws_access_key_id = AKIDBASE\naws_secret_access_key = base-secret\n',
        ),
      }),
      {},
      {},
      'secret-1',
      ['/'],
    ],
  ])('by %s, asked for once', async (_, environment, auth, bedrock, secret, paths) => {
    const options = { upstream_url: origin, bedrock: { aws_region: 'eu-west-1', ...bedrock } };
    const model = { provider: 'bedrock', name: 'amazon.nova-pro-v1:0', options };
    const { vendor, givers } = await chats({ ...NOTHING, ...environment() }, auth, model);
    expect(givers.map(({ path }) => path)).toEqual(paths);
    expect(vendor.length).toBe(10);
    for (const call of vendor) expect(isSignedBy(secret, call)).toBe(true);
  });
});

describe('Google', () => {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const private_key = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  const account = JSON.stringify({ type: 'service_account', client_email: 'gateway@p.iam.gserviceaccount.com', private_key });
  const federation = JSON.stringify({
    type: 'external_account',
    audience: '//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/pool/providers/oidc',
    subject_token_type: 'urn:ietf:params:oauth:token-type:jwt',
    token_url: `${origin}/federation`,
    credential_source: { file: join(folder, 'subject') },
  });
  beforeAll(() => {
    writeFileSync(join(folder, 'subject'), 'the-subject-token');
    writeFileSync(join(folder, 'federation.json'), federation);
  });

  test.each<[string, Record<string, string>, object, string]>([
    ['a service account', {}, { gcp_service_account_json: account, gcp_oauth_token_url: `${origin}/oauth` }, '/oauth'],
    ['a service account in the environment', { GCP_SERVICE_ACCOUNT: account }, { gcp_oauth_token_url: `${origin}/oauth` }, '/oauth'],
    ['the metadata server', {}, { gcp_metadata_url: origin }, '/computeMetadata/v1/instance/service-accounts/default/token'],
    ['a workload identity', { GOOGLE_APPLICATION_CREDENTIALS: join(folder, 'federation.json') }, {}, '/federation'],
    ['a workload identity that is configured', {}, { gcp_service_account_json: federation }, '/federation'],
  ])('by %s, asked for once', async (_, environment, auth, path) => {
    const model = { provider: 'gemini', name: 'gemini-2.5-flash', options: { upstream_url: `${origin}/gemini` } };
    const { vendor, givers } = await chats(environment, { gcp_use_service_account: true, ...auth }, model);
    expect(givers.map(given => given.path)).toEqual([path]);
    expect(vendor.map(({ headers: { authorization } }) => authorization)).toEqual(vendor.map(() => 'Bearer token-1'));
    expect(vendor.length).toBe(10);
  });
});

describe('Azure', () => {
  const options = { azure_instance: 'mine', azure_deployment_id: 'gpt-4o', upstream_url: `${origin}/azure` };
  const model = { provider: 'azure', name: 'gpt-4o', options };
  const identity = { azure_client_id: 'application', azure_tenant_id: '6b5b2b5c-0000-4000-8000-1d2d3d4d5d6d' };
  const expectTokens = ({ vendor }: Awaited<ReturnType<typeof chats>>) => {
    expect(vendor.map(({ headers: { authorization } }) => authorization)).toEqual(
      vendor.map(() => expect.stringMatching(/^Bearer token-\d$/)),
    );
    expect(new Set(vendor.map(({ headers: { authorization } }) => authorization)).size).toBe(1);
    expect(vendor.length).toBe(10);
  };

  test('by a client secret, asked for once', async () => {
    using proxy = await startConnectProxy(entra.port as number);
    const environment = { SLUICE_HTTPS_PROXY: proxy.url, NODE_TLS_REJECT_UNAUTHORIZED: '0' };
    const called = await chats(environment, { ...identity, azure_client_secret: 'the-secret' }, model);
    expectTokens(called);
    expect([...new Set(proxy.asked)]).toEqual(['login.microsoftonline.com:443']);
    const [given, ...more] = called.givers.filter(({ path }) => path.endsWith('/oauth2/v2.0/token'));
    expect([new URLSearchParams(given?.body).get('client_secret'), more]).toEqual(['the-secret', []]);
  });

  test('by a workload identity, asked for once', async () => {
    using proxy = await startConnectProxy(entra.port as number);
    writeFileSync(join(folder, 'federated'), 'the.token.of-the-cluster');
    const environment = {
      SLUICE_HTTPS_PROXY: proxy.url,
      NODE_TLS_REJECT_UNAUTHORIZED: '0',
      AZURE_FEDERATED_TOKEN_FILE: join(folder, 'federated'),
    };
    const called = await chats(environment, { ...identity, azure_use_managed_identity: true }, model);
    expectTokens(called);
    const [given, ...more] = called.givers.filter(({ path }) => path.endsWith('/oauth2/v2.0/token'));
    expect([new URLSearchParams(given?.body).get('client_assertion'), more]).toEqual(['the.token.of-the-cluster', []]);
  });

  test('by the identity of the app, asked for once', async () => {
    const environment = { IDENTITY_ENDPOINT: `${origin}/msi/token`, IDENTITY_HEADER: 'proof' };
    const called = await chats(environment, { azure_use_managed_identity: true }, model);
    expectTokens(called);
    expect(called.givers.map(({ path, headers }) => [path, headers['x-identity-header']])).toEqual([['/msi/token', 'proof']]);
  });
});
