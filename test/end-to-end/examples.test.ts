import { expect, setDefaultTimeout, test } from 'bun:test';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { startConnectProxy } from '../support/connect-proxy.ts';
import { newFolder, runExecutable, startGateway } from '../support/executable.ts';
import { CERTIFICATE_FILE, startUpstream } from '../support/upstream.ts';
import { ANSWER } from './walk-through.ts';

setDefaultTimeout(30_000);

const folderOfExamples = join(import.meta.dir, '..', '..', 'config');
const GATEWAY = join(folderOfExamples, 'gateway.yaml');

test('config/gateway.yaml is valid, and a gateway starts with it', async () => {
  expect(await runExecutable(['check', GATEWAY])).toEqual({ exitCode: 0, stdout: `${GATEWAY}: valid\n`, stderr: '' });
  await using gateway = await startGateway({ environment: { SLUICE_DATABASE: 'off', SLUICE_DECLARATIVE_CONFIG: GATEWAY } });
  expect((await gateway.request('GET', '/routes/openai-chat')).status).toBe(200);
});

test('config/gateway.yaml guards its API, and shares it among the servers', async () => {
  const servers = [startUpstream(), startUpstream()];
  const text = readFileSync(GATEWAY, 'utf8');
  const here = servers.reduce((more, { port }, index) => more.replace(`localhost:3200${index + 1}`, `127.0.0.1:${port}`), text);
  const folder = newFolder();
  writeFileSync(join(folder, 'gateway.yaml'), here);
  const environment = { SLUICE_DATABASE: 'off', SLUICE_DECLARATIVE_CONFIG: 'gateway.yaml' };
  await using gateway = await startGateway({ folder, environment });
  const ask = async (apikey: string) => (await fetch(`${gateway.proxy}/api`, { headers: { apikey } })).status;
  expect(await ask('unknown')).toBe(401);
  for (let asked = 0; asked < 4; asked++) expect(await ask('<alice_key>')).toBe(200);
  const requests = servers.flatMap(server => server.requests.filter(({ target }) => target === '/'));
  expect(requests.map(request => [request.header('x-consumer-username'), request.header('apikey')])).toEqual(
    Array(4).fill(['alice', undefined]),
  );
  for (const server of servers) server.stop();
});

test('config/gateway.yaml lets who has a key chat, as often as its limit says, and shows the vendor its own key alone', async () => {
  const vendor = startUpstream({ tls: true });
  vendor.answer({ body: JSON.stringify(ANSWER), headers: { 'content-type': 'application/json' } });
  using outbound = await startConnectProxy(vendor.port);
  const environment = {
    SLUICE_DATABASE: 'off',
    SLUICE_DECLARATIVE_CONFIG: GATEWAY,
    SLUICE_HTTPS_PROXY: outbound.url,
    SLUICE_TRUSTED_CERTIFICATES: CERTIFICATE_FILE,
  };
  await using gateway = await startGateway({ environment });
  const chat = (path: string, headers: Record<string, string>) =>
    fetch(gateway.proxy + path, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify({ messages: [{ role: 'user', content: 'What is 1+1?' }] }),
    });

  expect((await chat('/openai-chat', {})).status).toBe(401);
  expect((await chat('/openai-chat', { apikey: 'unknown' })).status).toBe(401);
  const answers = [
    await chat('/openai-chat', { apikey: '<alice_key>' }),
    await chat('/openai/chat/completions', { authorization: 'Bearer <alice_key>' }),
  ];
  for (const answer of answers) {
    expect(answer.headers.get('x-ratelimit-limit-minute')).toBe('60');
    expect(await answer.json()).toMatchObject({ choices: ANSWER.choices });
  }
  expect(vendor.requests.map(request => [request.header('authorization'), request.header('apikey')])).toEqual(
    Array(2).fill(['Bearer <openai_key>', undefined]),
  );
  expect(outbound.asked).toContain('api.openai.com:443');
  const { prompt_tokens, completion_tokens } = ANSWER.usage;
  expect(await gateway.logged(({ ai }) => ai !== undefined)).toMatchObject({
    consumer: { username: 'alice' },
    ai: { proxy: { usage: { prompt_tokens, completion_tokens } } },
  });
  vendor.stop();
});

test('config/sluice.yaml starts a gateway', async () => {
  await using gateway = await startGateway({ args: ['-c', join(folderOfExamples, 'sluice.yaml')] });
  expect((await gateway.request('GET', '/')).status).toBe(200);
});
