import { afterAll, describe, expect, setDefaultTimeout, test } from 'bun:test';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ConfigurationError } from '../../src/lib/configuration-error.ts';
import { keptMemory, sharedMemory } from '../../src/lib/counter-memory.ts';
import { SharedCounters } from '../../src/lib/counters.ts';
import { openCounting } from '../support/counting.ts';
import { recordingLog } from '../support/recording-log.ts';

setDefaultTimeout(60_000);

const folder = mkdtempSync(join(tmpdir(), 'counter-memory-'));
afterAll(() => rmSync(folder, { recursive: true }));
const newFile = () => join(folder, crypto.randomUUID());

const endsAt = Date.now() + 3600_000;
function open(file: string) {
  const { log, lines } = recordingLog();
  return { counters: new SharedCounters(keptMemory(file, log), log), lines };
}

test('memory that processes share has no name', () => {
  const { memory } = sharedMemory();
  expect(memory.table.every(byte => byte === 0)).toBe(true);
  const names = [tmpdir(), '/dev/shm'].filter(existsSync).flatMap(place => readdirSync(place));
  expect(names.filter(name => name.startsWith(`sluice-${process.pid}-`))).toEqual([]);
});

describe('a file of counters', () => {
  test('is its owner’s alone, takes its room on the disk at once, and keeps what it holds', () => {
    const file = newFile();
    open(file).counters.add('a', endsAt, 7);
    const { mode, size, blocks } = statSync(file);
    expect(mode & 0o777).toBe(0o600);
    expect(blocks * 512).toBeGreaterThanOrEqual(size);
    const { counters, lines } = open(file);
    expect(counters.get('a', endsAt)).toBe(7);
    expect(lines).toEqual([]);
  });

  test.each([
    ['of another version', (file: string) => writeFileSync(file, readFileSync(file).fill('9', 16, 17))],
    ['damaged', (file: string) => writeFileSync(file, '')],
    ['damaged', (file: string) => truncateSync(file, 100_000)],
    ['damaged', (file: string) => writeFileSync(file, readFileSync(file).fill(0, 0, 4096))],
    ['damaged', (file: string) => writeFileSync(file, Buffer.concat([readFileSync(file), Buffer.from('more')]))],
    ['damaged', (file: string) => writeFileSync(file, 'my notes')],
  ])('that is %s is made anew, with one line in the log', (what, spoil) => {
    const file = newFile();
    open(file).counters.add('a', endsAt, 7);
    // Not in place: who has it open keeps what it has.
    const copy = newFile();
    writeFileSync(copy, readFileSync(file));
    spoil(copy);
    const { counters, lines } = open(copy);
    expect(lines).toEqual([{ level: 'warn', message: `the counters in ${copy} begin anew: it is ${what}` }]);
    expect(counters.add('a', endsAt, 1)).toBe(1);
    expect(open(copy).counters.get('a', endsAt)).toBe(1);
    expect(readdirSync(folder).filter(name => name.startsWith(copy.slice(folder.length + 1))).length).toBe(1);
  });

  test('whose table is damaged counts nevertheless', () => {
    const file = newFile();
    open(file);
    const bytes = readFileSync(file);
    crypto.getRandomValues(bytes.subarray(4096, 4096 + 65536));
    writeFileSync(file, bytes);
    const { counters } = open(file);
    for (let number = 0; number < 10_000; number++) expect(counters.add(`${number}`, endsAt, 1)).toBe(1);
  });

  test.each([
    ['a folder that is not there', () => join(newFile(), 'counters')],
    [
      'a folder in its place',
      () => {
        const file = newFile();
        mkdirSync(file);
        return file;
      },
    ],
  ])('cannot be had with %s', (_, place) => {
    const file = place();
    expect(() => open(file)).toThrow(ConfigurationError);
    expect(() => open(file)).toThrow(`counters cannot be kept in ${file}: `);
  });

  test('is one for gateways that make it at the same time, and outlives them', async () => {
    for (let round = 0; round < 5; round++) {
      const file = newFile();
      using counting = openCounting(endsAt, file);
      const children = Array.from({ length: 4 }, (_, number) => counting.start('add', `process ${number}`, 500));
      expect(await Promise.all(children.map(({ exited }) => exited))).toEqual([0, 0, 0, 0]);
      for (let number = 0; number < 50; number++) expect(counting.counters.get(`shared ${number}`, endsAt)).toBe(40);
    }
  });
});
