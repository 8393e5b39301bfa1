import { closeSync, constants, fstatSync, linkSync, openSync, readSync, renameSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ConfigurationError } from './configuration-error.ts';
import { TABLE_SIZE } from './counter-table.ts';
import type { Log } from './log.ts';

/** Where counters are. */
export interface CounterMemory {
  readonly table: Uint8Array;
  /** What keys are hashed with, so that nobody can look for keys that share a bucket. */
  readonly seed: string;
}

/** The first bytes, the number of the layout among them, then the seed. A page goes by, then comes the table. */
const MARK = 'sluice counters 1\n';
const SEED_BYTES = 16;
const HEADER_SIZE = 4096;
const FILE_SIZE = HEADER_SIZE + TABLE_SIZE;

/** Of this process alone. */
export function privateMemory(): CounterMemory {
  return { table: new Uint8Array(TABLE_SIZE), seed: newSeed() };
}

/** Memory for several processes, and the open file through which others get at it. The file has no name: it goes with the last of them. */
export function sharedMemory(): SharedMemory {
  try {
    return sharedMemoryIn('/dev/shm'); // Which is memory indeed, and only Linux has.
  } catch {
    return sharedMemoryIn(tmpdir());
  }
}

export interface SharedMemory {
  readonly memory: CounterMemory;
  readonly descriptor: number;
}

function sharedMemoryIn(folder: string): SharedMemory {
  const path = join(folder, `sluice-${process.pid}-${crypto.randomUUID()}`);
  const descriptor = openSync(path, 'wx+', 0o600);
  try {
    fill(descriptor);
    return { memory: map(path), descriptor };
  } catch (error) {
    closeSync(descriptor);
    throw error;
  } finally {
    rmSync(path);
  }
}

/** What the process that started this one has as `sharedMemory`, by the number that its descriptor has here. */
export const inheritedMemory = (descriptor: number): CounterMemory => map(`/dev/fd/${descriptor}`);

/**
 * Memory that outlives the process, and may be shared with others: a file, made when it is not there. One that is none of
 * this version, or damaged, is made anew. Throws a ConfigurationError when it cannot be had.
 */
export function keptMemory(file: string, log: Pick<Log, 'warn'>): CounterMemory {
  try {
    for (;;) {
      const fault = faultOf(file);
      if (fault === null) return map(file);
      if (fault !== 'missing') log.warn(`the counters in ${file} begin anew: it is ${fault}`);
      make(file, fault === 'missing');
    }
  } catch (error) {
    throw new ConfigurationError(`counters cannot be kept in ${file}: ${(error as Error).message}`);
  }
}

/** What is wrong with a file. */
function faultOf(file: string): string | null {
  let descriptor: number;
  try {
    descriptor = openSync(file, constants.O_RDWR);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return 'missing';
    throw error;
  }
  try {
    const mark = Buffer.alloc(MARK.length);
    readSync(descriptor, mark, 0, mark.length, 0);
    if (mark.toString('latin1') !== MARK) return /^sluice counters \d/.test(mark.toString('latin1')) ? 'of another version' : 'damaged';
    return fstatSync(descriptor).size === FILE_SIZE ? null : 'damaged';
  } finally {
    closeSync(descriptor);
  }
}

/** Makes it whole before it has its name. Where somebody else was faster with a missing one, theirs is it. */
function make(file: string, isMissing: boolean): void {
  const path = `${file}.${process.pid}-${crypto.randomUUID()}`;
  const descriptor = openSync(path, 'wx', 0o600);
  try {
    fill(descriptor);
    if (isMissing) linkSync(path, file);
    else renameSync(path, file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  } finally {
    closeSync(descriptor);
    rmSync(path, { force: true });
  }
}

/** Writes every byte: memory that the disk has no room for would end the process when it is used. */
function fill(descriptor: number): void {
  const chunk = Buffer.alloc(64 * 1024);
  for (let position = 0; position < FILE_SIZE; position += chunk.length) {
    writeAll(descriptor, chunk.subarray(0, Math.min(chunk.length, FILE_SIZE - position)), position);
  }
  writeAll(descriptor, Buffer.concat([Buffer.from(MARK), crypto.getRandomValues(Buffer.alloc(SEED_BYTES))]), 0);
}

function writeAll(descriptor: number, bytes: Uint8Array, position: number): void {
  for (let written = 0; written < bytes.length; )
    written += writeSync(descriptor, bytes, written, bytes.length - written, position + written);
}

function map(path: string): CounterMemory {
  const bytes = Bun.mmap(path, { shared: true });
  return { table: bytes.subarray(HEADER_SIZE), seed: Buffer.from(bytes.subarray(MARK.length, MARK.length + SEED_BYTES)).toString('hex') };
}

const newSeed = (): string => Buffer.from(crypto.getRandomValues(new Uint8Array(SEED_BYTES))).toString('hex');
