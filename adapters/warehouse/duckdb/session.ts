/**
 * One open database file: the instance, its settings, and the one connection that writes. Settings are locked after
 * opening, and no statement can reach the file system or the network, so a query cannot read or write anything else.
 */
import { stat } from 'node:fs/promises';
import { DuckDBInstance, type DuckDBConnection } from '@duckdb/node-api';
import { DependencyDown } from '#core/errors.ts';
import { openError } from './errors.ts';

export interface SessionOptions {
  readonly path: string;
  /** DuckDB's notation, e.g. `256MB`: for writing and queries together; a query that needs more spills or fails. */
  readonly memoryLimit: string;
  readonly threads: number;
}

export interface Session {
  readonly writer: DuckDBConnection;
  connect(): Promise<DuckDBConnection>;
  walBytes(): Promise<number>;
  close(): void;
}

/** Readable by every DuckDB from this version on; its storage writes a checkpoint a third faster than the oldest one. */
const STORAGE_VERSION = 'v1.4.0';
/** The adapter decides when to checkpoint: inside a commit it would stall that commit's acks. */
const NO_AUTOMATIC_CHECKPOINT = '1TB';
const SPILL_LIMIT = '4GB';

/** DuckDB's file lock does not stop a second opening within one process, which would corrupt the file. */
const openPaths = new Set<string>();

export async function openSession(options: SessionOptions): Promise<Session> {
  const { path } = options;
  if (openPaths.has(path)) throw new DependencyDown('warehouse', 'The warehouse file is already open in this process.');
  openPaths.add(path);
  try {
    const instance = await DuckDBInstance.create(path, settings(options));
    const writer = await instance.connect();
    await writer.run("SET GLOBAL TimeZone = 'UTC'");
    await writer.run('SET GLOBAL lock_configuration = true');
    return {
      writer,
      connect: () => instance.connect(),
      walBytes: () => walBytes(path),
      close() {
        writer.closeSync();
        instance.closeSync();
        openPaths.delete(path);
      },
    };
  } catch (error) {
    openPaths.delete(path);
    throw openError(error, path);
  }
}

function settings(options: SessionOptions): Record<string, string> {
  return {
    memory_limit: options.memoryLimit,
    threads: String(options.threads),
    wal_autocheckpoint: NO_AUTOMATIC_CHECKPOINT,
    storage_compatibility_version: STORAGE_VERSION,
    temp_directory: `${options.path}.tmp`,
    max_temp_directory_size: SPILL_LIMIT,
    preserve_insertion_order: 'false',
    // Last: it forbids setting the folder above.
    enable_external_access: 'false',
  };
}

async function walBytes(path: string): Promise<number> {
  try {
    return (await stat(`${path}.wal`)).size;
  } catch {
    return 0;
  }
}
