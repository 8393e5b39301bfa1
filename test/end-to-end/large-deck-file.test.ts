import { expect, setDefaultTimeout, test } from 'bun:test';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { newFolder, type RunningGateway, runExecutable, startGateway } from '../support/executable.ts';
import { LARGE_DECK_FILE, largeDeckFile } from '../support/large-deck-file.ts';

setDefaultTimeout(30_000);

const { environment, counts, targets } = LARGE_DECK_FILE;

/** Puts the text in a folder of its own. */
function written(text: string, folder = newFolder()) {
  const file = join(folder, 'kong.yaml');
  writeFileSync(file, text);
  return { folder, file };
}

async function exported(folder: string): Promise<string> {
  const { exitCode, stdout, stderr } = await runExecutable(['export'], { folder });
  expect([exitCode, stderr]).toEqual([0, '']);
  return stdout;
}

const list = async (gateway: RunningGateway, path: string) => {
  const { body } = await gateway.request('GET', `${path}${path.includes('?') ? '&' : '?'}size=1000`);
  return (body as { readonly data: readonly Readonly<Record<string, unknown>>[] }).data;
};

/** How many rows there are of each entity. */
async function countRows(gateway: RunningGateway): Promise<object> {
  const found = await Promise.all(Object.keys(counts).map(async path => [path, (await list(gateway, `/${path}`)).length] as const));
  return Object.fromEntries(found);
}

async function expectAllOfIt(gateway: RunningGateway): Promise<void> {
  expect(await countRows(gateway)).toEqual(counts);
  const upstreams = await list(gateway, '/upstreams');
  const lists = await Promise.all(upstreams.map(({ id }) => list(gateway, `/upstreams/${id}/targets`)));
  expect(lists.flat()).toHaveLength(targets);
  expect(await list(gateway, '/services?tags=managed-by-deck')).toHaveLength(counts.services);
  const [service] = await list(gateway, '/services?tags=team-1');
  expect(service).toMatchObject({ retries: 3, tags: expect.arrayContaining(['team-1', 'managed-by-deck']) });
  const route = await gateway.request('GET', '/routes/route-0-1/plugins');
  expect(route.body).toMatchObject({ data: [{ name: 'ai-proxy', config: { auth: { header_value: 'Bearer sk-large' } } }] });
  const group = await gateway.request('GET', '/consumer_groups/group-0');
  expect((group.body as { consumers: unknown[] }).consumers).toHaveLength(7);
}

test('a large file of decK is checked, imported, exported and imported again, and nothing changes', async () => {
  const { folder, file } = written(largeDeckFile());
  const checked = await runExecutable(['check', file], { folder, environment });
  expect([checked.exitCode, checked.stderr]).toEqual([0, '']);
  const first = await runExecutable(['import', file], { folder, environment });
  expect([first.exitCode, first.stderr]).toEqual([0, '']);
  const text = await exported(folder);

  const copy = written(text);
  const second = await runExecutable(['import', copy.file], { folder: copy.folder });
  expect([second.exitCode, second.stderr]).toEqual([0, '']);
  expect(second.stdout).toBe(first.stdout);
  expect(await exported(copy.folder)).toBe(text);

  await using gateway = await startGateway({ folder: copy.folder });
  await expectAllOfIt(gateway);
});

test('a variable that is not set is one line with the place, and nothing is written', async () => {
  const { folder, file } = written(largeDeckFile());
  const { exitCode, stderr } = await runExecutable(['import', file], { folder, environment: { DECK_OPENAI_KEY: 'sk-large' } });
  const line =
    largeDeckFile()
      .split('\n')
      .findIndex(text => text.includes('DECK_LOG_HOST')) + 1;
  expect(exitCode).toBe(1);
  expect(stderr).toContain(`kong.yaml:${line}`);
  expect(stderr).toContain("environment variable 'DECK_LOG_HOST' is not set");
  expect(stderr.trim().split('\n')).toHaveLength(1);
});

test('without a database the file is the configuration: read-only, reloaded on SIGHUP, replaced by POST /config', async () => {
  const { folder, file } = written(largeDeckFile());
  const settings = { SLUICE_DATABASE: 'off', SLUICE_DECLARATIVE_CONFIG: file };
  await using gateway = await startGateway({ folder, environment: { ...environment, ...settings } });
  await expectAllOfIt(gateway);

  const unsupported = (message: string) => ({
    status: 405,
    body: { message: `${message} when not using a database`, name: 'operation unsupported', code: 12 },
  });
  expect(await gateway.request('POST', '/services', { host: 'h' })).toMatchObject(unsupported("cannot create 'services' entities"));
  expect(await gateway.request('PATCH', '/services/service-0', { port: 1 })).toMatchObject(
    unsupported("cannot update 'services' entities by 'name'"),
  );
  expect(await gateway.request('PUT', '/services/service-0', { host: 'h' })).toMatchObject(
    unsupported("cannot create or update 'services' entities by 'name'"),
  );
  expect(await gateway.request('DELETE', '/services/service-0')).toMatchObject(unsupported("cannot remove 'services' entities by 'name'"));
  expect(await countRows(gateway)).toEqual(counts);

  const more = largeDeckFile().replace('services:\n', 'services:\n- {name: added, host: h}\n');
  written(more, folder);
  gateway.signal('SIGHUP');
  await gateway.logged(entry => entry.message === 'configuration loaded again');
  expect(await countRows(gateway)).toEqual({ ...counts, services: counts.services + 1 });

  const { body } = await gateway.request('GET', '/config');
  const { config } = body as { readonly config: string };
  const replaced = await gateway.request('POST', '/config', { config: config.replaceAll('service-0', 'service-zero') });
  expect(replaced.status).toBe(201);
  const refused = await gateway.request('POST', '/config', {
    config: '_format_version: "3.0"\nservices: [{name: x, host: h, port: high}]',
  });
  expect(refused).toMatchObject({
    status: 400,
    body: { name: 'invalid declarative configuration', code: 14, fields: { services: [{ port: 'expected an integer' }] } },
  });
  expect(await gateway.request('GET', '/services/service-zero')).toMatchObject({ status: 200 });
  expect(await countRows(gateway)).toEqual({ ...counts, services: counts.services + 1 });
});
