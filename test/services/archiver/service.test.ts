import { describe, expect, it, vi } from 'vitest';
import { archivedRows } from '#core/archive.ts';
import { DependencyDown, Transient } from '#core/errors.ts';
import type { Delivered } from '#core/ports/broker.ts';
import type { ObjectsPort } from '#core/ports/objects.ts';
import type { RawSource } from '#schemas/generated/types.ts';
import { archiver } from '#services/archiver/service.ts';
import { fakeContext, memoryObjects } from '#test/kit/context.ts';
import { namesOf, rawMessage } from '#test/kit/raw-events.ts';
import { virtualClock } from '#test/kit/virtual-clock.ts';

const NEVER = new AbortController().signal;

async function setUp(objects: ObjectsPort = memoryObjects()) {
  const clock = virtualClock();
  const fake = fakeContext(archiver.declared, { config: {}, objects, clock });
  const living = await archiver.start(fake.context);
  const answers: string[] = [];
  function send(source: RawSource, ...batch: Delivered[]): void {
    living.handlers[source]?.(batch, NEVER).then(
      (dispositions) => answers.push(dispositions.map(({ kind }) => kind).join()),
      (error: unknown) => answers.push((error as Error).name),
    );
  }
  /** Compressing is other threads' work, which no virtual clock waits for. */
  const untilAnswered = (count: number): Promise<void> => vi.waitFor(() => expect(answers).toHaveLength(count));
  return { clock, living, answers, send, untilAnswered, stop: fake.stop };
}

/** The ids of the messages in each file, in order of the files' names. */
async function filesOf(objects: ObjectsPort): Promise<readonly (readonly string[])[]> {
  const found: string[][] = [];
  for (const name of await namesOf(objects, 'archive/')) {
    const bytes = (await objects.get(name)) as Uint8Array;
    const rows = [...archivedRows(name.split('/')[2] as RawSource, { name, bytes })].flat();
    found.push(rows.map(({ messageId }) => messageId));
  }
  return found;
}

function downWith(error: Error): ObjectsPort & { up(): void } {
  const objects = memoryObjects();
  let isDown = true;
  const asked = async (): Promise<void> => {
    if (isDown) throw error;
  };
  return {
    ...objects,
    put: (name, bytes) => asked().then(() => objects.put(name, bytes)),
    get: (name) => asked().then(() => objects.get(name)),
    up: () => void (isDown = false),
  };
}

describe('the archiver', () => {
  it.each([
    ['down', new DependencyDown('objects', 'It is down.')],
    ['busy for longer than its adapter waits', new Transient('gcs_busy', 'Too many requests.')],
  ])('pauses when storage is %s, acks nothing, and loses nothing', async (_, error) => {
    const objects = downWith(error);
    const { clock, living, answers, send, untilAnswered } = await setUp(objects);
    send('salesforce', rawMessage({ id: '1' }));
    await clock.advance(5_000);
    await untilAnswered(1);
    expect(answers).toEqual(['DependencyDown']);
    await expect(living.probe?.()).rejects.toThrow();
    objects.up();
    await expect(living.probe?.()).resolves.toBeUndefined();
    send('salesforce', rawMessage({ id: '1' }));
    await clock.advance(5_000);
    await untilAnswered(2);
    expect(answers).toEqual(['DependencyDown', 'ack']);
    expect(await filesOf(objects)).toEqual([['m-1']]);
  });

  it('stored a part of what it had when storage failed: the same again replaces it', async () => {
    const objects = memoryObjects();
    let puts = 0;
    const failing: ObjectsPort = {
      ...objects,
      async put(name, bytes) {
        puts += 1;
        if (puts === 2) throw new DependencyDown('objects', 'It is down.');
        await objects.put(name, bytes);
      },
    };
    const { clock, answers, send, untilAnswered } = await setUp(failing);
    const batch = [rawMessage({ id: '1' }), rawMessage({ id: '2', at: '2026-11-25T11:00:00Z' })];
    send('salesforce', ...batch);
    await clock.advance(5_000);
    await untilAnswered(1);
    send('salesforce', ...batch);
    await clock.advance(5_000);
    await untilAnswered(2);
    expect(answers).toEqual(['DependencyDown', 'ack,ack']);
    expect(await filesOf(objects)).toEqual([['m-1'], ['m-2']]);
  });

  it('stores what lingers when it must stop', async () => {
    const objects = memoryObjects();
    const { clock, answers, send, untilAnswered, stop } = await setUp(objects);
    send('salesforce', rawMessage({ id: '1' }));
    send('dialpad', rawMessage({ id: '2', source: 'dialpad', object: 'call', lane: 'bulk' }));
    await clock.settle();
    expect(answers).toEqual([]);
    stop();
    await untilAnswered(2);
    expect(answers).toEqual(['ack', 'ack']);
    expect(await filesOf(objects)).toEqual([['m-2'], ['m-1']]);
  });

  it('gathers the live events of five seconds and the bulk ones of ten, by source', async () => {
    const objects = memoryObjects();
    const { clock, living, send, untilAnswered } = await setUp(objects);
    send('salesforce', rawMessage({ id: '1' }));
    send('salesforce', rawMessage({ id: '2', lane: 'bulk' }));
    send('dialpad', rawMessage({ id: '3', source: 'dialpad' }));
    await clock.advance(3_000);
    send('salesforce', rawMessage({ id: '4', at: '2026-11-25T10:30:03Z' }));
    expect(living.busy?.()).toBe(true);
    await clock.advance(2_000);
    await untilAnswered(3);
    await clock.advance(5_000);
    await untilAnswered(4);
    expect(living.busy?.()).toBe(false);
    const files = await filesOf(objects);
    expect(files.map((ids) => ids.join()).sort()).toEqual(['m-1,m-4', 'm-2', 'm-3']);
  });

  it('takes nothing that is addressed to another stage, so that no replay is archived', () => {
    for (const { sharing, topic } of Object.values(archiver.declared.subscribes))
      expect([sharing, topic.startsWith('raw.')]).toEqual(['shared', true]);
    expect(archiver.declared.publishes).toEqual([]);
  });
});
