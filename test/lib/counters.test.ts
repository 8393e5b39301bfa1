import { afterAll, beforeEach, describe, expect, setDefaultTimeout, test } from 'bun:test';
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { keptMemory, privateMemory, sharedMemory } from '../../src/lib/counter-memory.ts';
import { CountersFull } from '../../src/lib/counter-table.ts';
import { type Counters, countersIn, SharedCounters } from '../../src/lib/counters.ts';
import { LIMIT, MANY, openCounting } from '../support/counting.ts';
import { recordingLog } from '../support/recording-log.ts';

setDefaultTimeout(60_000);

const folder = mkdtempSync(join(tmpdir(), 'counters-'));
afterAll(() => rmSync(folder, { recursive: true }));

const MINUTE = 60_000;
const NOW = 1_800_000_000_000;

describe.each([
  ['of this process alone', privateMemory],
  ['in memory that processes share', () => sharedMemory().memory],
  ['in a file', () => keptMemory(join(folder, crypto.randomUUID()), recordingLog().log)],
] as const)('counters %s', (_, memory) => {
  let time = NOW;
  let counters: Counters;
  beforeEach(() => {
    time = NOW;
    counters = new SharedCounters(memory(), recordingLog().log, () => time);
  });

  test('are told apart by key and end', () => {
    expect(counters.add('a', NOW + MINUTE, 2)).toBe(2);
    expect(counters.add('a', NOW + MINUTE, 3)).toBe(5);
    expect(counters.add('b', NOW + MINUTE, 1)).toBe(1);
    expect(counters.add('a', NOW + 2 * MINUTE, 1)).toBe(1);
    expect(['a', 'b', 'c'].map(key => counters.get(key, NOW + MINUTE))).toEqual([5, 1, 0]);
  });

  test('end with the second in which they end, or a little later', () => {
    counters.add('a', NOW + 1, 1);
    expect(counters.get('a', NOW + 1000)).toBe(1);
    time = NOW + 10_000;
    expect(counters.add('a', NOW + 1, 1)).toBe(1);
    expect(counters.add('a', NOW + 1, 1)).toBe(1);
  });

  test('take reservations up to their limit, and what these come to', () => {
    const first = counters.reserve('a', NOW + MINUTE, 6, 10);
    expect(first?.sum).toBe(6);
    expect(counters.reserve('a', NOW + MINUTE, 5, 10)).toBeNull();
    expect(counters.reserve('a', NOW + MINUTE, 4, 10)?.sum).toBe(10);
    first?.settle(2);
    expect(counters.get('a', NOW + MINUTE)).toBe(6);
    first?.settle(0);
    expect(counters.get('a', NOW + MINUTE)).toBe(6);
    counters.reserve('a', NOW + MINUTE, 4, 10)?.settle(40);
    expect(counters.get('a', NOW + MINUTE)).toBe(46);
  });

  test('are gone with reservations that nobody settled, and those that are settled later do nothing', () => {
    const late = counters.reserve('a', NOW + MINUTE, 10, 10);
    time = NOW + 2 * MINUTE;
    for (let number = 0; number < 5000; number++) counters.add(`other ${number}`, time + MINUTE, 1);
    late?.settle(1000);
    expect(counters.reserve('a', time + MINUTE, 10, 10)?.sum).toBe(10);
    for (let number = 0; number < 5000; number++) expect(counters.get(`other ${number}`, time + MINUTE)).toBe(1);
    expect(counters.reserve('a', NOW + MINUTE, 10, 10)?.settle(1)).toBeUndefined();
  });

  test.each(['', 'ü', '\ud800', 'x'.repeat(100_000), '__proto__'])('have any key', key => {
    expect(counters.add(key, NOW + MINUTE, 1)).toBe(1);
    expect(counters.get(key, NOW + MINUTE)).toBe(1);
  });
});

test('more counters than there is room for are refused, with one line in the log a minute, and those there are go on', () => {
  const { log, lines } = recordingLog();
  let time = NOW;
  const counters = new SharedCounters(privateMemory(), log, () => time);
  let count = 0;
  const fill = () => {
    for (;;) counters.add(`client ${++count}`, NOW + 60 * MINUTE, 1);
  };
  expect(fill).toThrow(CountersFull);
  expect(count).toBeGreaterThan(150_000);
  expect(fill).toThrow(CountersFull);
  expect(lines.length).toBe(1);
  time = NOW + MINUTE;
  expect(fill).toThrow(CountersFull);
  expect(lines.length).toBe(2);
  for (let number = 1; number < 1000; number++) expect(counters.add(`client ${number}`, NOW + 60 * MINUTE, 1)).toBe(2);
});

test('kept counters are those of the same folder, and their file is made when somebody asks for them', () => {
  const file = join(folder, 'sluice.counters');
  const { log, lines } = recordingLog();
  const endsAt = Date.now() + 10 * MINUTE;
  const open = () => countersIn({ file, log });
  open()('passing').add('a', endsAt, 5);
  expect(existsSync(file)).toBe(false);
  expect(open()('kept').add('a', endsAt, 1)).toBe(1);
  expect(open()('kept').add('a', endsAt, 1)).toBe(2);
  expect(open()('passing').get('a', endsAt)).toBe(0);
  expect(lines).toEqual([]);
  expect(readdirSync(folder).filter(name => name.startsWith('sluice.counters'))).toEqual(['sluice.counters']);
});

describe('processes that share counters', () => {
  const PROCESSES = 4;
  const TIMES = 20_000;
  const names = Array.from({ length: PROCESSES }, (_, index) => `process ${index}`);
  const endsAt = Date.now() + 60 * MINUTE;

  test.each(['add', 'make'] as const)('lose no addition when all %s', async work => {
    using counting = openCounting(endsAt);
    const children = names.map(name => counting.start(work, name, TIMES));
    expect(await Promise.all(children.map(({ exited }) => exited))).toEqual(names.map(() => 0));
    const shared = work === 'add' ? 50 : MANY;
    const sums = new Set(Array.from({ length: shared }, (_, number) => counting.counters.get(`shared ${number}`, endsAt)));
    expect([...sums]).toEqual([(PROCESSES * TIMES) / shared]);
    expect(names.map(name => counting.counters.get(name, endsAt))).toEqual(names.map(() => TIMES));
  });

  test('reserve no more than the limit, and settle to the last', async () => {
    using counting = openCounting(endsAt);
    const children = names.map(name => counting.start('reserve', name, TIMES));
    expect(await Promise.all(children.map(({ exited }) => exited))).toEqual(names.map(() => 0));
    const settled = names.reduce((sum, name) => sum + counting.counters.get(name, endsAt), 0);
    expect(counting.counters.get('reserved', endsAt)).toBe(settled);
    expect(settled).toBeGreaterThan(0);
  });

  test('get as many reservations as the limit says', async () => {
    using counting = openCounting(endsAt);
    const children = names.map(name => counting.start('take', name, TIMES));
    expect(await Promise.all(children.map(({ exited }) => exited))).toEqual(names.map(() => 0));
    expect(names.reduce((sum, name) => sum + counting.counters.get(name, endsAt), 0)).toBe(LIMIT);
  });

  test.each(['add', 'make'] as const)('lose nothing but what a process was at when it was killed, while all %s', async work => {
    using counting = openCounting(endsAt);
    const KILLS = 20;
    const { counters } = counting;
    const alive = counting.start(work, 'alive', 20 * TIMES);
    const killed = Array.from({ length: KILLS }, (_, index) => `killed ${index}`);
    for (const name of killed) {
      const child = counting.start(work, name, 10_000_000);
      await (child.stdout as ReadableStream<Uint8Array>).getReader().read();
      while (counters.get(name, endsAt) < 100) await new Promise(setImmediate);
      child.kill('SIGKILL');
      await child.exited;
    }
    expect(await alive.exited).toBe(0);
    const own = [...killed, 'alive'].map(name => counters.get(name, endsAt)).reduce((sum, count) => sum + count, 0);
    let shared = 0;
    for (let number = 0; number < MANY; number++) shared += counters.get(`shared ${number}`, endsAt);
    expect(counters.get('alive', endsAt)).toBe(20 * TIMES);
    expect(shared - own).toBeGreaterThanOrEqual(0);
    expect(shared - own).toBeLessThanOrEqual(KILLS);
  });
});
