import { describe, expect, it } from 'vitest';
import { ack, deadLetter, discard, retry, type Disposition } from '#core/disposition.ts';
import { DependencyDown, InvalidMessage } from '#core/errors.ts';
import type { BatchHandler, Delivered, SubscriptionSpec } from '#core/ports/broker.ts';
import { COMPUTE_FLOW } from '#core/service.ts';
import { TelemetryHub } from '#core/telemetry.ts';
import { withOutcomes } from '#runtime/outcome.ts';
import { memoryObjects } from '#test/kit/context.ts';
import { virtualClock } from '#test/kit/virtual-clock.ts';

const SPEC: SubscriptionSpec = {
  name: 'stage.things.live',
  service: 'stage',
  topic: 'raw.salesforce',
  lane: 'live',
  sharing: 'shared',
  ackDeadlineSeconds: 30,
  flow: COMPUTE_FLOW,
};
const NEVER = new AbortController().signal;

function message(id: string, deliveryAttempts = 1): Delivered {
  return {
    messageId: id,
    body: Buffer.from(id),
    attributes: { 'ce-id': id },
    publishedAt: new Date(0),
    deliveryAttempts,
  };
}

function stage(handler: BatchHandler) {
  const parked: { readonly id: string; readonly code: string; readonly reason: string }[] = [];
  const downs: string[] = [];
  const handle = withOutcomes(handler, {
    spec: SPEC,
    clock: virtualClock(),
    telemetry: new TelemetryHub(),
    ports: { objects: memoryObjects() },
    parking: { park: async ({ messageId }, { code, reason }) => void parked.push({ id: messageId, code, reason }) },
    onDependencyDown: ({ dependency }) => void downs.push(dependency),
  });
  return { parked, downs, handle: (batch: readonly Delivered[]) => handle(batch, NEVER) };
}

/** Throws at the message called «poison», alone or in company. */
const fragile: BatchHandler = async (batch) => {
  if (batch.some(({ messageId }) => messageId === 'poison')) throw new InvalidMessage('bad_shape', 'It has no shape.');
  return batch.map(() => ack);
};

describe('one poison message', () => {
  it('is parked alone, with its code, while its whole batch goes on', async () => {
    const { handle, parked } = stage(fragile);
    const answers = await handle([message('a'), message('poison'), message('b')]);
    expect(answers.map(({ kind }) => kind)).toEqual(['ack', 'deadLetter', 'ack']);
    expect(parked).toEqual([{ id: 'poison', code: 'bad_shape', reason: 'It has no shape.' }]);
  });

  it('that fails for a reason that may pass is retried, and parked only when its budget is used up', async () => {
    const { handle, parked } = stage(async () => {
      throw new Error('the index is not there yet');
    });
    const kinds: string[] = [];
    for (let delivery = 0; delivery < 9; delivery += 1) kinds.push((await handle([message('a')]))[0]?.kind ?? '');
    expect(kinds).toEqual([...Array<string>(8).fill('retry'), 'deadLetter']);
    expect(parked.map(({ code }) => code)).toEqual(['retries_exhausted']);
  });

  it.each([
    [4, [8]],
    [5, [4, 4]],
    [6, [2, 2, 2, 2]],
    [7, [1, 1, 1, 1, 1, 1, 1, 1]],
    [24, [1, 1, 1, 1, 1, 1, 1, 1]],
  ])('that may have killed the process %i times is handled in ever smaller company', async (deliveries, expected) => {
    const sizes: number[] = [];
    const { handle } = stage(async (batch) => {
      sizes.push(batch.length);
      return batch.map(() => ack);
    });
    const innocent = Array.from({ length: 7 }, (_, n) => message(`m${n}`));
    expect(await handle([...innocent, message('suspicious', deliveries)])).toHaveLength(8);
    expect(sizes).toEqual(expected);
  });

  it('that kills the process again and again is parked unprocessed', async () => {
    const seen: string[] = [];
    const { handle, parked } = stage(async (batch) => {
      seen.push(...batch.map(({ messageId }) => messageId));
      return batch.map(() => ack);
    });
    await handle([message('killer', 30), message('b')]);
    expect(seen).toEqual(['b']);
    expect(parked.map(({ code }) => code)).toEqual(['delivered_too_often']);
  });
});

describe('a dependency that is down', () => {
  it('parks nothing, blames no message, and releases the batch', async () => {
    const { handle, parked, downs } = stage(async () => {
      throw new DependencyDown('warehouse', 'It does not answer.');
    });
    await expect(handle([message('a'), message('b')])).rejects.toThrow(DependencyDown);
    expect({ parked, downs }).toEqual({ parked: [], downs: ['warehouse'] });
  });

  it('blames nobody for being delivered often: an outage that comes and goes parks nothing', async () => {
    let isDown = true;
    const sizes: number[] = [];
    const { handle, parked } = stage(async (batch) => {
      sizes.push(batch.length);
      if (isDown) throw new DependencyDown('warehouse', 'It does not answer.');
      return batch.map(() => ack);
    });
    for (let delivery = 1; delivery <= 60; delivery += 1)
      await expect(handle([message('a', delivery), message('b', delivery)])).rejects.toThrow(DependencyDown);
    isDown = false;
    expect(await handle([message('a', 61), message('b', 61)])).toEqual([ack, ack]);
    expect(new Set(sizes)).toEqual(new Set([2]));
    expect(parked).toEqual([]);
  });

  it('stops the handling one by one as well', async () => {
    const { handle, parked } = stage(async (batch) => {
      if (batch.length > 1) throw new Error('unexpected');
      throw new DependencyDown('broker', 'It does not answer.');
    });
    await expect(handle([message('a'), message('b')])).rejects.toThrow(DependencyDown);
    expect(parked).toEqual([]);
  });

  it('when the parking itself fails, nothing is acked', async () => {
    const handle = withOutcomes(async (batch) => batch.map(() => deadLetter('bad', 'bad')), {
      spec: SPEC,
      clock: virtualClock(),
      telemetry: new TelemetryHub(),
      ports: { objects: memoryObjects() },
      parking: { park: () => Promise.reject(new DependencyDown('disk', 'No room.')) },
      onDependencyDown: () => undefined,
    });
    await expect(handle([message('a')], NEVER)).rejects.toThrow('No room.');
  });
});

describe('answers', () => {
  it('of another number than the messages are a fault of the handler, not of the messages', async () => {
    const { handle, parked } = stage(async (batch) => (batch.length > 1 ? [ack] : [ack]));
    expect((await handle([message('a'), message('b')])).map(({ kind }) => kind)).toEqual(['ack', 'ack']);
    expect(parked).toEqual([]);
  });

  it('leave in the order of the messages, each its own way', async () => {
    const given: Disposition[] = [ack, discard('not ours'), retry(50, 'later'), deadLetter('bad', 'It is bad.')];
    const { handle, parked } = stage(async () => given);
    expect(await handle(['a', 'b', 'c', 'd'].map((id) => message(id)))).toEqual(given);
    expect(parked.map(({ id }) => id)).toEqual(['d']);
  });

  it('a success forgets earlier failures', async () => {
    let failing = true;
    const { handle, parked } = stage(async (batch) => batch.map(() => (failing ? retry(1, 'later') : ack)));
    for (let delivery = 0; delivery < 8; delivery += 1) await handle([message('a')]);
    failing = false;
    await handle([message('a')]);
    failing = true;
    for (let delivery = 0; delivery < 8; delivery += 1) await handle([message('a')]);
    expect(parked).toEqual([]);
  });
});
