import { describe, expect, test } from 'bun:test';
import { existsSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { plugins } from '../src/plugins/registry.ts';
import { providers } from '../src/providers/registry.ts';

/** Folders from the ground up: a file imports only from its own folder and from lines above it. */
const LAYERS = [
  ['lib'],
  ['schema', 'chat', 'stream'],
  ['entities', 'formats', 'providers'],
  ['store', 'plugins', 'vaults'],
  ['balancing'],
  ['gateway'],
  ['proxy', 'admin'],
  ['workers'],
  ['.'],
];
/** A package, and the one place that may import it. */
const PACKAGES: Record<string, string> = {
  valibot: 'schema/',
  hono: 'admin/',
  '@std/yaml': 'lib/yaml.ts',
  'bun:sqlite': 'store/sqlite',
  'eventsource-parser': 'stream/sse.ts',
  'google-auth-library': 'providers/signing/google.ts',
  '@aws-sdk/credential-providers': 'providers/signing/aws.ts',
  '@smithy/fetch-http-handler': 'providers/signing/aws.ts',
  '@smithy/signature-v4': 'providers/signing/aws.ts',
  '@smithy/eventstream-codec': 'stream/aws-events.ts',
  // Bun's own, under the name of the package that it stands in for.
  ws: 'proxy/',
  'gpt-tokenizer': 'plugins/llm/estimate.ts',
  '@opentelemetry/api': 'plugins/',
  '@opentelemetry/otlp-transformer': 'plugins/tracing/otlp.ts',
  '@azure/identity': 'providers/signing/azure.ts',
  '@azure/core-rest-pipeline': 'providers/signing/azure.ts',
};
/** What takes long to load and no start needs: it is loaded when it is first used, by `lib/node.ts` and, what stands in for a package, where it belongs. */
const LATE = ['crypto', 'dgram', 'dns', 'dns/promises', 'fs/promises', 'http', 'net', 'stream', 'tls', 'util', 'zlib'].map(
  name => `node:${name}`,
);
/** Names that say nothing of what is inside. */
const EMPTY_NAMES = ['index', 'utils', 'util', 'helpers', 'common', 'types', 'manager', 'misc'];
const MOST_LINES = 300;

const root = normalize(join(import.meta.dir, '..', 'src'));
const files = [...new Bun.Glob('**/*.ts').scanSync(root)].sort();
const sources = new Map(await Promise.all(files.map(async file => [file, await Bun.file(join(root, file)).text()] as const)));

const imports = new Map(files.map(file => [file, importsOf(file)]));
const rankOf = (folder: string) => LAYERS.findIndex(layer => layer.includes(folder));
const folderOf = (file: string) => (file.includes('/') ? (file.split('/')[0] ?? '') : '.');

/** What a file names in `import … from`, `export … from` and `import(…)`. */
function importsOf(file: string): string[] {
  const source = sources.get(file) ?? '';
  const names = [...source.matchAll(/^(?:import|export)\s[^'"]*?from '([^']+)'|^import '([^']+)'|\bimport\('([^']+)'\)/gm)];
  return names.map(([, from, bare, dynamic]) => from ?? bare ?? dynamic ?? '');
}

const inside = (file: string) => (imports.get(file) ?? []).filter(name => name.startsWith('.')).map(name => join(dirname(file), name));
const outside = (file: string) => (imports.get(file) ?? []).filter(name => !name.startsWith('.'));

describe.each(files)('src/%s', file => {
  test('imports only downwards', () => {
    const folder = folderOf(file);
    expect(rankOf(folder)).toBeGreaterThanOrEqual(0);
    const wrong = inside(file).filter(
      target => !target.startsWith('..') && folderOf(target) !== folder && rankOf(folderOf(target)) >= rankOf(folder),
    );
    expect(wrong).toEqual([]);
  });

  test('imports packages only where they belong', () => {
    const wrong = outside(file).filter(name => {
      if (name === 'bun' || name.startsWith('node:') || name === 'bun:ffi') return false;
      const home = Object.entries(PACKAGES).find(([known]) => name === known || name.startsWith(`${known}/`))?.[1];
      return home === undefined || !file.startsWith(home);
    });
    expect(wrong).toEqual([]);
  });

  test('loads nothing of what a start does not need', () => {
    const source = sources.get(file) ?? '';
    const loaded = [...source.matchAll(/^(?:import|export) (?!type )[^'"]*?from '([^']+)'/gm)].map(([, name = '']) => name);
    expect(loaded.filter(name => [...LATE, 'ws'].includes(name))).toEqual([]);
  });

  test(`has at most ${MOST_LINES} lines`, () => {
    expect((sources.get(file) ?? '').split('\n').length).toBeLessThanOrEqual(MOST_LINES);
  });

  test('has a name that says what it is', () => {
    const name = file.slice(file.lastIndexOf('/') + 1, -'.ts'.length);
    expect(EMPTY_NAMES).not.toContain(name);
    expect(name).toMatch(/^[a-z0-9]+(-[a-z0-9]+)*$/);
  });
});

test('no import cycle, type imports included', () => {
  const done = new Set<string>();
  const visit = (file: string, path: readonly string[]) => {
    expect(path.includes(file) ? [...path, file].join(' → ') : '').toBe('');
    if (done.has(file)) return;
    for (const target of inside(file)) visit(target, [...path, file]);
    done.add(file);
  };
  for (const file of files) visit(file, []);
});

/** A plugin that owns entities is a folder. */
const fileOf = ({ name }: { name: string }) => (files.includes(`plugins/${name}.ts`) ? `plugins/${name}.ts` : `plugins/${name}/${name}.ts`);

test('a plugin or provider imports no sibling plugin or provider', () => {
  const units = [...plugins.map(fileOf), ...providers.map(provider => `providers/${provider.name}.ts`)];
  const wrong = units.flatMap(unit =>
    inside(unit)
      .filter(target => units.includes(target))
      .map(target => `${unit} → ${target}`),
  );
  expect(wrong).toEqual([]);
});

test('what lies in a provider’s folder is that provider’s alone', () => {
  const wrong = files.flatMap(file =>
    inside(file)
      .filter(target => providers.some(({ name }) => dirname(target) === `providers/${name}`))
      .filter(target => file !== `${dirname(target)}.ts` && dirname(file) !== dirname(target))
      .map(target => `${file} → ${target}`),
  );
  expect(wrong).toEqual([]);
});

test('what lies in a plugin’s folder is that plugin’s alone', () => {
  const wrong = files.flatMap(file =>
    inside(file)
      .filter(target => plugins.some(plugin => dirname(target) === `plugins/${plugin.name}` && target !== fileOf(plugin)))
      .filter(target => dirname(file) !== dirname(target))
      .map(target => `${file} → ${target}`),
  );
  expect(wrong).toEqual([]);
});

test('the core names no vendor and no plugin', () => {
  const names = [...plugins.map(plugin => plugin.name), ...providers.map(provider => provider.name)].filter(name => name !== 'openai');
  const core = files.filter(file => /^(lib|schema|chat|stream|entities|store|gateway|proxy|admin)\//.test(file));
  const wrong = core.flatMap(file => {
    const code = (sources.get(file) ?? '').replaceAll(/^\s*(\/\*\*|\*|\/\/).*$/gm, '');
    return names.filter(name => code.includes(`'${name}'`)).map(name => `${file} names ${name}`);
  });
  expect(wrong).toEqual([]);
});

test('plugins are in their registry once each, by the alphabet', () => {
  const names = plugins.map(({ name }) => name);
  expect(names).toEqual([...new Set(names)].sort());
});

test.each(plugins.map(plugin => [plugin.name, plugin] as const))('plugin %s has its file and its test', (name, plugin) => {
  expect(existsSync(join(root, fileOf(plugin)))).toBe(true);
  expect('entities' in plugin).toBe(fileOf(plugin).endsWith(`${name}/${name}.ts`));
  expect(existsSync(join(import.meta.dir, 'plugins', `${name}.test.ts`))).toBe(true);
});

test.each(providers.map(provider => provider.name))('provider %s has its file and its goldens', name => {
  expect(existsSync(join(root, 'providers', `${name}.ts`))).toBe(true);
  expect(existsSync(join(import.meta.dir, 'providers', name))).toBe(true);
});

test('the top level is what the README says', async () => {
  const known = ['LICENSE', 'Makefile', 'README.md', 'config', 'package-lock.json', 'package.json', 'src', 'test', 'tsconfig.json'];
  const tracked = Bun.spawnSync(['git', 'ls-files'], { cwd: join(root, '..') });
  const entries = new Set(
    tracked.stdout
      .toString()
      .split('\n')
      .filter(line => line !== '' && !line.startsWith('.'))
      .map(line => line.split('/')[0] ?? ''),
  );
  expect([...entries].filter(entry => !known.includes(entry))).toEqual([]);
});
