import { afterAll, describe, expect, setDefaultTimeout, test } from 'bun:test';
import { chmodSync, copyFileSync, readdirSync, renameSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { newFolder, type RunningGateway, startGateway } from '../support/executable.ts';
import { cannotDropPrivileges, withoutPrivileges } from '../support/without-privileges.ts';

setDefaultTimeout(30_000);

const upstream = Bun.serve({ hostname: '127.0.0.1', port: 0, fetch: () => new Response('served') });
afterAll(() => upstream.stop(true));

const service = (name: string) => ({ name, url: upstream.url.href });
const served = async (gateway: RunningGateway) => (await fetch(`${gateway.proxy}/way`)).text();

async function withRoute(gateway: RunningGateway): Promise<void> {
  expect((await gateway.request('POST', '/services', service('first'))).status).toBe(201);
  expect((await gateway.request('POST', '/services/first/routes', { paths: ['/way'] })).status).toBe(201);
}

/** A write is refused with the reason, which is logged in one line; everything but writes goes on as before. */
async function expectOnlyReads(gateway: RunningGateway, write: { status: number; body: unknown }, message: string): Promise<void> {
  expect(write).toEqual({ status: 500, body: { message, name: 'database error', code: 8 } });
  const entry = await gateway.logged(({ level }) => level === 'error');
  expect(entry).toMatchObject({ message: 'admin request failed', error: message });
  expect(await served(gateway)).toBe('served');
  expect((await gateway.request('GET', '/services/first')).status).toBe(200);
}

const prlimit = Bun.which('prlimit');
if (!prlimit) console.log('skipped: needs prlimit');

// A limit on the size of files stands for the full disk, which takes a file system of its own and the rights to make one: a
// write that does not fit fails as there, and lifting the limit is making space. Its signal, which no full disk sends, is ignored.
test.skipIf(!prlimit)('a full disk refuses writes; the proxy goes on, and writes work again once there is space', async () => {
  const folder = newFolder();
  const ignoringSignal = (command: readonly string[]) => ['sh', '-c', 'trap "" XFSZ; exec "$@"', 'sh', ...command];
  const gateway = await startGateway({ folder, under: ignoringSignal });
  await withRoute(gateway);
  const limitFiles = (bytes: number | 'unlimited') =>
    expect(Bun.spawnSync([prlimit ?? '', '--pid', String(gateway.pid), `--fsize=${bytes}:`]).exitCode).toBe(0);
  limitFiles(statSync(join(folder, 'sluice.db-wal')).size + 100_000);

  const names = ['first'];
  const fill = async (): Promise<{ status: number; body: unknown }> => {
    const name = `filling-${names.length}`;
    const answer = await gateway.request('POST', '/services', { ...service(name), tags: ['x'.repeat(10_000)] });
    if (answer.status !== 201) return answer;
    names.push(name);
    return fill();
  };
  const message = `cannot write to the database ${folder}/sluice.db: reading or writing failed (SQLITE_IOERR_WRITE)`;
  await expectOnlyReads(gateway, await fill(), message);

  limitFiles('unlimited');
  expect((await gateway.request('POST', '/services', service('after'))).status).toBe(201);
  await gateway.stop();
  await using again = await startGateway({ folder });
  const { body } = await again.request('GET', '/services?size=1000');
  expect((body as { data: { name: string }[] }).data.map(({ name }) => name).sort()).toEqual([...names, 'after'].sort());
});

describe('a database that may only be read', () => {
  const permit = (folder: string, file: number, directory: number) => {
    for (const name of readdirSync(folder)) chmodSync(join(folder, name), file);
    chmodSync(folder, directory);
  };
  // After an unclean end, what was committed last stands in files beside the database.
  test.skipIf(cannotDropPrivileges !== null).each(['SIGTERM', 'SIGKILL'] as const)(
    'serves, and takes writes once it may: after %s',
    async end => {
      const folder = newFolder();
      const first = await startGateway({ folder });
      await withRoute(first);
      await first.stop(end);

      permit(folder, 0o400, 0o500);
      await using gateway = await startGateway({ folder, under: withoutPrivileges });
      const file = join(folder, 'sluice.db');
      expect(gateway.log).toContainEqual(
        expect.objectContaining({ level: 'warn', message: `the database ${file} can be read, but not written to: permission denied` }),
      );
      const message = `cannot write to the database ${file}: permission denied`;
      await expectOnlyReads(gateway, await gateway.request('POST', '/services', service('second')), message);

      permit(folder, 0o600, 0o700);
      expect((await gateway.request('POST', '/services', service('second'))).status).toBe(201);
      await using again = await startGateway({ folder });
      expect((await again.request('GET', '/services/second')).status).toBe(200);
    },
  );
});

test('a database file that another one replaced takes no writes until it is back', async () => {
  const folder = newFolder();
  await using gateway = await startGateway({ folder });
  await withRoute(gateway);
  const file = join(folder, 'sluice.db');
  renameSync(file, `${file}.kept`);
  copyFileSync(`${file}.kept`, file);
  const message = `cannot write to the database ${file}: another file has taken its place`;
  await expectOnlyReads(gateway, await gateway.request('POST', '/services', service('lost')), message);

  renameSync(`${file}.kept`, file);
  expect((await gateway.request('POST', '/services', service('lost'))).status).toBe(201);
});
