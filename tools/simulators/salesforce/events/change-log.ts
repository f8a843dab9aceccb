/**
 * What subscribers can read: the events of all commits, kept for a time, each under an opaque replay id. A transaction gives
 * one event a record; the same change to several records of it is merged into one event with several ids.
 */
import type { Commit, Committed, ObjectName, World } from '../../world/index.ts';
import { OBJECT_NAMES, mix32 } from '../../world/index.ts';
import { bitmaps, type FieldPlace } from './bitmap.ts';
import { eventSchema, type EventSchema } from './schema.ts';

export interface LogEntry {
  readonly replayId: number;
  readonly object: ObjectName;
  readonly atMs: number;
  readonly schemaId: string;
  readonly payload: Buffer;
}

export type GapKind = 'GAP_CREATE' | 'GAP_UPDATE' | 'GAP_DELETE' | 'GAP_UNDELETE' | 'GAP_OVERFLOW';
export type Damage = 'unknown_schema' | 'undecodable';

interface Header {
  readonly object: ObjectName;
  readonly recordIds: readonly string[];
  readonly changeType: string;
  readonly commit: Pick<Commit, 'commitMs' | 'commitNumber' | 'transactionKey' | 'userId' | 'origin'>;
  readonly sequenceNumber: number;
}

const NO_ID = '000000000000000AAA';
const MOST_KEPT = 300_000;
const EMPTY: readonly string[] = [];

export class ChangeLog {
  readonly #world: World;
  readonly #schemas = new Map<ObjectName, { readonly schema: EventSchema; readonly fieldCount: number }>();
  readonly #byId = new Map<string, EventSchema>();
  readonly #listeners = new Set<() => void>();
  #entries: LogEntry[] = [];
  /** Entries that have been forgotten: positions count on. */
  #forgotten = 0;
  #lastReplayId: number;
  /** What a keepalive told before the first entry that is kept. */
  #replayIdBefore: number;
  #damage: Damage[] = [];
  /** While it is on, commits write GAP events instead of images. */
  gapsInstead = false;
  /** While it is off, commits reach no subscriber: what the poll must repair. */
  isOn = true;

  constructor(world: World) {
    this.#world = world;
    this.#lastReplayId = 4_000_000 + (mix32(world.shape.seed, 7) % 1_000_000);
    this.#replayIdBefore = this.#lastReplayId;
    for (const object of OBJECT_NAMES) this.schemaOf(object);
    world.onCommit((commit) => this.#append(commit));
  }

  schema(id: string): EventSchema | undefined {
    return this.#byId.get(id);
  }

  /** After a field was added, events are written with another schema. */
  schemaOf(object: ObjectName): EventSchema {
    const known = this.#schemas.get(object);
    const fieldCount = this.#world.fields[object].length;
    if (known?.fieldCount === fieldCount) return known.schema;
    const schema = eventSchema(this.#world, object);
    this.#schemas.set(object, { schema, fieldCount });
    this.#byId.set(schema.id, schema);
    return schema;
  }

  /** Where the next event will be. */
  get end(): number {
    return this.#forgotten + this.#entries.length;
  }

  get start(): number {
    return this.#forgotten;
  }

  get lastReplayId(): number {
    return this.#lastReplayId;
  }

  at(position: number): LogEntry | undefined {
    return this.#entries[position - this.#forgotten];
  }

  /** The position after a replay id; undefined when it is not, or no longer, known. */
  after(replayId: number): number | undefined {
    if (replayId === this.#lastReplayId) return this.end;
    if (replayId === this.#replayIdBefore) return this.#forgotten;
    const index = this.#entries.findIndex((entry) => entry.replayId === replayId);
    return index < 0 ? undefined : this.#forgotten + index + 1;
  }

  onAppend(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Forgets everything written so far, and the id of the last event too: all checkpoints are expired. */
  expire(): void {
    this.#forgotten = this.end;
    this.#entries = [];
    this.#lastReplayId += 1_000;
    this.#replayIdBefore = this.#lastReplayId;
  }

  /** The next events leave damaged, in that order. */
  damageNext(damage: Damage): void {
    this.#damage.push(damage);
  }

  gap(object: ObjectName, recordIds: readonly string[], changeType: GapKind, commitMs = this.#world.now()): void {
    const ids = changeType === 'GAP_OVERFLOW' ? [NO_ID] : recordIds;
    const commit = {
      commitMs,
      commitNumber: this.#world.latest(),
      transactionKey: `gap-${this.end}`,
      userId: '',
      origin: '',
    };
    this.#write({ object, recordIds: ids, changeType, commit, sequenceNumber: 1 }, {}, EMPTY, EMPTY);
  }

  #append(commit: Commit): void {
    if (!this.isOn) return;
    // More than 100,000 changes in one transaction tell no ids. (CDC guide, overflow events.)
    if (commit.rewritten !== null) return this.gap(commit.rewritten, EMPTY, 'GAP_OVERFLOW', commit.commitMs);
    merged(commit.changes).forEach((group, index) => this.#appendChange(commit, group, index + 1));
  }

  #appendChange(commit: Commit, group: readonly Committed[], sequenceNumber: number): void {
    const { kind, object, id, changed } = group[0]!;
    const header = {
      object,
      recordIds: group.map((change) => change.id),
      changeType: kind.toUpperCase(),
      commit,
      sequenceNumber,
    };
    if (kind === 'purge') return;
    if (this.gapsInstead) {
      this.#write({ ...header, changeType: `GAP_${header.changeType}`, sequenceNumber: 1 }, {}, EMPTY, EMPTY);
      return;
    }
    if (kind === 'delete') return this.#write(header, {}, EMPTY, EMPTY);
    const values = kind === 'update' ? { ...changed } : (this.#world.find(id)?.record() ?? {});
    // The lead's update of a conversion carries no LastModifiedDate. (CDC guide, lead conversion.)
    if (object === 'Lead' && changed['IsConverted'] === true) delete values['LastModifiedDate'];
    const { places } = this.schemaOf(object);
    const named = (wanted: (name: string) => boolean): string[] =>
      kind === 'update'
        ? bitmaps(
            Object.keys(values)
              .filter(wanted)
              .flatMap((name): FieldPlace[] => [places.get(name) ?? []].flat()),
          )
        : [];
    this.#write(
      header,
      values,
      named((name) => values[name] === null),
      named(() => true),
    );
  }

  #write(
    { object, recordIds, changeType, commit, sequenceNumber }: Header,
    values: object,
    nulledFields: readonly string[],
    changedFields: readonly string[],
  ): void {
    const schema = this.schemaOf(object);
    const payload = schema.type.toBuffer({
      ...schema.body(values as Record<string, string>),
      ChangeEventHeader: {
        entityName: object,
        recordIds,
        changeType,
        changeOrigin: commit.origin,
        transactionKey: commit.transactionKey,
        sequenceNumber,
        commitTimestamp: commit.commitMs,
        commitNumber: commit.commitNumber,
        commitUser: commit.userId,
        nulledFields,
        diffFields: [],
        changedFields,
      },
    });
    this.#push(object, schema.id, payload);
  }

  #push(object: ObjectName, schemaId: string, payload: Buffer): void {
    const damage = this.#damage.shift();
    this.#lastReplayId += 1 + (mix32(this.#lastReplayId, 3) % 4);
    this.#entries.push({
      replayId: this.#lastReplayId,
      object,
      atMs: this.#world.now(),
      schemaId: damage === 'unknown_schema' ? 'AAAAAAAAAAAAAAAAAAAAAA' : schemaId,
      payload:
        damage === 'undecodable'
          ? Buffer.concat([Buffer.from([0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]), payload.subarray(0, 3)])
          : payload,
    });
    if (this.#entries.length > MOST_KEPT) {
      this.#replayIdBefore = this.#entries[MOST_KEPT / 2 - 1]!.replayId;
      this.#entries = this.#entries.slice(MOST_KEPT / 2);
      this.#forgotten += MOST_KEPT / 2;
    }
    for (const listener of this.#listeners) listener();
  }
}

/** Identical changes to several records of one object are one event. */
function merged(changes: readonly Committed[]): Committed[][] {
  const groups = new Map<string, Committed[]>();
  for (const change of changes) {
    const key =
      change.kind === 'create' ? change.id : `${change.kind} ${change.object} ${JSON.stringify(change.changed)}`;
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [change]);
    else group.push(change);
  }
  return [...groups.values()];
}
