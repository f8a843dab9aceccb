/** Transactions, and what SQLite's failures mean for whoever called. */
import type { DatabaseSync } from 'node:sqlite';
import { DependencyDown, Transient, TributaryError } from '#core/errors.ts';

/** Primary result codes, https://sqlite.org/rescode.html */
const BUSY = 5;
const LOCKED = 6;
const IO_ERROR = 10;
const FULL = 13;
const CANNOT_OPEN = 14;

export function transaction<T>(database: DatabaseSync, work: () => T): T {
  database.exec('BEGIN IMMEDIATE');
  try {
    const result = work();
    database.exec('COMMIT');
    return result;
  } catch (error) {
    // A full disk may have rolled back already.
    if (database.isTransaction) database.exec('ROLLBACK');
    throw error;
  }
}

export function brokerError(error: unknown): TributaryError {
  if (error instanceof TributaryError) return error;
  const code = sqliteCode(error);
  if (code === FULL || code === IO_ERROR || code === CANNOT_OPEN) {
    return new DependencyDown('disk', 'The broker cannot write its file: make room on the disk.', { cause: error });
  }
  if (code === BUSY || code === LOCKED) {
    return new Transient('broker_busy', 'Another process held the broker’s file for too long: try again.', {
      cause: error,
    });
  }
  return new DependencyDown('broker', 'The broker failed: see the cause, and check its file.', { cause: error });
}

function sqliteCode(error: unknown): number | undefined {
  if (typeof error !== 'object' || error === null || !('errcode' in error)) return undefined;
  return typeof error.errcode === 'number' ? error.errcode & 0xff : undefined;
}
