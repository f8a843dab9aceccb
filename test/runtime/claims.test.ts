import { describe, expect, it } from 'vitest';
import { CLAIM_ABOVE_BYTES, CLAIMS_PREFIX, claimOf, LARGEST_BODY_BYTES } from '#core/claim.ts';
import { ack, deadLetter, type Disposition } from '#core/disposition.ts';
import { DependencyDown } from '#core/errors.ts';
import type { BatchHandler, BrokerPort, Delivered, Message } from '#core/ports/broker.ts';
import type { ObjectsPort } from '#core/ports/objects.ts';
import { TelemetryHub } from '#core/telemetry.ts';
import { withClaims } from '#runtime/claims.ts';
import { parkingWhole } from '#runtime/park-whole.ts';
import { createPublisher } from '#runtime/publisher.ts';
import { memoryObjects } from '#test/kit/context.ts';
import { seededRandom } from '#test/kit/random.ts';
import { virtualClock } from '#test/kit/virtual-clock.ts';

const NEVER = new AbortController().signal;
const large = (fill: string): Message => ({
  body: Buffer.alloc(CLAIM_ABOVE_BYTES + 1, fill),
  attributes: { key: fill, lane: 'live' },
});
const small: Message = { body: Buffer.from('small'), attributes: { key: 'small' } };

function river(objects: ObjectsPort = memoryObjects()) {
  const sent: Message[] = [];
  const broker = { publish: async (_, messages) => void sent.push(...messages) } as Partial<BrokerPort> as BrokerPort;
  const publisher = createPublisher({
    broker,
    objects,
    clock: virtualClock(),
    random: seededRandom(1),
    telemetry: new TelemetryHub(),
  });
  const deliver = (): Delivered[] =>
    sent.map((message, n) => ({ ...message, messageId: `m${n}`, publishedAt: new Date(0), deliveryAttempts: 1 }));
  return { objects, sent, deliver, publish: (...all: Message[]) => publisher.publish('raw.dialpad', all, 'kill') };
}

async function names(objects: ObjectsPort): Promise<string[]> {
  const found: string[] = [];
  for await (const name of objects.list(CLAIMS_PREFIX)) found.push(name);
  return found;
}

/** Answers what it saw, by the key of each message. */
function observed(answer: (message: Delivered) => Disposition = () => ack) {
  const calls: string[][] = [];
  const bytes: number[] = [];
  const handler: BatchHandler = async (batch) => {
    calls.push(batch.map(({ attributes }) => attributes['key'] ?? ''));
    bytes.push(...batch.map(({ body }) => body.byteLength));
    return batch.map(answer);
  };
  return { calls, bytes, handler };
}

describe('a publish', () => {
  it('is refused beyond what is carried at all', async () => {
    const { publish, sent } = river();
    const huge = { ...small, body: Buffer.alloc(LARGEST_BODY_BYTES + 1) };
    await expect(publish(huge)).rejects.toMatchObject({ code: 'message_too_large' });
    expect(sent).toEqual([]);
  });

  it('sends nothing where the body cannot be stored', async () => {
    const down = { ...memoryObjects(), put: () => Promise.reject(new DependencyDown('objects', 'It is down.')) };
    const { publish, sent } = river(down);
    await expect(publish(small, large('a'))).rejects.toThrow(DependencyDown);
    expect(sent).toEqual([]);
  });

  it('stores the bodies that are too large, and leaves the others alone', async () => {
    const { publish, sent, objects } = river();
    await publish(small, large('a'));
    expect(sent[0]).toEqual(small);
    expect(sent[1]?.body.byteLength).toBeLessThan(10);
    expect(await names(objects)).toEqual([claimOf(sent[1] as Message)?.name]);
  });
});

describe('a handler', () => {
  it('sees whole messages in their order, and its answers go to them', async () => {
    const { publish, deliver, objects } = river();
    await publish(large('a'), small, large('b'));
    const { calls, bytes, handler } = observed((message) =>
      message.attributes['key'] === 'b' ? deadLetter('bad', 'b') : ack,
    );
    const answers = await withClaims(handler, objects)(deliver(), NEVER);
    expect(answers.map(({ kind }) => kind)).toEqual(['ack', 'ack', 'deadLetter']);
    expect(calls).toEqual([['a', 'small', 'b']]);
    expect(bytes).toEqual([CLAIM_ABOVE_BYTES + 1, 5, CLAIM_ABOVE_BYTES + 1]);
  });

  it('does not see a message whose claim is gone: a dead letter by itself', async () => {
    const { publish, deliver, objects } = river();
    await publish(large('a'), small, large('b'));
    const [first = ''] = await names(objects);
    await objects.delete(first);
    const { calls, handler } = observed();
    const answers = await withClaims(handler, objects)(deliver(), NEVER);
    expect(answers.filter(({ kind }) => kind === 'deadLetter')).toMatchObject([{ code: 'claim_missing' }]);
    expect(calls.flat()).toHaveLength(2);
  });

  it('is handed a batch of claims in parts, one at a time, so that few bodies are held', async () => {
    const { publish, deliver, objects } = river();
    await publish(large('a'), large('b'), large('c'), large('d'), large('e'));
    let [held, most] = [0, 0];
    const handle = withClaims(async (batch) => {
      held += batch.length;
      most = Math.max(most, held);
      await new Promise((resolve) => setImmediate(resolve));
      held -= batch.length;
      return batch.map(() => ack);
    }, objects);
    const batch = deliver();
    const answers = await Promise.all([handle(batch, NEVER), handle(batch, NEVER)]);
    expect(answers.flat()).toHaveLength(10);
    expect(most).toBe(2);
  });

  it('that fails on claims does not stop those that come after', async () => {
    const { publish, deliver, objects } = river();
    await publish(large('a'));
    let calls = 0;
    const handle = withClaims(async () => {
      calls += 1;
      if (calls === 1) throw new DependencyDown('warehouse', 'It is down.');
      return [ack];
    }, objects);
    await expect(handle(deliver(), NEVER)).rejects.toThrow(DependencyDown);
    expect(await handle(deliver(), NEVER)).toEqual([ack]);
  });

  it('is not called for a batch that was released while it waited', async () => {
    const { publish, deliver, objects } = river();
    await publish(large('a'));
    const { calls, handler } = observed();
    await expect(withClaims(handler, objects)(deliver(), AbortSignal.abort(new Error('gone')))).rejects.toThrow('gone');
    expect(calls).toEqual([]);
  });

  it('waits with an outage of the objects, and blames no message', async () => {
    const { publish, deliver, objects } = river();
    await publish(large('a'));
    const down = { ...objects, get: () => Promise.reject(new DependencyDown('objects', 'It is down.')) };
    await expect(withClaims(observed().handler, down)(deliver(), NEVER)).rejects.toThrow(DependencyDown);
  });
});

describe('a dead letter', () => {
  const FAILURE = { service: 's', subscription: 's.x.live', topic: 'raw.dialpad', code: 'bad', reason: 'bad', firstFailedAtMicros: 0, parkedAtMicros: 0 }; // prettier-ignore

  async function parked(objects: ObjectsPort, message: Delivered): Promise<Delivered> {
    const kept: Delivered[] = [];
    await parkingWhole({ park: async (one) => void kept.push(one) }, objects).park(message, FAILURE);
    return kept[0] as Delivered;
  }

  it('keeps the body itself, since it may wait longer than its claim', async () => {
    const { publish, deliver, objects } = river();
    await publish(large('a'));
    expect((await parked(objects, deliver()[0] as Delivered)).body.byteLength).toBe(CLAIM_ABOVE_BYTES + 1);
  });

  it('of a claim that is gone keeps what came', async () => {
    const { publish, deliver } = river();
    await publish(large('a'));
    const message = deliver()[0] as Delivered;
    expect(await parked(memoryObjects(), message)).toEqual(message);
  });
});
