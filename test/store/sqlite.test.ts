import { Database } from 'bun:sqlite';
import { afterEach, beforeEach, describe, expect, test } from 'bun:test';
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { consumer } from '../../src/entities/consumer.ts';
import type { Entity, Row } from '../../src/entities/entity.ts';
import { route } from '../../src/entities/route.ts';
import { service } from '../../src/entities/service.ts';
import { openStore } from '../../src/store/memory.ts';
import { Outdated, untilUpToDate } from '../../src/store/outdated.ts';
import { openSqlite } from '../../src/store/sqlite.ts';
import type { Change, Store, Write } from '../../src/store/store.ts';
import { cannotDropPrivileges, withoutPrivileges } from '../support/without-privileges.ts';
import { storeContract } from './contract.ts';
import { consumerRow, entities, id, insert, plugin, pluginRow, remove, replace, routeRow, serviceRow } from './rows.ts';

let directory: string;
let path: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'sluice-store-'));
  path = join(directory, 'sluice.db');
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

const open = () => openStore(entities, openSqlite(path, entities));
const child = (script: string, ...arguments_: string[]) =>
  Bun.spawn([process.execPath, join(import.meta.dir, script), path, ...arguments_], { stdout: 'pipe', stderr: 'pipe' });

storeContract('a store on SQLite', open);

test('every row is there again, and the same, when the file is opened again', async () => {
  const store = await open();
  const rows: [Entity, Row][] = [
    [service, serviceRow(1, { name: 'one', tags: ['a', 'b'], retries: null, enabled: false, created_at: 1700000000 })],
    [route, routeRow(2, { service: { id: id(1) }, headers: { 'x-a': ['1', 'it\'s "quoted"'] }, protocols: ['http'], paths: ['/ü☃'] })],
    [consumer, consumerRow(3)],
    [plugin, pluginRow(4, { route: { id: id(2) }, consumer: { id: id(3) } })],
  ];
  await store.commit(store.stage(rows.map(([entity, row]) => insert(entity, row))));
  await store.close();
  const again = await open();
  for (const [entity, row] of rows) expect(again.find(entity, row.id)).toEqual(row);
  await again.close();
});

test('the file is its owner’s alone', async () => {
  const store = await open();
  await store.commit(store.stage([insert(service, serviceRow(1))]));
  for (const suffix of ['', '-wal', '-shm']) expect(statSync(path + suffix).mode & 0o777).toBe(0o600);
  await store.close();
});

test('a new file is whole, and nothing of its making stays', async () => {
  const store = await open();
  const header = readFileSync(path);
  expect([...header.subarray(18, 20)]).toEqual([2, 2]);
  expect(new Database(path, { readonly: true }).query('PRAGMA integrity_check').values()).toEqual([['ok']]);
  expect(readdirSync(directory).sort()).toEqual(['', '-shm', '-wal'].map(suffix => `${basename(path)}${suffix}`));
  await store.close();
});

test('what a file that was deleted has left behind is not for the new one', async () => {
  const store = await open();
  await store.commit(store.stage([insert(service, serviceRow(1))]));
  const leftBehind = readFileSync(`${path}-wal`);
  await store.close();
  rmSync(path);
  writeFileSync(`${path}-wal`, leftBehind);
  const again = await open();
  expect([...again.all(service)]).toEqual([]);
  await again.commit(again.stage([insert(service, serviceRow(2))]));
  await again.close();
  expect(new Database(path, { readonly: true }).query('PRAGMA integrity_check').values()).toEqual([['ok']]);
});

test('a commit survives kill -9 right after it', async () => {
  const process_ = child('commit-and-die.ts');
  expect(await new Response(process_.stdout).text()).toBe('committed\n');
  await process_.exited;
  expect(process_.signalCode).toBe('SIGKILL');
  const store = await open();
  expect(store.find(service, 'survivor')).toEqual(serviceRow(1, { name: 'survivor' }));
  await store.close();
});

describe('two processes on one file:', () => {
  test('commits of one reach the other, which tells what changed', async () => {
    const [here, there] = [await open(), await open()];
    const heard = Promise.withResolvers<readonly Change[]>();
    here.watch(heard.resolve, heard.reject);
    await write(here, insert(consumer, consumerRow(1)));
    await write(there, insert(service, serviceRow(2, { name: 'two' })));
    expect(await heard.promise).toEqual([{ entity: service, id: id(2), row: serviceRow(2, { name: 'two' }) }]);
    expect(here.find(service, 'two')).toEqual(serviceRow(2, { name: 'two' }));
    await Promise.all([here.close(), there.close()]);
  });

  const write = (store: Store, ...writes: Write[]) => untilUpToDate(() => store.commit(store.stage(writes)));

  test('a commit that may rest on rows that are no more changes nothing, and reads see how they are', async () => {
    const [here, there] = [await open(), await open()];
    await write(here, insert(service, serviceRow(1, { name: 'here' })));
    const outdated = there.commit(there.stage([insert(consumer, consumerRow(2))]));
    expect(await outdated.catch(error => error)).toBeInstanceOf(Outdated);
    expect([...there.all(consumer)]).toEqual([]);
    expect(there.find(service, 'here')).toEqual(serviceRow(1, { name: 'here' }));
    await Promise.all([here.close(), there.close()]);
  });

  test('a commit decided before reads saw the change of another changes nothing either', async () => {
    const first = await open();
    await write(first, insert(service, serviceRow(1, { name: 'one' })));
    const [here, there] = [await open(), await open()];
    const { revision } = there;
    const changes = there.stage([replace(service, serviceRow(1, { name: 'two' }))]);
    const heard = Promise.withResolvers<readonly Change[]>();
    there.watch(heard.resolve, heard.reject);
    await write(here, replace(service, serviceRow(1, { name: 'other' })));
    await heard.promise;
    expect(await there.commit(changes, revision).catch(error => error)).toBeInstanceOf(Outdated);
    expect(there.find(service, id(1))?.name).toBe('other');
    await Promise.all([first.close(), here.close(), there.close()]);
  });

  test('a unique value that both take goes to the first', async () => {
    const [here, there] = [await open(), await open()];
    await write(here, insert(service, serviceRow(1, { name: 'one' })));
    const second = write(there, insert(service, serviceRow(2, { name: 'one' })));
    expect((await second.catch(error => error)).message).toBe(`UNIQUE violation detected on '{name="one"}'`);
    expect(there.find(service, 'one')?.id).toBe(id(1));
    await Promise.all([here.close(), there.close()]);
  });

  test('a row that is changed in one after it went in the other does not come back', async () => {
    const first = await open();
    await write(first, insert(service, serviceRow(1)));
    const [here, there] = [await open(), await open()];
    await write(here, remove(service, id(1)));
    const change = write(there, replace(service, serviceRow(1, { name: 'changed' })));
    expect((await change.catch(error => error)).name).toBe('not found');
    await Promise.all([first.close(), here.close(), there.close()]);
  });

  test('a row that goes in one while it gets a child in the other does not leave an orphan', async () => {
    const first = await open();
    await first.commit(first.stage([insert(service, serviceRow(1))]));
    const [here, there] = [await open(), await open()];
    await write(here, insert(route, routeRow(2, { service: { id: id(1) } })));
    const removal = write(there, remove(service, id(1)));
    expect((await removal.catch(error => error)).message).toBe(`an existing 'routes' entity references this 'services' entity`);
    await Promise.all([first.close(), here.close(), there.close()]);
  });

  test('a commit waits, without stopping the process, while another holds the lock', async () => {
    const store = await open();
    const other = new Database(path);
    other.run('BEGIN IMMEDIATE');
    let committed = false;
    const commit = store.commit(store.stage([insert(service, serviceRow(1))])).then(() => {
      committed = true;
    });
    await Bun.sleep(0);
    expect(committed).toBe(false);
    other.run('ROLLBACK');
    other.close();
    await commit;
    expect(committed).toBe(true);
    await store.close();
  });

  test('many start at once on a file that is not there yet, and all write', async () => {
    const children = Array.from({ length: 4 }, (_, number) => child('commit-many.ts', String(number)));
    const errors = await Promise.all(children.map(process_ => new Response(process_.stderr).text()));
    expect(errors).toEqual(['', '', '', '']);
    const store = await open();
    expect([...store.all(service)].length).toBe(40);
    await store.close();
  });
});

describe('refuses, in one line, to open', () => {
  const refusal = () => {
    try {
      openSqlite(path, entities);
    } catch (error) {
      return (error as Error).message;
    }
    throw new Error('it was opened');
  };

  test.each<[string, () => void, () => string]>([
    [
      'a file in a directory that does not exist',
      () => {
        path = join(directory, 'none', 'sluice.db');
      },
      () => `the directory ${join(directory, 'none')} does not exist`,
    ],
    ['a directory', () => mkdirSync(path), () => 'it is a directory'],
    ['a file that is not a database', () => writeFileSync(path, 'x'.repeat(4096)), () => 'it is not a SQLite database'],
    [
      'a database of another program',
      () => new Database(path).run('CREATE TABLE notes (text TEXT)'),
      () => 'it belongs to another program',
    ],
    [
      'a database of a newer version',
      () => {
        openSqlite(path, entities).close();
        new Database(path).run('PRAGMA user_version = 99');
      },
      () => 'a newer version of sluice made it (schema version 99, this one knows 1)',
    ],
    [
      'a file where nothing can be written',
      () => {
        path = '/proc/sluice.db';
      },
      () => 'the directory /proc does not exist',
    ],
  ])('%s', (_, arrange, reason) => {
    arrange();
    expect(refusal()).toBe(`cannot open the database ${path}: ${reason()}`);
  });

  test.skipIf(cannotDropPrivileges !== null)('a read-only file, or one in a read-only directory', async () => {
    const told = async () => {
      const command = withoutPrivileges([process.execPath, join(import.meta.dir, 'open-and-tell.ts'), path]);
      return (await new Response(Bun.spawn(command, { stdout: 'pipe' }).stdout).text()).trimEnd();
    };
    writeFileSync(path, '', { mode: 0o400 });
    expect(await told()).toBe(`cannot open the database ${path}: permission denied`);
    rmSync(path);
    chmodSync(directory, 0o500);
    expect(await told()).toBe(`cannot open the database ${path}: permission denied`);
    chmodSync(directory, 0o700);
    expect(await told()).toBe('it was opened');
  });
});

test('a write that the disk refuses is a database error, and memory stays as it was', async () => {
  const limited = Bun.spawn(
    ['sh', '-c', 'trap "" XFSZ; ulimit -f 400; exec "$@"', 'sh', process.execPath, join(import.meta.dir, 'commit-until-full.ts'), path],
    { stdout: 'pipe', stderr: 'pipe' },
  );
  const [output, errors] = await Promise.all([new Response(limited.stdout).text(), new Response(limited.stderr).text()]);
  expect(errors).toBe('');
  expect(JSON.parse(output)).toEqual({
    name: 'database error',
    message: `cannot write to the database ${path}: reading or writing failed (SQLITE_IOERR_WRITE)`,
    visible: false,
    works: true,
  });
});

test('columns and tables that a later version brings are added, with their defaults', async () => {
  const { enabled: _, ...fields } = service.schema.fields;
  const earlier: Entity[] = [{ name: 'services', endpointKey: 'name', schema: { ...service.schema, fields } }];
  const before = await openStore(earlier, openSqlite(path, earlier));
  const { enabled: __, ...row } = serviceRow(1, { name: 'one' });
  await before.commit(before.stage([insert(service, row)]));
  await before.close();

  const store = await open();
  expect(store.find(service, id(1))).toEqual(serviceRow(1, { name: 'one' }));
  await store.commit(store.stage([replace(service, serviceRow(1, { enabled: false })), insert(consumer, consumerRow(2))]));
  await store.close();

  const again = await openStore(entities, openSqlite(path, entities));
  expect(again.find(service, id(1))?.enabled).toBe(false);
  await again.close();
});

test('what a later version knows of within a record is there, with its default', async () => {
  const before = await openStore(entities, openSqlite(path, entities));
  await before.commit(before.stage([insert(plugin, { ...pluginRow(1), config: { note: 'old' } } as Row)]));
  await before.close();
  const store = await open();
  expect(store.find(plugin, id(1))?.config).toEqual({ limit: 10, note: 'old' });
  await store.close();
});

test('an index follows its declaration', async () => {
  const keyed = (...cacheKey: string[]): Entity[] => [{ ...consumer, cacheKey }];
  const earlier = await openStore(keyed('username'), openSqlite(path, keyed('username')));
  await earlier.close();
  const [ann, bob] = [consumerRow(1, { username: null, custom_id: 'a' }), consumerRow(2, { username: null, custom_id: 'b' })];
  const store = await openStore(keyed('username', 'custom_id'), openSqlite(path, keyed('username', 'custom_id')));
  await store.commit(store.stage([insert(consumer, ann), insert(consumer, bob)]));
  await store.close();
  await (await open()).close();
  const indexes = new Database(path).query(
    "SELECT name FROM sqlite_schema WHERE tbl_name = 'consumers' AND sql LIKE 'CREATE %INDEX%' ORDER BY name",
  );
  expect(indexes.values().flat()).toEqual(['consumers_custom_id', 'consumers_username']);
});

test('a transient field has no column', async () => {
  await (await open()).close();
  const columns = new Database(path).query("SELECT name FROM pragma_table_info('test_anchors')").values().flat();
  expect(columns).toEqual(['id', 'created_at', 'updated_at', 'name']);
});

test('the database is out of reach once its file is gone', async () => {
  const store = await open();
  expect(store.reachable()).toBe(true);
  rmSync(path);
  expect(store.reachable()).toBe(false);
  await store.close();
});

test('a write to a file that another one replaced is refused', async () => {
  const store = await open();
  const change = store.stage([insert(service, serviceRow(1))]);
  writeFileSync(`${path}.new`, '');
  renameSync(`${path}.new`, path);
  expect(store.reachable()).toBe(false);
  expect((await store.commit(change).catch(error => error)).message).toBe(
    `cannot write to the database ${path}: another file has taken its place`,
  );
  await store.close();
});

test('a write to a file that was deleted, which nobody would find again, is refused', async () => {
  const store = await open();
  rmSync(path);
  const written = store.commit(store.stage([insert(service, serviceRow(1))]));
  expect(written).rejects.toThrow(`cannot write to the database ${path}: the file is gone`);
  await written.catch(() => undefined);
  expect(store.find(service, id(1))).toBeUndefined();
  await store.close();
});
