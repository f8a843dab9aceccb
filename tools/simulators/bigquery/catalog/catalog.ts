/**
 * Datasets and tables by name: what the service knows beside the rows. Kept in memory and written to the database with
 * every change, so that a simulator on a file finds its tables again.
 */
import type { Json } from '../json.ts';
import { duplicate, notFound } from '../refused.ts';
import type { Field } from './fields.ts';

export interface DatasetRef {
  readonly projectId: string;
  readonly datasetId: string;
}

export interface TableRef extends DatasetRef {
  readonly tableId: string;
}

export interface Dataset {
  readonly ref: DatasetRef;
  readonly location: string;
  readonly settings: Json;
  readonly createdMs: number;
  readonly modifiedMs: number;
}

export interface Table {
  readonly ref: TableRef;
  readonly kind: 'TABLE' | 'VIEW';
  /** Names the table in DuckDB; another one after every creation, so that a table made anew never sees old rows. */
  readonly storeId: number;
  readonly fields: readonly Field[];
  readonly primaryKey: readonly string[];
  /** GoogleSQL of a view. */
  readonly query: string | null;
  readonly maxStalenessMs: number;
  /** Settable properties as they were given: description, timePartitioning, clustering, labels, … */
  readonly settings: Json;
  readonly createdMs: number;
  readonly modifiedMs: number;
  /** When each column came that was not there from the start: the write backend learns of it later. */
  readonly addedMs: Readonly<Record<string, number>>;
}

/** Where the catalog is kept. Calls are made in the order of the changes. */
export interface Shelf {
  put(kind: 'dataset' | 'table', key: string, value: Dataset | Table): Promise<void>;
  remove(kind: 'dataset' | 'table', key: string): Promise<void>;
}

const datasetKey = (ref: DatasetRef) => `${ref.projectId}:${ref.datasetId}`;
const tableKey = (ref: TableRef) => `${ref.projectId}:${ref.datasetId}.${ref.tableId}`;

export class Catalog {
  readonly #shelf: Shelf;
  readonly #datasets: Map<string, Dataset>;
  readonly #tables: Map<string, Table>;
  #nextStoreId: number;

  constructor(shelf: Shelf, datasets: readonly Dataset[], tables: readonly Table[]) {
    this.#shelf = shelf;
    this.#datasets = new Map(datasets.map((dataset) => [datasetKey(dataset.ref), dataset]));
    this.#tables = new Map(tables.map((table) => [tableKey(table.ref), table]));
    this.#nextStoreId = 1 + Math.max(0, ...tables.map((table) => table.storeId));
  }

  nextStoreId(): number {
    return this.#nextStoreId++;
  }

  datasets(projectId: string): readonly Dataset[] {
    return [...this.#datasets.values()].filter((dataset) => dataset.ref.projectId === projectId);
  }

  findDataset(ref: DatasetRef): Dataset | undefined {
    return this.#datasets.get(datasetKey(ref));
  }

  dataset(ref: DatasetRef): Dataset {
    const dataset = this.findDataset(ref);
    if (dataset === undefined) throw notFound(`Not found: Dataset ${datasetKey(ref)}`);
    return dataset;
  }

  async addDataset(dataset: Dataset): Promise<void> {
    if (this.findDataset(dataset.ref) !== undefined)
      throw duplicate(`Already Exists: Dataset ${datasetKey(dataset.ref)}`);
    await this.putDataset(dataset);
  }

  async putDataset(dataset: Dataset): Promise<void> {
    this.#datasets.set(datasetKey(dataset.ref), dataset);
    await this.#shelf.put('dataset', datasetKey(dataset.ref), dataset);
  }

  async removeDataset(ref: DatasetRef): Promise<void> {
    this.#datasets.delete(datasetKey(ref));
    await this.#shelf.remove('dataset', datasetKey(ref));
  }

  tables(ref: DatasetRef): readonly Table[] {
    const own = [...this.#tables.values()].filter(
      ({ ref: at }) => at.projectId === ref.projectId && at.datasetId === ref.datasetId,
    );
    return own.sort((a, b) => (a.ref.tableId < b.ref.tableId ? -1 : 1));
  }

  allTables(): readonly Table[] {
    return [...this.#tables.values()];
  }

  findTable(ref: TableRef): Table | undefined {
    return this.#tables.get(tableKey(ref));
  }

  table(ref: TableRef): Table {
    const table = this.findTable(ref);
    if (table !== undefined) return table;
    this.dataset(ref);
    throw notFound(`Not found: Table ${tableKey(ref)}`);
  }

  async addTable(table: Table): Promise<void> {
    this.dataset(table.ref);
    if (this.findTable(table.ref) !== undefined) throw duplicate(`Already Exists: Table ${tableKey(table.ref)}`);
    await this.putTable(table);
  }

  async putTable(table: Table): Promise<void> {
    this.#tables.set(tableKey(table.ref), table);
    await this.#shelf.put('table', tableKey(table.ref), table);
  }

  async removeTable(ref: TableRef): Promise<void> {
    this.#tables.delete(tableKey(ref));
    await this.#shelf.remove('table', tableKey(ref));
  }
}

/** `project:dataset.table`, as the service names a table in its messages and ids. */
export const nameOf = tableKey;
export const datasetNameOf = datasetKey;
