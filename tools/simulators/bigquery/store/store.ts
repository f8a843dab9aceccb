/** All tables' rows. Says what a query may see of a table: everything, or, with a staleness allowed, the last background apply. */
import { Catalog, type Dataset, type Table } from '../catalog/catalog.ts';
import type { Row } from './appending.ts';
import { Database, type DatabaseOptions } from './database.ts';
import { TableRows, type Shape } from './table-rows.ts';

export class Store {
  readonly database: Database;
  readonly catalog: Catalog;
  readonly #nowMs: () => number;
  readonly #rows = new Map<number, TableRows>();

  private constructor(database: Database, catalog: Catalog, nowMs: () => number) {
    this.database = database;
    this.catalog = catalog;
    this.#nowMs = nowMs;
    for (const table of catalog.allTables()) this.#rows.set(table.storeId, new TableRows(database, table));
  }

  static async open(options: DatabaseOptions, nowMs: () => number): Promise<Store> {
    const database = await Database.open(options);
    const catalog = new Catalog(database, await database.kept<Dataset>('dataset'), await database.kept<Table>('table'));
    return new Store(database, catalog, nowMs);
  }

  rows(table: Shape): TableRows {
    const rows = this.#rows.get(table.storeId);
    if (rows === undefined) throw new Error(`There are no rows of table ${table.storeId}.`);
    return rows;
  }

  async create(table: Table): Promise<void> {
    const rows = new TableRows(this.database, table);
    await rows.create();
    this.#rows.set(table.storeId, rows);
  }

  async drop(table: Table): Promise<void> {
    const rows = this.rows(table);
    this.#rows.delete(table.storeId);
    await rows.drop();
  }

  async append(table: Table, rows: readonly Row[]): Promise<void> {
    const stored = this.rows(table);
    await stored.append(rows, this.#nowMs());
    if (stored.needsRoom()) void stored.apply(this.#visibleUpToMs(table), this.#nowMs());
  }

  /** To be awaited before a query reads the table. */
  async settle(table: Table): Promise<void> {
    const rows = this.rows(table);
    await rows.flush();
    if (rows.hasChanges) await rows.apply(this.#visibleUpToMs(table), this.#nowMs());
  }

  async close(): Promise<void> {
    for (const rows of this.#rows.values()) await rows.close();
    await this.database.close();
  }

  /**
   * Without `max_staleness` a query merges all changes. With it, background jobs apply the changes once in that interval,
   * counted from the table's creation, and queries see what the last one applied: a baseline at most that old.
   */
  #visibleUpToMs({ createdMs, maxStalenessMs }: Table): number {
    const nowMs = this.#nowMs();
    if (maxStalenessMs === 0) return nowMs;
    return createdMs + Math.floor((nowMs - createdMs) / maxStalenessMs) * maxStalenessMs;
  }
}
