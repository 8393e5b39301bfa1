import { Database } from 'bun:sqlite';
import { closeSync, existsSync, fsyncSync, linkSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';

/** Bytes of the file's header that say how it is written and read: https://www.sqlite.org/fileformat.html#file_format_version_numbers */
const VERSIONS = [18, 19];
const WRITE_AHEAD_LOG = 2;

/**
 * Makes a SQLite file with a write-ahead log that is not there yet, for its owner alone, or leaves it to SQLite, which would wait for the
 * disk seven times: here it is made in memory, and is whole when it gets its name. That is on the disk with the first commit, for which
 * SQLite syncs the folder. Where somebody else was faster, theirs is it.
 */
export function makeSqliteFile(file: string, fill: (database: Database) => void): void {
  // SQLite would take what an earlier file has left behind for that of this one; beside an empty file it takes it away.
  if (['', '-wal', '-journal'].some(suffix => existsSync(`${file}${suffix}`))) return;
  const path = `${file}.${process.pid}-${crypto.randomUUID()}`;
  try {
    const descriptor = openSync(path, 'wx', 0o600);
    try {
      writeFileSync(descriptor, filled(fill));
      fsyncSync(descriptor);
    } finally {
      closeSync(descriptor);
    }
    linkSync(path, file);
  } catch {
    // SQLite knows other ways, or finds out what is wrong.
  } finally {
    rmSync(path, { force: true });
  }
}

function filled(fill: (database: Database) => void): Uint8Array {
  using database = new Database(':memory:', { strict: true });
  database.transaction(fill)(database);
  const bytes = database.serialize();
  for (const version of VERSIONS) bytes[version] = WRITE_AHEAD_LOG;
  return bytes;
}

/** Opens a SQLite file, which is made when it is not there, for its owner alone, and closes it again when `prepare` throws. */
export function openSqliteFile(file: string, prepare: (database: Database) => void): Database {
  // SQLite takes a file that it may only read for a read-only database, and says so at the first write.
  closeSync(openSync(file, 'a', 0o600));
  const database = new Database(file, { readwrite: true, strict: true });
  try {
    prepare(database);
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}

/** An error of the file system or of SQLite. */
export type Failure = Error & { readonly code?: string };

export const isDenied = ({ code = '' }: Failure): boolean => /^(?:EACCES|EPERM|EROFS|SQLITE_READONLY|SQLITE_CANTOPEN)/.test(code);
/** Another process has the lock. */
export const isBusy = ({ code }: Failure): boolean => code?.startsWith('SQLITE_BUSY') ?? false;

/** What went wrong with the file, for its operator. */
export function reason({ code = '', message }: Failure, file: string): string {
  const reasons: Readonly<Record<string, string>> = {
    ENOENT: `the directory ${dirname(file)} does not exist`,
    ENOTDIR: `${dirname(file)} is not a directory`,
    EISDIR: 'it is a directory',
    EACCES: 'permission denied',
    EPERM: 'permission denied',
    EROFS: 'the file system is read-only',
    ENOSPC: 'the disk is full',
    SQLITE_FULL: 'the disk is full',
    SQLITE_NOTADB: 'it is not a SQLite database',
    SQLITE_CORRUPT: 'it is damaged',
    SQLITE_READONLY: 'it is read-only',
    SQLITE_CANTOPEN: `files beside it cannot be made in ${dirname(file)}`,
    SQLITE_BUSY: 'another process keeps it locked',
    SQLITE_IOERR: `reading or writing failed (${code})`,
  };
  return reasons[code] ?? reasons[code.split('_', 2).join('_')] ?? message.replaceAll(/\s*\n\s*/g, ' ');
}
