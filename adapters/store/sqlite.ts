/**
 * Checkpoints and leases in one SQLite file. `synchronous = FULL` makes every write durable against power loss before it
 * resolves. A generation is the number of the write, from one counter for all keys that never starts again, so a value
 * deleted and written anew has a new generation too.
 */
import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { DependencyDown } from '#core/errors.ts';
import type { StoredValue, StorePort } from '#core/ports/store.ts';

export interface SqliteStore extends StorePort {
  close(): void;
}

const SCHEMA = `
  CREATE TABLE IF NOT EXISTS entry (key TEXT PRIMARY KEY, value TEXT NOT NULL, generation INTEGER NOT NULL) STRICT;
  CREATE TABLE IF NOT EXISTS counter (generation INTEGER NOT NULL) STRICT;
  INSERT INTO counter SELECT 0 WHERE NOT EXISTS (SELECT 1 FROM counter);
`;
/** How long a write waits for another process's write to end. */
const BUSY_TIMEOUT_MS = 2_000;

/** Several processes may open the same file: writes are conditional, so they fence each other. */
export function openSqliteStore(path: string): SqliteStore {
  return guarded(() => {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    const database = new DatabaseSync(path, { timeout: BUSY_TIMEOUT_MS });
    database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;');
    database.exec(SCHEMA);
    return storeOn(database);
  });
}

function storeOn(database: DatabaseSync): SqliteStore {
  const select = database.prepare('SELECT value, generation FROM entry WHERE key = ?');
  const next = database.prepare('UPDATE counter SET generation = generation + 1 RETURNING generation');
  const insert = database.prepare('INSERT INTO entry VALUES (?, ?, ?) ON CONFLICT DO NOTHING');
  const update = database.prepare('UPDATE entry SET value = ?, generation = ? WHERE key = ? AND generation = ?');
  const remove = database.prepare('DELETE FROM entry WHERE key = ? AND generation = ?');
  const keys = database.prepare('SELECT key FROM entry WHERE substr(key, 1, length(?1)) = ?1 ORDER BY key');

  function put(key: string, value: string, ifGeneration: string | null): string | undefined {
    database.exec('BEGIN IMMEDIATE');
    try {
      const generation = next.get()?.generation as number;
      const { changes } =
        ifGeneration === null
          ? insert.run(key, value, generation)
          : update.run(value, generation, key, generationNumber(ifGeneration));
      database.exec('COMMIT');
      return changes === 1 ? String(generation) : undefined;
    } catch (error) {
      if (database.isTransaction) database.exec('ROLLBACK');
      throw error;
    }
  }

  return {
    get: async (key) => guarded(() => stored(select.get(key))),
    put: async (key, value, ifGeneration) => guarded(() => put(key, value, ifGeneration)),
    delete: async (key, ifGeneration) => guarded(() => remove.run(key, generationNumber(ifGeneration)).changes === 1),
    list: async (prefix) => guarded(() => keys.all(prefix).map((row) => row.key as string)),
    close: () => database.close(),
  };
}

function stored(row: Record<string, unknown> | undefined): StoredValue | undefined {
  return row === undefined ? undefined : { value: row.value as string, generation: String(row.generation) };
}

/** A generation that is not ours matches nothing. */
function generationNumber(generation: string): number {
  return /^\d{1,15}$/.test(generation) ? Number(generation) : -1;
}

function guarded<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw new DependencyDown(
      'store',
      'The store of checkpoints cannot be used: look at the free space and the rights of the state folder.',
      { cause: error },
    );
  }
}
