import { describe, expect, setDefaultTimeout, test } from 'bun:test';
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
  await runExecutable(['export', 'all.yaml'], { folder });
  expect(text).toBe(await Bun.file(join(folder, 'all.yaml')).text());

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

describe('one mistake in it is one line with the place, and nothing is written', () => {
  /** What stands in the file, what stands there by mistake, the line that is named (that of the mistake, unless it says), and the message. */
  const MISTAKES: readonly (readonly [found: string, mistake: string, message: string, named?: string])[] = [
    ['"3.0"', '"9.0"', '_format_version: expected one of: 1.1, 2.1, 3.0'],
    ['\nupstreams:', '\nupstrems:', 'upstrems: unknown field'],
    ['    strip_path: true', '    strip_pth: true', "routes 'route-0-0': strip_pth: unknown field"],
    ['port: 8002', 'port: high', "services 'service-2': port: expected an integer"],
    ['port: 8004', 'port: 80040', "services 'service-4': port: value should be between 0 and 65535"],
    ['  host: h2.example\n', '', "services 'service-2': host: required field missing", '- name: service-2'],
    ['"~/s0/v', '"~/s0/(', "routes 'route-0-0': paths.1: invalid regex: '/s0/(\\d+$'"],
    ['methods: [GET, POST]', 'methods: [GET, post]', "routes 'route-0-1': methods.1: invalid value: post"],
    ['*.s0.example', 'a.*.s0.example', "routes 'route-0-1': hosts.0: invalid wildcard: must be placed at leftmost or rightmost label"],
    [
      '- name: service-3\n',
      '- name: service-2\n',
      "'services' entity with name set to 'service-2' already declared",
      '- name: service-2\n  host: h3',
    ],
    [
      'name: file-log, config: {path: /tmp/consumer-0',
      'name: file-lag, config: {path: /tmp/consumer-0',
      "name: plugin 'file-lag' not enabled",
    ],
    ['{path: /tmp/service-4.log, reopen: true}', '{reopen: true}', "plugins 'file-log': config.path: required field missing"],
    ['route_type: llm/v1/chat', 'route_type: llm/v1/chatter', "plugins 'ai-proxy': config.route_type: expected one of: llm/v1/chat"],
    [
      'service: service-0, consumer',
      'service: nowhere, consumer',
      "service: invalid reference 'service: nowhere' (no such entry in 'services')",
    ],
    ['  - name: group-0\n', '  - name: gold\n', "invalid reference 'consumer_group: gold' (no such entry in 'consumer_groups')"],
    ['-----BEGIN CERTIFICATE-----', '-----BEGIN NOTHING-----', 'cert: invalid certificate: no PEM certificate', '  cert: |'],
    ['  hash_on_header: x-user\n', '', "upstreams 'u2.internal': hash_on_header: required field missing", '- name: u2.internal'],
    ['target: 10.0.0.0:8080', 'target: 10.0.0.0:99999', "targets '10.0.0.0:99999': target: Invalid target ('10.0.0.0:99999')"],
    [
      'set: {name: signing}',
      'set: {name: singing}',
      `keys 'key-0': set: invalid reference 'set: {"name":"singing"}' (no such entry in 'key_sets')`,
    ],
    ['prefix: team-secrets', 'prefix: env', "vaults 'env': prefix: "],
    ['tags: [group]', 'tags: [a/b]', "consumer_groups 'group-0': tags.0: invalid tag 'a/b'"],
    ['algorithm: round-robin', 'algorithm: [round-robin', 'Flow sequence in block collection', '  healthchecks:'],
    ['  custom_id: "1001"', '  username: "1001"', 'Map keys must be unique'],
    ['"DECK_OPENAI_KEY"', '"OPENAI_KEY"', "the name of an environment variable must begin with DECK_, not 'OPENAI_KEY'"],
  ];

  test.each(MISTAKES)('%p written as %p', async (found, mistake, message, named = mistake) => {
    const right = largeDeckFile();
    const text = right.replace(found, () => mistake);
    expect(text).not.toBe(right);
    const { folder, file } = written(text);
    const { exitCode, stdout, stderr } = await runExecutable(['import', file], { folder, environment });
    expect([exitCode, stdout]).toEqual([1, '']);
    const start = text.indexOf(named);
    const line = text.slice(0, start).split('\n').length + (named.startsWith('\n') ? 1 : 0);
    expect(stderr).toContain(message);
    expect(stderr).toStartWith(`sluice: ${file}:${line}:`);
    expect(stderr.trimEnd()).not.toContain('\n');
    expect(await exported(folder)).toBe('_format_version: "3.0"\n_transform: false\n');
  });
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
