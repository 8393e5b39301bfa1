import { afterAll, beforeAll, beforeEach, expect, setDefaultTimeout, test } from 'bun:test';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { newFolder, type RunningGateway, runExecutable, startGateway } from '../support/executable.ts';
import { type HashicorpVault, startHashicorpVault } from '../support/hashicorp-vault.ts';
import { CERTIFICATE_FILE, startUpstream, type Upstream } from '../support/upstream.ts';

setDefaultTimeout(20_000);

const folder = newFolder();
const credentials = join(folder, 'credentials');
let vault: HashicorpVault;
let upstream: Upstream;
let gateway: RunningGateway;

beforeAll(async () => {
  mkdirSync(credentials);
  writeFileSync(join(credentials, 'openai'), 'Bearer sk-file-s3cret\n');
  writeFileSync(join(credentials, 'vault-token'), 'root\n');
  vault = startHashicorpVault({ tls: true });
  vault.second.set('openai', [{ header: 'Bearer sk-hcv-s3cret' }]);
  upstream = startUpstream();
  gateway = await startGateway({
    folder,
    environment: {
      OPENAI_HEADER: 'Bearer sk-env-s3cret',
      CREDENTIALS_DIRECTORY: credentials,
      SLUICE_TRUSTED_CERTIFICATES: CERTIFICATE_FILE,
      SLUICE_PREFIX: folder,
    },
  });
  const config = { ...vault.config, kv: 'v2', mount: 'kv/team', token: '{vault://file/vault-token}', neg_ttl: 1 };
  expect((await gateway.request('PUT', '/vaults/team', { name: 'hcv', config })).status).toBe(200);
  const files = { name: 'file', config: { directory: 'credentials', neg_ttl: 1 } };
  expect((await gateway.request('PUT', '/vaults/files', files)).status).toBe(200);
});
afterAll(async () => {
  expect(await gateway.stop()).toBe(0);
  expect(JSON.stringify(gateway.log)).not.toContain('s3cret');
  upstream.stop();
  await vault.stop();
});
beforeEach(() => upstream.answer({ body: '{}' }));

const chat = { messages: [{ role: 'user', content: 'Hello' }] };

/** A route whose requests carry what the reference stands for; resolves to its path and the answer to its plugin's POST. */
async function routeWith(reference: string) {
  const name = `chat-${crypto.randomUUID()}`;
  await gateway.request('POST', '/routes', { name, paths: [`/${name}`] });
  const model = { provider: 'openai', name: 'gpt-4', options: { upstream_url: upstream.url } };
  const config = { route_type: 'llm/v1/chat', auth: { header_name: 'Authorization', header_value: reference }, model };
  const made = await gateway.request('POST', `/routes/${name}/plugins`, { name: 'ai-proxy', config });
  const call = () =>
    fetch(`${gateway.proxy}/${name}`, { method: 'POST', body: JSON.stringify(chat), headers: { 'content-type': 'application/json' } });
  return { made: made as { status: number; body: { id: string; config: { auth: { header_value: string } } } }, call };
}

const sentKey = () => upstream.requests.at(-1)?.headers.find(([name]) => name.toLowerCase() === 'authorization')?.[1];

test.each([
  ['the environment', '{vault://env/openai-header}', 'Bearer sk-env-s3cret'],
  ["systemd's credentials", '{vault://file/openai}', 'Bearer sk-file-s3cret'],
  ['a vault of files', '{vault://files/openai}', 'Bearer sk-file-s3cret'],
  ['HashiCorp Vault, whose token is a credential', '{vault://team/openai/header}', 'Bearer sk-hcv-s3cret'],
])('a secret of %s reaches the vendor, and stays a reference for the operator', async (_, reference, key) => {
  const { made, call } = await routeWith(reference);
  expect([made.status, made.body.config.auth.header_value]).toEqual([201, reference]);
  expect((await call()).status).toBe(200);
  expect(sentKey()).toBe(key);
});

test('a secret that is not there yet stops requests until it is', async () => {
  const { made, call } = await routeWith('{vault://files/late}');
  const problem = `plugin ai-proxy (${made.body.id}): config.auth.header_value: the reference {vault://files/late} cannot be resolved: ${join(credentials, 'late')} cannot be read: ENOENT`;
  expect(made.status).toBe(201);
  expect((await call()).status).toBe(500);
  expect((await gateway.request('GET', '/status')).body).toMatchObject({ fault: problem });
  expect(await gateway.logged(({ problem: logged }) => logged === problem)).toMatchObject({ level: 'error' });

  writeFileSync(join(credentials, 'late'), 'Bearer sk-late-s3cret');
  await gateway.logged(entry => entry.message === '{vault://files/late} can be read again');
  // Each process reads it for itself.
  while (((await gateway.request('GET', '/status')).body as { fault: string | null }).fault !== null);
  expect((await call()).status).toBe(200);
  expect(sentKey()).toBe('Bearer sk-late-s3cret');
});

test('a secret that changes is swapped in while requests go on', async () => {
  const { call } = await routeWith('{vault://team/openai/header?ttl=1}');
  vault.second.set('openai', [{ header: 'Bearer sk-new-s3cret' }]);
  const answers = new Set<number>();
  do {
    answers.add((await call()).status);
  } while (sentKey() !== 'Bearer sk-new-s3cret');
  expect([...answers]).toEqual([200]);
});

test('a declarative file is valid where its vaults are not, and check says what is missing', async () => {
  const file = join(folder, 'gateway.yaml');
  const text = `
_format_version: "3.0"
vaults:
- {prefix: team, name: hcv, config: {host: 127.0.0.1, port: 1, token: root-s3cret}}
plugins:
- {name: http-log, config: {http_endpoint: "{vault://team/log/url}"}}
`;
  writeFileSync(file, text);
  const checked = await runExecutable(['check', file]);
  expect(checked).toMatchObject({ exitCode: 0, stdout: `${file}: valid\n` });
  expect(checked.stderr).toMatch(
    /^sluice: plugin http-log \([0-9a-f-]+\): config\.http_endpoint: the reference \{vault:\/\/team\/log\/url\} cannot be resolved: HashiCorp Vault cannot be reached: ECONNREFUSED\n$/,
  );
});
