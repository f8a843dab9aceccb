/**
 * One company with ground truth, from a seed. Vendors read it as of a commit; only `commit` changes it. The same seed and
 * options give the same company, and the same commits at the same times give the same history.
 */
import { CallBook } from './calls.ts';
import { apply, type Change, type Committed } from './commit.ts';
import { catalogue, parseField, type Catalogue } from './fields.ts';
import { staffOf, type Staff } from './generate/user.ts';
import { OBJECT_NAMES, parseId, recordId, type ObjectName } from './ids.ts';
import { mix32 } from './random.ts';
import type { Shape } from './row.ts';
import { Table, type Cursor } from './table.ts';

export interface WorldOptions {
  readonly seed: number;
  readonly contacts: number;
  /** `Field_01__c` to `Field_NN__c` on Contact; at most 40. Default 0. */
  readonly contactCustomFields?: number;
  /** When the company's history ends; what happens live comes after. Default 2025-01-01, so that it lies in the past. */
  readonly epochMs?: number;
  /** A committed change shows in reads only this much later. Default 0; may be set while running. */
  readonly readLagMs?: number;
  /** A commit follows its `SystemModstamp` by up to this; at most 2,000. Default 0; may be set while running. */
  readonly commitDelayMs?: number;
  /** Milliseconds since 1970. */
  readonly now?: () => number;
}

export interface Transaction {
  readonly changes: readonly Change[];
  /** A user's id; default the first user. */
  readonly userId?: string;
  /** As in a change event's `changeOrigin`; empty when made in the browser. */
  readonly origin?: string;
}

export interface Commit {
  readonly commitMs: number;
  readonly commitNumber: number;
  readonly transactionKey: string;
  readonly userId: string;
  readonly origin: string;
  readonly changes: readonly Committed[];
}

const HOUR_MS = 3_600_000;

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
  readonly #recent: { readonly ms: number; readonly number: number }[] = [];
  readonly #pins = new Map<symbol, { readonly number: number; readonly untilMs: number }>();
  #lastMs = 0;
  #lastNumber: number;

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
    this.#lastNumber = 10_000_000 + mix32(this.shape.seed, 1) / 8;
    this.#lastNumber -= this.#lastNumber % 1;
    this.calls = new CallBook(this);
  }

  /** The commit number of all that is readable now: what was committed at least `readLagMs` ago. */
  readable(): number {
    return this.readLagMs === 0 ? this.#lastNumber : this.readableAt(this.now() - this.readLagMs);
  }

  /** The commit number of the last commit at or before a time, within the last hour. */
  readableAt(ms: number): number {
    const index = this.#recent.findLastIndex((commit) => commit.ms <= ms);
    return index >= 0 ? this.#recent[index]!.number : (this.#recent[0]?.number ?? this.#lastNumber + 1) - 1;
  }

  /** Of all that has been committed: the truth. */
  latest(): number {
    return this.#lastNumber;
  }

  /** Keeps what a reader as of that commit sees, for an hour or until released. */
  pin(number: number): () => void {
    const key = Symbol();
    this.#pins.set(key, { number, untilMs: this.now() + HOUR_MS });
    return () => this.#pins.delete(key);
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

  /** Applies all changes at one moment, or throws and applies none. */
  commit(transaction: Transaction): Commit {
    const userId = transaction.userId ?? recordId('User', 0);
    const commitMs = Math.max(this.now(), this.#lastMs);
    const number = this.#lastNumber + 1 + (mix32(this.shape.seed, this.#lastNumber) % 5);
    const delay = this.commitDelayMs === 0 ? 0 : mix32(number, this.shape.seed) % (this.commitDelayMs + 1);
    const staged = new Map<
      string,
      { readonly table: Table; readonly index: number; patch: Patched; isPurged: boolean }
    >();
    const changes = transaction.changes.map((change) => {
      const { table, index, cursor, sinceMs } = this.#target(change, staged);
      // A statement waits for the commit that last locked the record.
      const modifiedMs = Math.floor(Math.max(commitMs - delay, sinceMs) / 1_000) * 1_000;
      const { undeleteKeepsModstamp } = this;
      const { patch, ...committed } = apply(change, table, cursor, index, {
        modifiedMs,
        userId,
        undeleteKeepsModstamp,
      });
      staged.set(committed.id, { table, index, patch, isPurged: change.kind === 'purge' });
      return committed;
    });
    this.#lastMs = commitMs;
    this.#lastNumber = number;
    const horizon = this.#horizon();
    for (const { table, index, patch, isPurged } of staged.values())
      table.put(index, { commitNumber: number, commitMs, patch, isPurged }, horizon);
    return this.#announce({
      commitMs,
      commitNumber: number,
      transactionKey: keyOf(number),
      userId,
      origin: transaction.origin ?? '',
      changes,
    });
  }

  /** Changes every record of an object in one go (title and way of writing numbers), at no memory. */
  rewriteAll(object: ObjectName): Commit {
    const table = this.tables[object];
    const cursor = table.cursor();
    const touched = table.touched().filter((index) => cursor.move(index, this.#lastNumber) && !cursor.isDeleted);
    const changes = touched.map((index): Change => ({
      kind: 'update',
      object,
      id: recordId(object, index),
      values: { Description: `Rewritten ${table.waves.length + 1}` },
    }));
    const commit = this.commit({ changes, origin: 'com/salesforce/api/bulkapi/62.0;client=loader' });
    table.waves.push({ commitNumber: commit.commitNumber, modifiedMs: Math.floor(commit.commitMs / 1_000) * 1_000 });
    return commit;
  }

  /** Adds a field as an administrator would; it is empty everywhere. `definition` as in fields.ts. */
  addField(object: ObjectName, definition: string): void {
    this.fields[object].push(parseField(definition));
  }

  /** The company's people as the telephone system knows them. */
  staff(): readonly Staff[] {
    return Array.from({ length: this.shape.users }, (_, index) => staffOf(index, this.shape));
  }

  #target(
    change: Change,
    staged: ReadonlyMap<string, unknown>,
  ): { table: Table; index: number; cursor: Cursor; sinceMs: number } {
    const table = this.tables[change.object];
    const cursor = table.cursor();
    if (change.kind === 'create') return { table, index: table.nextIndex(), cursor, sinceMs: 0 };
    const index = parseId(change.id)?.index ?? -1;
    if (!cursor.move(index, this.#lastNumber)) throw new Error(`There is no ${change.object} ${change.id}.`);
    if (cursor.isDeleted !== (change.kind === 'undelete' || change.kind === 'purge'))
      throw new Error(`${change.id} cannot be given ${change.kind}: it is ${cursor.isDeleted ? '' : 'not '}deleted.`);
    if (staged.has(cursor.id)) throw new Error(`${change.id} is changed twice in one transaction.`);
    return { table, index, cursor, sinceMs: table.latest(index)?.commitMs ?? 0 };
  }

  #announce(commit: Commit): Commit {
    this.#recent.push({ ms: commit.commitMs, number: commit.commitNumber });
    if (this.#recent.length > 20_000 && this.#recent[10_000]!.ms < commit.commitMs - HOUR_MS)
      this.#recent.splice(0, 10_000);
    for (const listener of this.#listeners) listener(commit);
    return commit;
  }

  #horizon(): number {
    const now = this.now();
    let horizon = this.readableAt(now - Math.max(60_000, this.readLagMs));
    for (const [key, pin] of this.#pins) {
      if (pin.untilMs < now) this.#pins.delete(key);
      else horizon = Math.min(horizon, pin.number);
    }
    return horizon;
  }
}

type Patched = ReturnType<typeof apply>['patch'];

export function createWorld(options: WorldOptions): World {
  return new World(options);
}

function keyOf(number: number): string {
  const half = (salt: number): string => mix32(number, salt).toString(16).padStart(8, '0');
  return `${half(1)}-${half(2).slice(0, 4)}-${half(2).slice(4)}-${half(3).slice(0, 4)}-${half(3).slice(4)}${half(4)}`;
}

function shapeOf({ seed, contacts, epochMs = Date.UTC(2025, 0, 1) }: WorldOptions): Shape {
  const share = (part: number): number => Math.max(1, Math.ceil(contacts / part));
  return {
    seed,
    contacts,
    accounts: share(8),
    leads: share(5),
    opportunities: share(10),
    users: 20 + (mix32(seed, 2) % 31),
    tasks: share(4),
    events: share(10),
    calls: share(10),
    epochMs,
  };
}

function baseCounts(shape: Shape): Readonly<Record<ObjectName, number>> {
  return {
    Account: shape.accounts,
    Contact: shape.contacts,
    Lead: shape.leads,
    Opportunity: shape.opportunities,
    User: shape.users,
    Task: shape.tasks,
    Event: shape.events,
  };
}
