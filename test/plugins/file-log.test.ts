import { afterAll, describe, expect, test } from 'bun:test';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileLog } from '../../src/plugins/file-log.ts';
import { answered } from '../support/context.ts';
import { configured, openHost } from '../support/host.ts';

const folder = mkdtempSync(join(tmpdir(), 'file-log-'));
afterAll(() => rmSync(folder, { recursive: true }));

function start(config: object) {
  const { host, lines, said } = openHost(folder);
  const phases = configured(fileLog, config, host);
  const log = (path: string) => void phases.log?.(answered(new Request(`http://localhost:8000${path}`)));
  return { log, close: async () => phases.close?.(), lines, said };
}

const urisIn = (file: string) =>
  readFileSync(join(folder, file), 'utf8')
    .trimEnd()
    .split('\n')
    .map(line => JSON.parse(line).request.uri);

async function until(condition: () => boolean) {
  while (!condition()) await new Promise(resolve => setImmediate(resolve));
}

describe('writes', () => {
  test('one line of JSON a request, in order, a burst too', async () => {
    const { log, close, lines } = start({ path: 'burst.log' });
    const uris = Array.from({ length: 5000 }, (_, i) => `/${i}`);
    for (const uri of uris) log(uri);
    await close();
    expect(urisIn('burst.log')).toEqual(uris);
    expect(lines).toEqual([]);
  });

  test('after what is in the file already, and creates it readable as Kong does', async () => {
    const first = start({ path: 'append.log' });
    first.log('/a');
    await first.close();
    const second = start({ path: join(folder, 'append.log') });
    second.log('/b');
    await second.close();
    expect(urisIn('append.log')).toEqual(['/a', '/b']);
    expect(statSync(join(folder, 'append.log')).mode & 0o777).toBe(0o644 & ~process.umask());
  });

  test('what is logged after close, by a request that began before', async () => {
    const { log, close } = start({ path: 'late.log' });
    await close();
    log('/late');
    await close();
    expect(urisIn('late.log')).toEqual(['/late']);
  });

  test.each(['stdout', 'stderr'] as const)('to /dev/%s', async stream => {
    const script = `
      import { fileLog } from '${join(import.meta.dir, '../../src/plugins/file-log.ts')}';
      import { configured, openHost } from '${join(import.meta.dir, '../support/host.ts')}';
      import { answered } from '${join(import.meta.dir, '../support/context.ts')}';
      const phases = configured(fileLog, { path: '/dev/${stream}' }, openHost().host);
      phases.log(answered(new Request('http://localhost/a')));
      await phases.close();`;
    const child = Bun.spawn([process.execPath, '-e', script], { stdout: 'pipe', stderr: 'pipe' });
    expect(JSON.parse(await new Response(child[stream]).text()).request.uri).toBe('/a');
  });
});

describe('rotation', () => {
  test('with reopen a file that was moved away is made anew', async () => {
    const { log, close } = start({ path: 'reopened.log', reopen: true });
    log('/a');
    await close();
    renameSync(join(folder, 'reopened.log'), join(folder, 'reopened.1'));
    log('/b');
    await close();
    expect(urisIn('reopened.1')).toEqual(['/a']);
    expect(urisIn('reopened.log')).toEqual(['/b']);
  });

  test('without reopen the open file goes on under its new name', async () => {
    const { log, close } = start({ path: 'kept.log' });
    log('/a');
    await until(() => existsSync(join(folder, 'kept.log')) && statSync(join(folder, 'kept.log')).size > 0);
    renameSync(join(folder, 'kept.log'), join(folder, 'kept.1'));
    log('/b');
    await close();
    expect(urisIn('kept.1')).toEqual(['/a', '/b']);
    expect(existsSync(join(folder, 'kept.log'))).toBe(false);
  });
});

test('a folder that is missing is named in the log at once; entries wait until it is there', async () => {
  const { log, close, said } = start({ path: 'missing/folder.log' });
  expect(said('error')).toEqual([`file-log c4fe: cannot write ${join(folder, 'missing/folder.log')}`]);
  log('/a');
  await until(() => said('warn').length > 0);
  expect(said('warn')).toEqual(['file-log c4fe: could not send, will try again']);
  mkdirSync(join(folder, 'missing'));
  log('/b');
  await close();
  expect(urisIn('missing/folder.log')).toEqual(['/a', '/b']);
});

describe('refuses', () => {
  test.each([
    ['no path', {}, 'path: required field missing'],
    ['a path with a star', { path: '/tmp/*.log' }, 'path: not a valid filename'],
    ['a path that ends in a space', { path: '/tmp/x ' }, 'path: not a valid filename'],
    ['a backtick', { path: '/tmp/`id`' }, 'path: not a valid filename'],
    ['reopen that is no boolean', { path: '/tmp/x.log', reopen: 'yes' }, 'reopen: expected a boolean'],
    ['Lua code', { path: '/tmp/x.log', custom_fields_by_lua: { a: 'return 1' } }, 'this gateway runs no Lua'],
    ['an unknown field', { path: '/tmp/x.log', file: 'x' }, 'file: unknown field'],
  ])('%s', (_, config, message) => {
    expect(() => start(config)).toThrow(message);
  });
});
