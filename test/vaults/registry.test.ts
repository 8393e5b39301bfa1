import { expect, test } from 'bun:test';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { vaults } from '../../src/vaults/registry.ts';

const source = join(import.meta.dir, '..', '..', 'src');
const names = vaults.map(vault => vault.name);

test.each(names)('the kind %s has its file and its test, and knows no other kind', async name => {
  expect(existsSync(join(import.meta.dir, `${name}.test.ts`))).toBe(true);
  const text = await Bun.file(join(source, 'vaults', `${name}.ts`)).text();
  expect(names.filter(other => text.includes(`'./${other}.ts'`))).toEqual([]);
});

test('the core names no kind of vault', async () => {
  const files = [...new Bun.Glob('{entities,store,gateway,proxy,admin}/**/*.ts').scanSync(source)];
  const texts = await Promise.all(files.map(async file => [file, await Bun.file(join(source, file)).text()] as const));
  expect(texts.filter(([, text]) => names.some(name => text.includes(`'${name}'`))).map(([file]) => file)).toEqual([]);
});
