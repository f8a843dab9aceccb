/**
 * The broker's file: SQLite in WAL mode with `synchronous=NORMAL`. A commit writes to the write-ahead log only, which
 * survives kill -9; what must survive power loss waits for `walSync` besides. After a power cut SQLite keeps the log up
 * to the first torn page, by its checksums: a suffix of all commits is lost, acks and the publishes before them together.
 */
import { closeSync, fsyncSync, mkdirSync, openSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { Misconfigured } from '#core/errors.ts';

const SCHEMA_VERSION = 1;
/** How long another thread's or process's transaction is waited for; theirs take milliseconds. */
const BUSY_MS = 10_000;
/** 16 MB: longer logs make fewer, larger stalls (a checkpoint of this size takes 10 to 25 ms). */
const CHECKPOINT_PAGES = 4_000;
const PAGE_BYTES = 4_096;

const SCHEMA = `
  CREATE TABLE topics (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
  CREATE TABLE partitions (
    id INTEGER PRIMARY KEY, topic INTEGER NOT NULL, lane TEXT NOT NULL, addressee TEXT NOT NULL,
    next INTEGER NOT NULL, messages INTEGER NOT NULL, bytes INTEGER NOT NULL, published_ms INTEGER NOT NULL,
    UNIQUE (topic, lane, addressee));
  CREATE TABLE frames (
    id INTEGER PRIMARY KEY, published_ms INTEGER NOT NULL, count INTEGER NOT NULL, bytes INTEGER NOT NULL,
    messages_before INTEGER NOT NULL, bytes_before INTEGER NOT NULL,
    compressed INTEGER NOT NULL, crc INTEGER NOT NULL, data BLOB NOT NULL);
  CREATE TABLE subscriptions (
    id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, topic INTEGER NOT NULL, lane TEXT NOT NULL,
    service TEXT NOT NULL, sharing TEXT NOT NULL, generation INTEGER NOT NULL, expires_ms INTEGER);
  CREATE TABLE cursors (
    subscription INTEGER NOT NULL, partition INTEGER NOT NULL, frame INTEGER NOT NULL, handed_to INTEGER NOT NULL,
    messages_done INTEGER NOT NULL, bytes_done INTEGER NOT NULL, PRIMARY KEY (subscription, partition)) WITHOUT ROWID;
  CREATE TABLE exceptions (
    subscription INTEGER NOT NULL, frame INTEGER NOT NULL, acked BLOB, crashes INTEGER NOT NULL,
    PRIMARY KEY (subscription, frame)) WITHOUT ROWID;
  PRAGMA user_version = ${SCHEMA_VERSION};
`;

export function openDatabase(path: string, diskLimitBytes: number): DatabaseSync {
  const file = resolve(path);
  mkdirSync(dirname(file), { recursive: true });
  const database = new DatabaseSync(file, { timeout: BUSY_MS });
  database.exec(`PRAGMA page_size = ${PAGE_BYTES}; PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;
    PRAGMA wal_autocheckpoint = ${CHECKPOINT_PAGES}; PRAGMA cache_size = -16384;
    PRAGMA max_page_count = ${Math.ceil(diskLimitBytes / PAGE_BYTES)};`);
  createSchema(database, file);
  return database;
}

function createSchema(database: DatabaseSync, file: string): void {
  database.exec('BEGIN IMMEDIATE');
  try {
    const version = numberOf(database, 'PRAGMA user_version', 'user_version');
    if (version === 0) database.exec(SCHEMA);
    else if (version !== SCHEMA_VERSION) throw wrongVersion(version);
    database.exec('COMMIT');
  } catch (error) {
    database.exec('ROLLBACK');
    database.close();
    throw error;
  }
  syncFolder(dirname(file));
}

function wrongVersion(version: number): Misconfigured {
  const text = `The broker's file has format ${version}, this program writes ${SCHEMA_VERSION}: drain it with the program that wrote it.`;
  return new Misconfigured('broker_format', text);
}

/** A new file's name must survive power loss too. */
function syncFolder(folder: string): void {
  const descriptor = openSync(folder, 'r');
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

export function numberOf(database: DatabaseSync, sql: string, column: string): number {
  return Number(database.prepare(sql).get()?.[column] ?? 0);
}
