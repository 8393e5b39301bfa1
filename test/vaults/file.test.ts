import { afterAll, beforeAll, expect, test } from 'bun:test';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { validate } from '../../src/schema/validate.ts';
import { file } from '../../src/vaults/file.ts';

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'sluice-test-'));
  mkdirSync(join(folder, 'secrets', 'folder'), { recursive: true });
  const write = (name: string, content: string | Uint8Array) => writeFileSync(join(folder, name), content);
  write('outside', 'not yours');
  write('secrets/plain', 'sk-1');
  write('secrets/line', 'sk-2\n');
  write('secrets/windows-line', 'sk-3\r\n');
  write('secrets/two-lines', '\na \n\n');
  write('secrets/.hidden', 'sk-4');
  write('secrets/bytes', Uint8Array.of(0xff, 0xfe));
  write('secrets/large', 'x'.repeat(1024 * 1024 + 1));
  symlinkSync('../outside', join(folder, 'secrets', 'link'));
  Bun.spawnSync(['mkfifo', join(folder, 'secrets', 'pipe')]);
});
afterAll(() => rmSync(folder, { recursive: true }));

function read(name: string, { directory = 'secrets' as string | null, version = null as number | null, credentials = '' } = {}) {
  const config = validate(file.config, { directory });
  if ('errors' in config) throw new Error('the configuration is wrong');
  const host = { environment: credentials ? { CREDENTIALS_DIRECTORY: credentials } : {}, path: (path: string) => join(folder, path) };
  return file.open(config.value, host).read(name, version, AbortSignal.any([]));
}

test.each([
  ['plain', 'sk-1'],
  ['line', 'sk-2'],
  ['windows-line', 'sk-3'],
  ['two-lines', '\na \n'],
  ['.hidden', 'sk-4'],
  // As Kubernetes makes them.
  ['link', 'not yours'],
])('%s is read without the newline at its end', async (name, value) => expect(await read(name)).toBe(value));

test("without a directory it is that of systemd's credentials", async () => {
  expect(await read('plain', { directory: null, credentials: join(folder, 'secrets') })).toBe('sk-1');
});

test.each(['../outside', '..', '.', 'folder/../plain', '/etc/passwd', '..\\outside', 'plain\0'])(
  '%p is no name of a secret',
  async name => await expect(read(name)).rejects.toThrow('the name of a secret is that of a file in the directory, and no path'),
);

test.each([
  ['none', 'ENOENT'],
  ['folder', 'is no file'],
  ['pipe', 'is no file'],
  ['large', 'has more than 1048576 bytes'],
  ['bytes', 'is not text in UTF-8'],
])('%s cannot be read', async (name, message) => expect(read(name)).rejects.toThrow(message));

test('versions, and a service without credentials, are refused', async () => {
  await expect(read('plain', { version: 1 })).rejects.toThrow('a file has no versions');
  await expect(read('plain', { directory: null })).rejects.toThrow('neither config.directory nor $CREDENTIALS_DIRECTORY');
});
