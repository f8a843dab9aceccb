/**
 * One object's records: the first ones made from the seed when asked for, and over them what was committed since. Each
 * commit leaves a version, so that a reader sees the table as of a commit number, however long it reads.
 */
import type { Field } from './fields.ts';
import { generatorOf } from './generate/index.ts';
import { SALTS } from './generate/salts.ts';
import { recordId, type ObjectName } from './ids.ts';
import { Row, type Generate, type Shape, type Value } from './row.ts';

export type Patch = Readonly<Record<string, Value>>;

/** A record after a commit: what differs from the record as generated, or for a created one all that is not empty. */
export interface Version {
  readonly commitNumber: number;
  readonly commitMs: number;
  readonly patch: Patch;
  /** Gone for good: only the list of deletions knows it. */
  readonly isPurged: boolean;
}

/** All records rewritten at once. */
export interface Wave {
  readonly commitNumber: number;
  readonly modifiedMs: number;
}

const EMPTY = (field: Field): Value => (field.type === 'boolean' ? false : null);

export class Table {
  readonly object: ObjectName;
  readonly fields: readonly Field[];
  /** Records made from the seed; later ones have higher indexes. */
  readonly baseCount: number;
  readonly shape: Shape;
  readonly waves: Wave[] = [];
  readonly #versions = new Map<number, readonly Version[]>();
  readonly #generators = new Map<string, Generate>();
  readonly #byName = new Map<string, Field>();
  #size: number;

  constructor(object: ObjectName, fields: readonly Field[], baseCount: number, shape: Shape) {
    this.object = object;
    this.fields = fields;
    this.baseCount = baseCount;
    this.shape = shape;
    this.#size = baseCount;
  }

  /** One more than the highest index in use. */
  get size(): number {
    return this.#size;
  }

  field(name: string): Field | undefined {
    // The list grows when an administrator adds a field.
    if (this.#byName.size !== this.fields.length) for (const field of this.fields) this.#byName.set(field.name, field);
    return this.#byName.get(name);
  }

  generator(name: string): Generate {
    let generate = this.#generators.get(name);
    if (generate === undefined) {
      const field = this.field(name);
      if (field === undefined) throw new Error(`${this.object} has no field ${name}.`);
      this.#generators.set(name, (generate = generatorOf(this.object, field)));
    }
    return generate;
  }

  /** Indexes that have been committed to since the company was made, in order. */
  touched(): number[] {
    return [...this.#versions.keys()].sort((a, b) => a - b);
  }

  nextIndex(): number {
    return this.#size++;
  }

  latest(index: number): Version | undefined {
    return this.#versions.get(index)?.at(-1);
  }

  versionAt(index: number, commitNumber: number): Version | undefined {
    const versions = this.#versions.get(index);
    if (versions === undefined) return undefined;
    for (let i = versions.length - 1; i >= 0; i--) if (versions[i]!.commitNumber <= commitNumber) return versions[i];
    return undefined;
  }

  /** Adds a version, and forgets those no reader at or after `horizon` can see. */
  put(index: number, version: Version, horizon: number): void {
    const versions = this.#versions.get(index) ?? [];
    const keepFrom = Math.max(
      0,
      versions.findLastIndex((older) => older.commitNumber <= horizon),
    );
    this.#versions.set(index, [...versions.slice(keepFrom), version]);
  }

  cursor(): Cursor {
    return new Cursor(this);
  }
}

/** A place in a table as of a commit. Move it, then ask for values; it makes no object per record. */
export class Cursor {
  readonly table: Table;
  readonly row: Row;
  /** Null when the record is as it was generated. */
  patch: Patch | null = null;
  #commitNumber = -1;
  #wave = 0;
  #waveMs = 0;

  constructor(table: Table) {
    this.table = table;
    this.row = new Row(table.shape, SALTS[table.object]);
  }

  /** False when there is no such record as of that commit, or it has been deleted for good. */
  move(index: number, commitNumber: number): boolean {
    const { table } = this;
    if (commitNumber !== this.#commitNumber) this.#see(commitNumber);
    const version = table.versionAt(index, commitNumber);
    if (version === undefined ? index >= table.baseCount || index < 0 : version.isPurged) return false;
    this.patch = version?.patch ?? null;
    this.row.set(index, this.#wave, this.#waveMs);
    return true;
  }

  get index(): number {
    return this.row.index;
  }

  get id(): string {
    return recordId(this.table.object, this.row.index);
  }

  get(field: string): Value {
    const value = this.patch?.[field];
    if (value !== undefined) return value;
    if (this.row.index >= this.table.baseCount) return field === 'Id' ? this.id : EMPTY(this.table.field(field)!);
    return this.table.generator(field)(this.row);
  }

  get isDeleted(): boolean {
    return this.table.field('IsDeleted') !== undefined && this.get('IsDeleted') === true;
  }

  /** All values by field, compound addresses left out. */
  record(): Record<string, Value> {
    const record: Record<string, Value> = {};
    for (const field of this.table.fields) if (field.type !== 'address') record[field.name] = this.get(field.name);
    return record;
  }

  #see(commitNumber: number): void {
    const seen = this.table.waves.filter((wave) => wave.commitNumber <= commitNumber);
    this.#commitNumber = commitNumber;
    this.#wave = seen.length;
    this.#waveMs = seen.at(-1)?.modifiedMs ?? 0;
  }
}
