import { expect, setDefaultTimeout, test } from 'bun:test';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { newFolder, runExecutable, startGateway } from '../support/executable.ts';
import { startUpstream } from '../support/upstream.ts';

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

test('config/sluice.yaml starts a gateway', async () => {
  await using gateway = await startGateway({ args: ['-c', join(folderOfExamples, 'sluice.yaml')] });
  expect((await gateway.request('GET', '/')).status).toBe(200);
});
