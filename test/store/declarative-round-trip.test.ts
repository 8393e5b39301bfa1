import { afterAll, expect, test } from 'bun:test';
import { createPublicKey } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Row } from '../../src/entities/entity.ts';
import { coreEntities } from '../../src/entities/registry.ts';
import { toYaml } from '../../src/lib/yaml.ts';
import { array, integer, map, number, record, string } from '../../src/schema/field.ts';
import { readDeclarative, writeDeclarative } from '../../src/store/declarative.ts';
import { openStore } from '../../src/store/memory.ts';
import { openSqlite } from '../../src/store/sqlite.ts';
import type { Store } from '../../src/store/store.ts';

import { randomOf } from '../support/random.ts';

const pluginConfig = record(
  {
    limit: integer({ default: 10 }),
    words: array(string(), { default: ['a'] }),
    rates: map(string(), number()),
    deep: record({ text: string({ default: 'x' }), more: record({ size: integer() }) }),
  },
  { required: true },
);

const entities = coreEntities(
  name => (name.startsWith('plugin-') ? { config: pluginConfig } : null),
  name => (name === 'box' ? record({ path: string(), ttl: number({ default: 1.5 }) }, { required: true }) : null),
);

const folder = mkdtempSync(join(tmpdir(), 'sluice-round-trip-'));
afterAll(() => rmSync(folder, { recursive: true }));

const pem = (name: string) => Bun.file(join(import.meta.dir, '..', 'fixtures', 'tls', name)).text();
const [CERTIFICATE, KEY, AUTHORITY, OTHER_AUTHORITY] = await Promise.all(
  ['rsa.pem', 'rsa.key.pem', 'authority.pem', 'other-authority.pem'].map(pem),
);

const jwkOf = (kid: string) => JSON.stringify({ ...createPublicKey(KEY ?? '').export({ format: 'jwk' }), kid });

/** A configuration as people write one: nested, with references by name, and here and there a field. */
function randomFile(random: (below: number) => number): object {
  const list = <T>(most: number, make: (index: number) => T) => Array.from({ length: random(most + 1) }, (_, index) => make(index));
  const pick = <T>(...values: readonly T[]) => values[random(values.length)] as T;
  const some = (fields: object) => Object.fromEntries(Object.entries(fields).filter(() => random(2) === 0));
  const text = () => pick('plain', 'yes', '1.0', 'null', '# no', 'a: b', ' padded ', 'two\nlines\n', 'ü☃', '{vault://env/x}');
  const tags = () => list(3, index => `tag-${index}`);

  const plugins = (below: object = {}) =>
    list(3, index => ({
      name: `plugin-${index}`,
      ...below,
      ...some({
        enabled: false,
        protocols: ['https'],
        tags: tags(),
        config: some({
          limit: random(9),
          words: [text()],
          rates: { [text()]: random(9) / 4 },
          deep: some({ text: text(), more: { size: null } }),
        }),
      }),
    }));
  const routes = (owner: string) =>
    list(3, index => ({
      ...some({
        name: `route-${owner}-${index}`,
        strip_path: false,
        regex_priority: null,
        headers: { 'x-a': ['1'] },
        methods: ['GET'],
        tags: tags(),
      }),
      paths: [`/${owner}/${index}`, `~/${owner}/\\d{${index + 1}}`],
      plugins: plugins(),
    }));

  const groups = list(2, index => ({ name: `group-${index}`, ...some({ tags: tags() }), plugins: plugins() }));
  const sets = list(2, index => ({
    name: `set-${index}`,
    keys: list(2, key => ({ kid: `k${key}`, jwk: jwkOf(`k${key}`) })),
  }));
  const authorities = [AUTHORITY, OTHER_AUTHORITY]
    .slice(random(3))
    .map((cert, index) => ({ id: `00000000-0000-4000-8000-00000000000${index}`, cert }));
  const certificates = list(1, () => ({
    cert: CERTIFICATE,
    key: KEY,
    ...some({ tags: tags() }),
    snis: list(3, index => ({ name: `${index}.test` })),
  }));
  const services = list(4, index => ({
    name: `service-${index}`,
    host: 'upstream.test',
    ...some({ retries: null, port: random(65536), path: '/yes', read_timeout: 1, enabled: false, tags: tags() }),
    ...(random(2) ? { protocol: 'https', ...some({ tls_verify: true, ca_certificates: authorities.map(({ id }) => id) }) } : {}),
    plugins: plugins(),
    routes: routes(`service-${index}`),
  }));
  return {
    _format_version: '3.0',
    services,
    routes: routes('alone'),
    plugins: plugins(),
    consumer_groups: groups,
    consumers: list(3, index => ({
      username: `consumer-${index}`,
      ...some({ custom_id: `${text()} ${index}`, tags: tags() }),
      groups: groups.filter(() => random(2) === 0).map(({ name }) => ({ name })),
      plugins: plugins(some({ service: services[0]?.name ?? null })),
    })),
    upstreams: list(3, index => ({
      name: `upstream-${index}`,
      ...some({
        slots: 10 + random(99),
        algorithm: 'least-connections',
        tags: tags(),
        healthchecks: { active: { timeout: 0.5, http_path: '/up' } },
      }),
      targets: list(3, target => ({
        target: pick(`10.0.0.${target}`, `host-${target}.test:80`, `[::${target + 1}]:1`),
        ...some({ weight: random(9), tags: tags() }),
      })),
    })),
    certificates,
    ca_certificates: authorities,
    key_sets: sets,
    keys: list(2, index => ({ name: `key-${index}`, kid: `k${index}`, jwk: jwkOf(`k${index}`) })),
    vaults: list(2, index => ({
      prefix: `my-${index}`,
      name: 'box',
      ...some({ description: text(), config: some({ path: text(), ttl: random(9) / 2 }) }),
    })),
  };
}

async function load(store: Store, text: string, mode: 'merge' | 'replace') {
  const { writes } = await readDeclarative({ text, name: 'kong.yaml', environment: {} }, store, mode);
  await store.commit(store.stage(writes));
  return writes.map(({ kind, entity }) => `${kind} ${entity.name}`);
}

const rowsOf = (store: Store) =>
  Object.fromEntries(entities.map(entity => [entity.name, Object.fromEntries([...store.all(entity)].map((row: Row) => [row.id, row]))]));

test.each(Array.from({ length: 30 }, (_, index) => [index + 1]))('what is exported imports as what it was (seed %i)', async seed => {
  const { below: random } = randomOf(seed);
  const file = randomFile(random);
  const text = seed % 2 ? JSON.stringify(file) : toYaml(file);
  const store = await openStore(entities);
  await load(store, text, 'replace');
  expect(await load(store, text, 'replace')).toEqual([]);

  const exported = writeDeclarative(store);
  const path = join(folder, `${seed}.db`);
  const copy = await openStore(entities, openSqlite(path, entities));
  await load(copy, exported, 'merge');
  expect(await load(copy, exported, 'merge')).toEqual([]);
  expect(await load(copy, text, 'merge')).toEqual([]);
  await copy.close();

  const again = await openStore(entities, openSqlite(path, entities));
  expect(rowsOf(again)).toEqual(rowsOf(store));
  expect(writeDeclarative(again)).toBe(exported);
  expect(await load(again, exported, 'replace')).toEqual([]);
  await again.close();
});
