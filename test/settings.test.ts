import { expect, test } from 'bun:test';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseYaml } from '../src/lib/yaml.ts';
import { readSettings } from '../src/read-settings.ts';
import { settingFields } from '../src/settings.ts';

const root = join(import.meta.dir, '..');
const names = Object.keys(settingFields.fields);
const example = await Bun.file(join(root, 'config/sluice.yaml')).text();

/** The example with every setting switched on. */
const switchedOn = example.replaceAll(/^#(?=[a-z_]+:)/gm, '');

test('config/sluice.yaml has every setting, in the order of their declaration', () => {
  expect(Object.keys(parseYaml(switchedOn, 'sluice.yaml').value as object)).toEqual(names);
});

test('what config/sluice.yaml shows are the defaults', async () => {
  const file = join(tmpdir(), `sluice-${crypto.randomUUID()}.yaml`);
  await Bun.write(file, switchedOn);
  const shown = readSettings({ flags: {}, environment: {}, file }).settings;
  await Bun.write(file, '');
  expect(shown).toEqual(readSettings({ flags: {}, environment: {}, file }).settings);
  await Bun.file(file).delete();
});

test('config/sluice.yaml changes nothing as it is', () => {
  expect(parseYaml(example, 'sluice.yaml').value).toBeNull();
});

test('config/sluice.yaml says of every setting what its declaration says', () => {
  const comments = example.replaceAll(/\n# /g, ' ');
  for (const [name, field] of Object.entries(settingFields.fields)) {
    expect(`${name}: ${comments}`).toContain(field.facts.description ?? 'a description');
  }
});

test('README.md has the same table', async () => {
  const readme = await Bun.file(join(root, 'README.md')).text();
  const shown = /<!-- settings -->\n([\s\S]*?)<!-- \/settings -->/.exec(readme)?.[1] ?? '';
  const rows = Object.entries(settingFields.fields).map(([name, { facts }]) => {
    const value = [facts.default ?? []].flat().join(', ');
    return `| \`${name}\` | ${value === '' ? 'none' : `\`${value}\``} | ${facts.description} |\n`;
  });
  expect(shown).toBe(`| setting | default | |\n|---|---|---|\n${rows.join('')}`);
});
