/**
 * One company with ground truth, from a seed. Vendors read it as of a commit; only `commit` changes it. The same seed and
 * options give the same company, and the same commits at the same times give the same history.
 */
import { CallBook } from './calls.ts';
import { apply, type Change, type Committed } from './commit.ts';
import { History } from './history.ts';
import type { Commit, Entry, Transaction, WorldOptions } from './model.ts';
import { catalogue, parseField, type Catalogue } from './fields.ts';
import { staffOf, type Staff } from './generate/user.ts';
import { OBJECT_NAMES, parseId, recordId, type ObjectName } from './ids.ts';
import { baseCounts, shapeOf } from './shape.ts';
import { mix32 } from './random.ts';
import type { Shape } from './row.ts';
import { Table, type Cursor, type Patch } from './table.ts';

export class World {
  readonly shape: Shape;
  readonly fields: Catalogue;
  readonly tables: Readonly<Record<ObjectName, Table>>;
  readonly calls: CallBook;
  readonly now: () => number;
  readLagMs: number;
  commitDelayMs: number;
  undeleteKeepsModstamp = false;
  readonly #listeners: ((commit: Commit) => void)[] = [];
  readonly #journals: ((entry: Entry) => void)[] = [];
  readonly #history: History;

  constructor(options: WorldOptions) {
    this.shape = shapeOf(options);
    this.fields = catalogue(options.contactCustomFields ?? 0);
    const counts = baseCounts(this.shape);
    const tables = OBJECT_NAMES.map(
      (name) => [name, new Table(name, this.fields[name], counts[name], this.shape)] as const,
    );
    this.tables = Object.fromEntries(tables) as Record<ObjectName, Table>;
    this.now = options.now ?? Date.now;
    this.readLagMs = options.readLagMs ?? 0;
    this.commitDelayMs = options.commitDelayMs ?? 0;
    this.#history = new History(10_000_000 + Math.floor(mix32(this.shape.seed, 1) / 8));
    this.calls = new CallBook(this);
  }

  /** The commit number of all that is readable now: what was committed at least `readLagMs` ago. */
  readable(): number {
    return this.readLagMs === 0 ? this.latest() : this.#history.numberAt(this.now() - this.readLagMs);
  }

  /** Of all that has been committed: the truth. */
  latest(): number {
    return this.#history.last.number;
  }

  /** Keeps what a reader as of that commit sees, for an hour or until the returned function is called. */
  pin(number: number): () => void {
    return this.#history.pin(number, this.now());
  }

  onCommit(listener: (commit: Commit) => void): void {
    this.#listeners.push(listener);
  }

  /** The cursor on a record as of now; null when there is none (deleted for good, or never was). */
  find(id: string, number = this.latest()): Cursor | null {
    const parsed = parseId(id);
    if (parsed === undefined) return null;
    const cursor = this.tables[parsed.object].cursor();
    return cursor.move(parsed.index, number) ? cursor : null;
  }

  /** What happened, for a journal: every commit and call, in order. */
  onEntry(listener: (entry: Entry) => void): void {
    this.#journals.push(listener);
  }

  /** Applies all changes at one moment, or throws and applies none. A moment in the past is for a journal's replay. */
  commit(transaction: Transaction, moment: { readonly ms: number; readonly delayMs: number } = this.#moment()): Commit {
    const last = this.#history.last;
    const commitMs = Math.max(moment.ms, last.ms);
    const number = last.number + 1 + (mix32(this.shape.seed, last.number) % 5);
    const userId = transaction.userId ?? recordId('User', 0);
    const staged = this.#stage(transaction.changes, { userId, statementMs: commitMs - moment.delayMs });
    this.#history.record({ ms: commitMs, number });
    const horizon = this.#history.horizon(this.now(), this.readLagMs);
    for (const { table, index, patch, isPurged } of staged)
      table.put(index, { commitNumber: number, commitMs, patch, isPurged }, horizon);
    const { rewritten = null, origin = '' } = transaction;
    if (rewritten !== null)
      this.tables[rewritten].waves.push({ commitNumber: number, modifiedMs: Math.floor(commitMs / 1_000) * 1_000 });
    this.tell({ kind: 'commit', ms: commitMs, delayMs: moment.delayMs, transaction });
    const changes = staged.map(({ committed }) => committed);
    const commit = {
      commitMs,
      commitNumber: number,
      transactionKey: keyOf(number),
      userId,
      origin,
      changes,
      rewritten,
    };
    for (const listener of this.#listeners) listener(commit);
    return commit;
  }

  /** Changes every record of an object in one go, at no memory for those that were as generated. */
  rewriteAll(object: ObjectName): Commit {
    const table = this.tables[object];
    const cursor = table.cursor();
    const touched = table.touched().filter((index) => cursor.move(index, this.latest()) && !cursor.isDeleted);
    const values = { Description: `Rewritten ${table.waves.length + 1}` };
    const changes = touched.map((index): Change => ({ kind: 'update', object, id: recordId(object, index), values }));
    return this.commit({ changes, origin: 'com/salesforce/api/bulkapi/62.0;client=loader', rewritten: object });
  }

  tell(entry: Entry): void {
    for (const listener of this.#journals) listener(entry);
  }

  /** Adds a field as an administrator would; it is empty everywhere. `definition` as in fields.ts. */
  addField(object: ObjectName, definition: string): void {
    this.fields[object].push(parseField(definition));
  }

  /** The company's people as the telephone system knows them. */
  staff(): readonly Staff[] {
    return Array.from({ length: this.shape.users }, (_, index) => staffOf(index, this.shape));
  }

  #moment(): { readonly ms: number; readonly delayMs: number } {
    const delayMs = this.commitDelayMs === 0 ? 0 : mix32(this.latest(), this.shape.seed) % (this.commitDelayMs + 1);
    return { ms: this.now(), delayMs };
  }

  #stage(changes: readonly Change[], by: { readonly userId: string; readonly statementMs: number }): readonly Staged[] {
    const staged = new Map<string, Staged>();
    for (const change of changes) {
      const { table, index, cursor, sinceMs } = this.#target(change);
      // A statement waits for the commit that last locked the record.
      const modifiedMs = Math.floor(Math.max(by.statementMs, sinceMs) / 1_000) * 1_000;
      const { undeleteKeepsModstamp } = this;
      const stamp = { modifiedMs, userId: by.userId, undeleteKeepsModstamp };
      const { patch, ...committed } = apply(change, table, cursor, index, stamp);
      if (staged.has(committed.id)) throw new Error(`${committed.id} is changed twice in one transaction.`);
      staged.set(committed.id, { table, index, patch, isPurged: change.kind === 'purge', committed });
    }
    return [...staged.values()];
  }

  #target(change: Change): { table: Table; index: number; cursor: Cursor; sinceMs: number } {
    const table = this.tables[change.object];
    const cursor = table.cursor();
    if (change.kind === 'create') return { table, index: table.nextIndex(), cursor, sinceMs: 0 };
    const index = parseId(change.id)?.index ?? -1;
    if (!cursor.move(index, this.latest())) throw new Error(`There is no ${change.object} ${change.id}.`);
    if (cursor.isDeleted !== (change.kind === 'undelete' || change.kind === 'purge'))
      throw new Error(`${change.id} cannot be given ${change.kind}: it is ${cursor.isDeleted ? '' : 'not '}deleted.`);
    return { table, index, cursor, sinceMs: table.latest(index)?.commitMs ?? 0 };
  }
}

interface Staged {
  readonly table: Table;
  readonly index: number;
  readonly patch: Patch;
  readonly isPurged: boolean;
  readonly committed: Committed;
}

export function createWorld(options: WorldOptions): World {
  return new World(options);
}

function keyOf(number: number): string {
  const half = (salt: number): string => mix32(number, salt).toString(16).padStart(8, '0');
  return `${half(1)}-${half(2).slice(0, 4)}-${half(2).slice(4)}-${half(3).slice(0, 4)}-${half(3).slice(4)}${half(4)}`;
}
