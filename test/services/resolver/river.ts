/**
 * The resolver between a broker and a warehouse, both as simple as the laws allow: what is not acked comes again, and of the
 * matches published, in whatever order they arrive, the one with the greatest version is what the warehouse shows.
 */
import { keyText } from '#core/key.ts';
import type { Message } from '#core/ports/broker.ts';
import type { Living } from '#core/service.ts';
import { supersedes, type Version } from '#core/version.ts';
import type { Match } from '#schemas/generated/types.ts';
import service from '#services/resolver/service.ts';
import { fakeContext, type Publish } from '#test/kit/context.ts';
import { virtualClock, type VirtualClock } from '#test/kit/virtual-clock.ts';
import { codec, delivered, memoryObjects, type MemoryObjects, type Sent } from './kit.ts';

export interface Shown {
  readonly version: Version;
  readonly deleted: boolean;
  readonly record: Match;
}

/** Rows of matches by `<activity id>#<role>`, as a warehouse with the versions rule keeps them. */
export class Matches {
  readonly #rows = new Map<string, Shown>();
  published = 0;

  take(messages: readonly Message[]): void {
    for (const message of messages) {
      const { envelope, record } = codec.decodeCanonical('match', { ...message });
      if (record === null) throw new Error('A match has a record, always.');
      this.published += 1;
      const key = keyText(envelope);
      if (supersedes(envelope.version, this.#rows.get(key)?.version))
        this.#rows.set(key, { version: envelope.version, deleted: envelope.operation === 'delete', record });
    }
  }

  /** The row of an activity's only participant. */
  of(activityId: string): Match {
    const row = [...this.#rows.values()].find(({ record }) => record.activity_id === activityId);
    if (row === undefined) throw new Error(`No match of ${activityId} was published.`);
    return row.record;
  }

  isDeleted(activityId: string): boolean {
    return [...this.#rows.values()].some(({ record, deleted }) => record.activity_id === activityId && deleted);
  }

  /** What users see: everything but versions, tombstones left out. */
  visible(): Record<string, Match> {
    const rows = [...this.#rows].filter(([, { deleted }]) => !deleted);
    return Object.fromEntries(
      rows.map(([key, { record }]): [string, Match] => [key, record]).sort(([a], [b]) => (a < b ? -1 : 1)),
    );
  }
}

export interface Running {
  readonly living: Living<typeof service.declared>;
  readonly clock: VirtualClock;
  /** Sends each run of one entity as a batch; resolves when all are acked. */
  send(...events: readonly Sent[]): Promise<void>;
  /** Sends one batch without waiting. */
  deliver(batch: readonly Sent[]): Promise<void>;
  /** Until nothing is left to do. */
  idle(): Promise<void>;
  stop(): Promise<void>;
}

export interface StartOptions {
  readonly objects?: MemoryObjects;
  readonly epoch?: number;
  readonly matches?: Matches;
  readonly onPublish?: (publish: Publish) => Promise<void> | void;
}

/** Starts a resolver, as the owner with that epoch. */
export async function start(options: StartOptions = {}): Promise<Running> {
  const { objects = memoryObjects(), epoch = 1, matches, onPublish } = options;
  const clock = virtualClock();
  const fake = fakeContext<typeof service.declared>(service.declared, {
    config: {},
    clock,
    objects,
    async onPublish(publish) {
      await onPublish?.(publish);
      matches?.take(publish.messages);
    },
  });
  const living = await service.start({ ...fake.context, leaseEpoch: epoch });
  const { signal } = fake.context;

  async function waitFor<T>(work: Promise<T>): Promise<T> {
    let isDone = false;
    work.then(
      () => (isDone = true),
      () => (isDone = true),
    );
    await clock.until(() => isDone);
    return await work;
  }

  async function deliver(batch: readonly Sent[]): Promise<void> {
    const [first] = batch;
    if (first === undefined) return;
    const answers = await living.handlers[first.entity](batch.map(delivered), signal);
    if (answers.some(({ kind }) => kind !== 'ack')) throw new Error(JSON.stringify(answers));
  }

  async function send(...events: readonly Sent[]): Promise<void> {
    await waitFor(Promise.all(runs(events).map(deliver)));
  }

  return {
    living,
    clock,
    send,
    deliver,
    idle: () => clock.until(() => living.busy?.() === false),
    stop: () => waitFor(Promise.resolve(living.stop?.())),
  };
}

/** Neighbours of one entity and lane together: a batch never mixes topics or lanes. */
export function runs(events: readonly Sent[]): Sent[][] {
  const all: Sent[][] = [];
  for (const event of events) {
    const [last] = all.at(-1) ?? [];
    const lane = event.message.attributes['lane'];
    if (last?.entity === event.entity && last.message.attributes['lane'] === lane) all.at(-1)?.push(event);
    else all.push([event]);
  }
  return all;
}

/** Sends everything to a fresh resolver and answers what it shows in the end. */
export async function resolved(...events: readonly Sent[]): Promise<Matches> {
  const matches = new Matches();
  const running = await start({ matches });
  await running.send(...events);
  await running.idle();
  await running.stop();
  return matches;
}
