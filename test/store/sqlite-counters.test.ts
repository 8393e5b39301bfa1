import { Database } from 'bun:sqlite';
import { describe, expect, setDefaultTimeout, setSystemTime, test } from 'bun:test';
import { mkdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Window } from '../../src/lib/window-counters.ts';
import { SqliteCounters } from '../../src/store/sqlite-counters.ts';
import { newFolder } from '../support/executable.ts';

setDefaultTimeout(60_000);

const newFile = () => join(newFolder(), 'sluice.db-counters');
const END = Date.now() + 3_600_000;
const window = (key: string, limit: number, amount = 1): Window => ({ key, endsAt: END, limit, amount });

describe('counters in a SQLite file', () => {
  test('add to all windows or to none', async () => {
    const counters = new SqliteCounters(newFile());
    const both = [window('a', 2), window('b', 3)];
    expect(await counters.read(both)).toEqual([0, 0]);
    expect(await counters.take(both)).toEqual({ counts: [0, 0], full: -1 });
    expect(await counters.take(both)).toEqual({ counts: [1, 1], full: -1 });
    expect(await counters.take(both)).toEqual({ counts: [2, 2], full: 0 });
    expect(await counters.take([window('b', 3, 10)])).toEqual({ counts: [2], full: -1 });
    expect(await counters.take([window('b', 3)])).toEqual({ counts: [12], full: 0 });
    expect(await counters.take([window('b', 3, -20)])).toEqual({ counts: [12], full: -1 });
    expect(await counters.read(both)).toEqual([2, 0]);
  });

  test('count those that ask at once one after the other', async () => {
    const counters = new SqliteCounters(newFile());
    const all = await Promise.all(Array.from({ length: 500 }, () => counters.take([window('a', 123)])));
    expect(all.filter(({ full }) => full === -1).map(({ counts }) => counts[0])).toEqual(Array.from({ length: 123 }, (_, count) => count));
    expect(await counters.read([window('a', 0)])).toEqual([123]);
  });

  test('are made for their owner alone, when somebody asks', async () => {
    const file = newFile();
    const counters = new SqliteCounters(file);
    expect(statSync(file, { throwIfNoEntry: false })).toBeUndefined();
    await counters.read([window('a', 1)]);
    expect(statSync(file).mode & 0o777).toBe(0o600);
  });

  test('wait for who has the file, and hold up nothing else meanwhile', async () => {
    const file = newFile();
    const counters = new SqliteCounters(file);
    await counters.take([window('a', 9)]);
    const other = new Database(file);
    other.run('BEGIN IMMEDIATE');
    const taken = counters.take([window('a', 9)]);
    let turns = 0;
    // The thread is free: timers and others have their turn.
    while (turns < 20) {
      await Bun.sleep(1);
      turns++;
    }
    other.run('COMMIT');
    expect(await taken).toEqual({ counts: [1], full: -1 });
  });

  test('give up on who keeps the file, and go on when it is free again', async () => {
    const file = newFile();
    const counters = new SqliteCounters(file);
    await counters.take([window('a', 9)]);
    const other = new Database(file);
    other.run('BEGIN IMMEDIATE');
    const began = performance.now();
    const all = await Promise.allSettled(Array.from({ length: 1000 }, () => counters.take([window('a', 9)])));
    expect(new Set(all.map(({ status }) => status))).toEqual(new Set(['rejected']));
    expect((all[999] as PromiseRejectedResult).reason.message).toBe(`cannot count in ${file}: database is locked`);
    // Not one hundred after the other: that would be twenty seconds.
    expect(performance.now() - began).toBeLessThan(10_000);
    other.run('ROLLBACK');
    expect(await counters.take([window('a', 9)])).toEqual({ counts: [1], full: -1 });
  });

  test.each([
    ['a folder in its place', (file: string) => mkdirSync(file), (file: string) => rmSync(file, { recursive: true })],
    ['something else in its place', (file: string) => writeFileSync(file, 'my notes '.repeat(1000)), (file: string) => rmSync(file)],
  ])('say what is wrong with %s, and count once that is put right', async (_, spoil, mend) => {
    const file = newFile();
    spoil(file);
    const counters = new SqliteCounters(file);
    await expect(counters.take([window('a', 1)])).rejects.toThrow(`cannot count in ${file}: `);
    mend(file);
    expect(await counters.take([window('a', 1)])).toEqual({ counts: [0], full: -1 });
  });

  test('are removed when they have ended', async () => {
    const file = newFile();
    const counters = new SqliteCounters(file);
    const now = Date.now();
    try {
      for (let number = 0; number < 500; number++) await counters.take([{ ...window(`ended ${number}`, 1), endsAt: now + 1000 }]);
      await counters.take([window('a', 1)]);
      setSystemTime(now + 120_000);
      await counters.take([window('b', 1)]);
    } finally {
      setSystemTime();
    }
    const rows = new Database(file).query('SELECT key FROM counters ORDER BY key').values();
    expect(rows).toEqual([['a'], ['b']]);
  });

  test('are exact for several processes, one of which is killed', async () => {
    const file = newFile();
    const script = `
      import { SqliteCounters } from '${join(import.meta.dir, '../../src/store/sqlite-counters.ts')}';
      const counters = new SqliteCounters('${file}');
      const windows = [{ key: 'a', endsAt: ${END}, limit: 1000, amount: 1 }];
      let passed = 0;
      await Promise.all(Array.from({ length: 16 }, async () => {
        for (let turn = 0; turn < 50; turn++) {
          if ((await counters.take(windows)).full === -1) passed++;
          if (turn === 0) process.stdout.write(' ');
        }
      }));
      process.stdout.write(String(passed));`;
    const start = () => Bun.spawn([process.execPath, '-e', script], { stdout: 'pipe', stderr: 'inherit' });
    const killed = start();
    const children = [start(), start(), start()];
    await killed.stdout.getReader().read();
    killed.kill('SIGKILL');
    const passed = await Promise.all(children.map(async child => Number(await child.stdout.text())));
    expect(passed.some(Number.isNaN)).toBe(false);
    const counters = new SqliteCounters(file);
    const sum = passed.reduce((total, count) => total + count, 0);
    const [count = 0] = await counters.read([window('a', 0)]);
    // What is left passes now, and no more.
    const rest = await Promise.all(Array.from({ length: 1000 }, () => counters.take([window('a', 1000)])));
    expect(count).toBeGreaterThanOrEqual(sum);
    expect(count + rest.filter(({ full }) => full === -1).length).toBe(1000);
  });
});
