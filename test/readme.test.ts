import { expect, test } from 'bun:test';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import manifest from '../package.json';
import { plugins } from '../src/plugins/registry.ts';
import { providers } from '../src/providers/registry.ts';
import { settingFields } from '../src/settings.ts';

const readme = await Bun.file(join(import.meta.dir, '..', 'README.md')).text();

/** The settings as README shows them. */
function settingsTable(): string {
  const rows = Object.entries(settingFields.fields).map(([name, { facts }]) => {
    const { default: value, description } = facts;
    const shown = Array.isArray(value) ? value.join(', ') : String(value ?? '');
    return `| \`${name}\` | ${shown === '' ? 'none' : `\`${shown}\``} | ${description} |`;
  });
  return ['| setting | default | |', '|---|---|---|', ...rows].join('\n');
}

const between = (name: string) => new RegExp(`<!-- ${name} -->\n([\\s\\S]*?)\n?<!-- /${name} -->`).exec(readme)?.[1];

test('the settings of the README are those of the code', () => expect(between('settings')).toBe(settingsTable()));

test('the walk-through is that of the document which test/end-to-end pastes line by line', async () => {
  const seed = await Bun.file(join(import.meta.dir, 'fixtures', 'seed', 'getting-started-with-ai-proxy.md')).text();
  const chapter = readme.slice(readme.indexOf('## The walk-through'), readme.indexOf('## What is in it'));
  const commands = [...chapter.matchAll(/^curl [\s\S]*?[^\\]$/gm)].map(([command]) => command);
  expect(commands.length).toBe(4);
  for (const command of commands) expect(seed).toContain(command);
});

test.each([...plugins, ...providers].map(({ name }) => name))('the README names %s', name => {
  expect(readme).toContain(`\`${name}\``);
});

test("the README names every plugin of Kong's, here or not", () => {
  const kongs = readdirSync(join(import.meta.dir, 'fixtures', 'kong', 'plugins')).map(file => file.replace('.json', ''));
  const [, absent = ''] = /not here: ([\s\S]*?);/.exec(readme) ?? [];
  const here: readonly string[] = plugins.map(({ name }) => name);
  const named = [...absent.matchAll(/`([\w-]+)`/g)].map(([, name]) => name);
  expect(named).toEqual(kongs.filter(name => !here.includes(name)).sort());
});

test.each(Object.keys({ ...manifest.dependencies, ...manifest.devDependencies }))('the README says what %s is for', name => {
  expect(readme).toMatch(new RegExp(`^\\|.*\`${RegExp.escape(name)}\`.*\\| .{10,}`, 'm'));
});

test('dependencies are pinned', () => {
  for (const version of Object.values({ ...manifest.dependencies, ...manifest.devDependencies })) {
    expect(version).toMatch(/^(npm:yaml@)?\d+\.\d+\.\d+$/);
  }
});
