/**
 * A connection for one query, which can be stopped at any moment. DuckDB forgets an interrupt that comes just before a
 * call begins, and a connection must not be closed within a call: so a stop interrupts until no call runs, then closes.
 */
import type { DuckDBConnection } from '@duckdb/node-api';
import type { Clock } from '#core/clock.ts';

const INTERRUPT_AGAIN_MS = 20;

export class Reader {
  readonly #connection: DuckDBConnection;
  readonly #clock: Clock;
  #running: Promise<unknown> | undefined;
  #stopped: { readonly reason: Error } | undefined;

  constructor(connection: DuckDBConnection, clock: Clock) {
    this.#connection = connection;
    this.#clock = clock;
  }

  /** One call at a time. Throws the reason of a stop, before the call or in place of its failure. */
  async run<T>(call: (connection: DuckDBConnection) => Promise<T>): Promise<T> {
    this.#throwIfStopped();
    const running = call(this.#connection);
    this.#running = running;
    try {
      return await running;
    } catch (error) {
      this.#throwIfStopped();
      throw error;
    } finally {
      this.#running = undefined;
    }
  }

  #throwIfStopped(): void {
    if (this.#stopped !== undefined) throw this.#stopped.reason;
  }

  /** Resolves when no call runs and the connection is closed. The first reason counts. */
  async stop(reason: Error): Promise<void> {
    if (this.#stopped !== undefined) return;
    this.#stopped = { reason };
    while (this.#running !== undefined) {
      this.#connection.interrupt();
      const ended = this.#running.then(nothing, nothing);
      await Promise.race([ended, this.#clock.sleep(INTERRUPT_AGAIN_MS)]);
    }
    this.#connection.closeSync();
  }
}

function nothing(): void {
  // Whatever became of the call, its own caller is told.
}
