import { afterAll, afterEach, beforeEach, describe, expect, test } from 'bun:test';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { RequestFailure } from '../../../src/lib/request-failure.ts';
import type { Credentials } from '../../../src/providers/provider.ts';
import { type AzureIdentity, azureCredentials } from '../../../src/providers/signing/azure.ts';

const HOUR = 3600;
const TENANT = '6b5b2b5c-0000-4000-8000-1d2d3d4d5d6d';
const SECRET = 'a-client-secret';
const ENVIRONMENT = ['AZURE_FEDERATED_TOKEN_FILE', 'IDENTITY_ENDPOINT', 'IDENTITY_HEADER', 'AZURE_POD_IDENTITY_AUTHORITY_HOST'];

interface Asked {
  readonly url: URL;
  readonly headers: Headers;
  readonly body: URLSearchParams;
}

/** Microsoft Entra, and the places in Azure that speak for an identity. */
let asked: Asked[] = [];
let answer: () => Response;
let given = 0;
const server = Bun.serve({
  port: 0,
  hostname: '127.0.0.1',
  async fetch(request) {
    asked.push({ url: new URL(request.url), headers: request.headers, body: new URLSearchParams(await request.text()) });
    return answer();
  },
});
const origin = `http://127.0.0.1:${server.port}`;
const folder = mkdtempSync(join(tmpdir(), 'azure-'));
afterAll(() => {
  rmSync(folder, { recursive: true });
  return server.stop(true);
});

/** Entra's address is fixed: its calls are led here. */
const led = (url: string, init: RequestInit) => fetch(url.replace(/^https:\/\/login\.microsoftonline\.com/, origin), init);

let inherited: Record<string, string | undefined>;
beforeEach(() => {
  inherited = Object.fromEntries(ENVIRONMENT.map(name => [name, process.env[name]]));
  for (const name of ENVIRONMENT) delete process.env[name];
  asked = [];
  answer = token;
});
afterEach(() => {
  for (const [name, value] of Object.entries(inherited)) {
    if (value === undefined) delete process.env[name];
    else process.env[name] = value;
  }
});

function token(): Response {
  given += 1;
  const expires_on = `${Math.floor(Date.now() / 1000) + HOUR}`;
  return Response.json({ access_token: `token-${given}`, token_type: 'Bearer', expires_in: HOUR, expires_on });
}

/** Each test speaks for an application of its own: the library keeps tokens by application. */
let applications = 0;
function open(identity: AzureIdentity, now = Date.now): { credentials: Credentials; application: string } {
  applications += 1;
  const application = `application-${applications}`;
  const credentials = azureCredentials({ azure_client_id: application, ...identity }, led, now);
  if (credentials === null) throw new Error('no credentials');
  return { credentials, application };
}
const bySecret = { azure_client_secret: SECRET, azure_tenant_id: TENANT };
const managed = { azure_use_managed_identity: true };

async function headersOf(credentials: Credentials, headers: Record<string, string> = {}) {
  await credentials.sign({ method: 'POST', url: 'https://a.openai.azure.com/', headers, body: '' });
  return headers;
}

describe('a token', () => {
  test('is given to an application for its secret', async () => {
    const { credentials, application } = open(bySecret);
    expect(await headersOf(credentials, { 'api-key': 'a client’s own' })).toEqual({ authorization: `Bearer token-${given}` });
    const [{ url, body }] = asked as [Asked];
    expect(url.pathname).toBe(`/${TENANT}/oauth2/v2.0/token`);
    expect(Object.fromEntries(body)).toMatchObject({
      grant_type: 'client_credentials',
      client_id: application,
      client_secret: SECRET,
      scope: 'https://cognitiveservices.azure.com/.default',
    });
  });

  test('is given to a pod for the token of its cluster', async () => {
    const file = join(folder, 'token');
    writeFileSync(file, 'the.token.of-the-cluster');
    Object.assign(process.env, { AZURE_FEDERATED_TOKEN_FILE: file });
    const { credentials } = open({ ...managed, azure_tenant_id: TENANT });
    expect(await headersOf(credentials)).toEqual({ authorization: `Bearer token-${given}` });
    expect(asked[0]?.body.get('client_assertion')).toBe('the.token.of-the-cluster');
  });

  test('is given to an app by the service that runs it', async () => {
    Object.assign(process.env, { IDENTITY_ENDPOINT: `${origin}/msi/token`, IDENTITY_HEADER: 'proof' });
    const { credentials, application } = open(managed);
    expect(await headersOf(credentials)).toEqual({ authorization: `Bearer token-${given}` });
    const [{ url, headers }] = asked as [Asked];
    expect(headers.get('x-identity-header')).toBe('proof');
    expect(url.searchParams.get('resource')).toBe('https://cognitiveservices.azure.com');
    expect(url.searchParams.get('client_id')).toBe(application);
  });

  // The library finds out once in a process where it runs.
  test('is given to a machine by its metadata service', async () => {
    const module = join(import.meta.dir, '../../../src/providers/signing/azure.ts');
    const script = `
      const { azureCredentials } = await import(${JSON.stringify(module)});
      const headers = {};
      await azureCredentials({ azure_use_managed_identity: true }).sign({ headers });
      console.log(JSON.stringify(headers));
    `;
    const env = { ...process.env, AZURE_POD_IDENTITY_AUTHORITY_HOST: origin };
    const { stdout } = Bun.spawn([process.execPath, '-e', script], { env, stdout: 'pipe' });
    expect(JSON.parse(await new Response(stdout).text())).toEqual({ authorization: `Bearer token-${given}` });
    const [{ url, headers }] = asked as [Asked];
    expect(url.pathname).toStartWith('/metadata/identity/oauth2/token');
    expect(url.searchParams.has('client_id')).toBe(false);
    expect(headers.get('metadata')).toBe('true');
  });

  test('is asked for once, however many wait for it, and kept', async () => {
    const { credentials } = open(bySecret);
    const all = await Promise.all(Array.from({ length: 20 }, () => headersOf(credentials)));
    expect(new Set(all.map(headers => JSON.stringify(headers))).size).toBe(1);
    await headersOf(credentials);
    expect(asked).toHaveLength(1);
  });

  test('is no secret that anybody sees', async () => {
    const { credentials } = open(bySecret);
    expect(credentials.secrets()).toEqual([]);
    await headersOf(credentials);
    expect(credentials.secrets()).toEqual([`token-${given}`]);
  });

  test('is used to its end when there is no other to be had, and no longer', async () => {
    let now = Date.now();
    const { credentials } = open(bySecret, () => now);
    answer = () => Response.json({ access_token: 'short', token_type: 'Bearer', expires_in: 120 });
    expect(await headersOf(credentials)).toEqual({ authorization: 'Bearer short' });
    answer = () => Response.json({ error: 'temporarily_unavailable' }, { status: 400 });
    expect(await headersOf(credentials)).toEqual({ authorization: 'Bearer short' });
    now += 121_000;
    await expect(headersOf(credentials)).rejects.toThrow(RequestFailure);
  });
});

test('neither an identity nor a secret: a key in a header will do', () => {
  expect(azureCredentials({})).toBeNull();
  expect(azureCredentials({ azure_use_managed_identity: false })).toBeNull();
});

test.each<[string, () => Response, string]>([
  [
    'that the secret is wrong',
    () => Response.json({ error: 'invalid_client', error_description: `AADSTS7000215: Invalid secret ${SECRET}.` }, { status: 401 }),
    "there is no access token of Azure's to be had: AADSTS7000215",
  ],
  [
    'nothing of use',
    () => new Response('<html>', { status: 400 }),
    "there is no access token of Azure's to be had: the token endpoint gave none",
  ],
])('who has no token hears %s, and never a secret', async (_, refuses, message) => {
  const { credentials } = open(bySecret);
  answer = refuses;
  const failure = await headersOf(credentials).catch((error: unknown) => error as RequestFailure);
  expect(failure).toBeInstanceOf(RequestFailure);
  expect(failure).toMatchObject({ status: 502, message });
  answer = token;
  expect(await headersOf(credentials)).toEqual({ authorization: `Bearer token-${given}` });
});
