import { Database } from 'bun:sqlite';
import { closeSync, openSync } from 'node:fs';
import { dirname } from 'node:path';

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
