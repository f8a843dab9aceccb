import { describe, expect, it } from 'vitest';
import { DependencyDown } from '#core/errors.ts';
import type { Delivered } from '#core/ports/broker.ts';
import { Shelf } from '#services/archiver/shelf.ts';
import { rawMessage } from '#test/kit/raw-events.ts';
import { virtualClock } from '#test/kit/virtual-clock.ts';

const LIMITS = { bytes: 1_000_000, messages: 4, lingerMs: 5_000 };
const DOWN = new DependencyDown('objects', 'The bucket does not answer.');

interface Storing {
  readonly ids: readonly string[];
  readonly done: () => void;
  readonly fail: (error: unknown) => void;
}

function setUp(limits = LIMITS) {
  const clock = virtualClock();
  const stored: Storing[] = [];
  const store = (messages: readonly Delivered[]): Promise<void> =>
    new Promise((resolve, reject) =>
      stored.push({ ids: messages.map(({ messageId }) => messageId), done: resolve, fail: reject }),
    );
  const shelf = new Shelf({ limits, clock, store });
  const answers: string[] = [];
  function add(ids: readonly string[], signal = new AbortController().signal): void {
    const batch = ids.map((id) => rawMessage({ id }));
    shelf.add(batch, signal).then(
      (dispositions) => answers.push(`${ids.join()}: ${dispositions.map(({ kind }) => kind).join()}`),
      (error: unknown) => answers.push(`${ids.join()}: ${(error as Error).message}`),
    );
  }
  return { clock, shelf, stored, answers, add };
}

describe('a shelf', () => {
  it('whose storage is down releases every call that waits, and keeps nothing of them', async () => {
    const { clock, add, stored, answers, shelf } = setUp();
    add(['1']);
    add(['2']);
    await clock.advance(5_000);
    stored[0]?.fail(DOWN);
    await clock.settle();
    expect(answers).toEqual([`1: ${DOWN.message}`, `2: ${DOWN.message}`]);
    expect(shelf.isBusy).toBe(false);
    add(['1']);
    await clock.advance(5_000);
    expect(stored.map(({ ids }) => ids)).toEqual([['m-1', 'm-2'], ['m-1']]);
  });

  it('does not store what was released while it lingered: it comes again', async () => {
    const { clock, add, stored, answers } = setUp();
    const released = new AbortController();
    add(['1', '2'], released.signal);
    add(['3']);
    released.abort(new Error('released'));
    await clock.advance(5_000);
    expect(stored.map(({ ids }) => ids)).toEqual([['m-3']]);
    stored[0]?.done();
    await clock.settle();
    expect(answers).toEqual(['1,2: released', '3: ack']);
  });

  it('stores nothing where all were released', async () => {
    const { clock, add, stored, shelf } = setUp();
    const released = new AbortController();
    add(['1'], released.signal);
    released.abort(new Error('released'));
    await clock.advance(5_000);
    expect(stored).toEqual([]);
    expect(shelf.isBusy).toBe(false);
  });

  it('acks only what is durable', async () => {
    const { clock, add, stored, answers, shelf } = setUp();
    add(['1']);
    await clock.advance(4_999);
    expect([stored.length, answers, shelf.isBusy]).toEqual([0, [], true]);
    await clock.advance(1);
    expect([stored.length, answers, shelf.isBusy]).toEqual([1, [], true]);
    stored[0]?.done();
    await clock.settle();
    expect([answers, shelf.isBusy]).toEqual([['1: ack'], false]);
  });

  it.each([
    ['messages', LIMITS],
    ['bytes', { ...LIMITS, bytes: 5 * rawMessage({ id: '1' }).body.byteLength, messages: 100 }],
  ])('is stored at once when it is full by %s, and the next one forms meanwhile', async (_, limits) => {
    const { clock, add, stored, answers } = setUp(limits);
    add(['1', '2']);
    add(['3', '4', '5', '6']);
    add(['7']);
    await clock.settle();
    expect(stored.map(({ ids }) => ids.length)).toEqual([6]);
    await clock.advance(5_000);
    expect(stored.map(({ ids }) => ids.length)).toEqual([6, 1]);
    stored[1]?.done();
    await clock.settle();
    expect(answers).toEqual(['7: ack']);
  });

  it('lingers no longer once it must stop, nor does what still comes', async () => {
    const { clock, add, stored, shelf } = setUp();
    add(['1']);
    shelf.stop();
    add(['2']);
    await clock.settle();
    expect(stored.map(({ ids }) => ids)).toEqual([['m-1'], ['m-2']]);
    expect(clock.pending).toBe(0);
  });
});
