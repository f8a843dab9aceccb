/** The river around the resolver: what is published when, what a restart knows, and that nobody waits for long work. */
import { describe, expect, it } from 'vitest';
import { DependencyDown, Stale, Transient } from '#core/errors.ts';
import { account, call, codec, contact, delivered, memoryObjects, phone, type Sent } from './kit.ts';
import { Matches, start } from './river.ts';

const WORK = '+12135550142';
const OTHER = '+13105550123';
const withPhone = (raw: string, kind = 'phone') => ({ phones: [phone(kind, raw)] });
const ada = contact({ id: '003A', account_id: '001A', ...withPhone(WORK) });
const calls = (count: number, number = WORK): Sent[] =>
  Array.from({ length: count }, (_, n) => call({ id: String(n + 1), number }));

describe('a match', () => {
  it('of a message that cannot be decoded is a dead letter, and the rest of the batch is matched', async () => {
    const matches = new Matches();
    const running = await start({ matches });
    const garbage = { ...delivered(ada), body: new Uint8Array([255, 255]) };
    const answered = running.living.handlers.contact([garbage, delivered(ada)], new AbortController().signal);
    await running.idle();
    expect(await answered).toEqual([
      expect.objectContaining({ kind: 'deadLetter', code: 'not_decodable' }),
      { kind: 'ack' },
    ]);
  });

  it('of a call is found by a contact who comes after the call', async () => {
    const matches = new Matches();
    const running = await start({ matches });
    await running.send(call({ id: '1', number: WORK }));
    expect(matches.of('1').outcome).toBe('unmatched');
    await running.send(ada);
    expect(matches.of('1')).toMatchObject({ outcome: 'matched', contact_id: '003A' });
  });

  it('is withdrawn from a contact who is deleted, and from one who loses the number', async () => {
    const matches = new Matches();
    const running = await start({ matches });
    await running.send(
      ada,
      call({ id: '1', number: WORK }),
      contact({ id: '003A', v: 2, deleted: true, noImage: true }),
    );
    expect(matches.of('1')).toMatchObject({ outcome: 'unmatched', contact_id: null });
    await running.send(contact({ id: '003A', v: 3, account_id: '001A', ...withPhone(WORK) }));
    expect(matches.of('1')).toMatchObject({ outcome: 'matched', contact_id: '003A' });
    await running.send(contact({ id: '003A', v: 4, account_id: '001A', ...withPhone(OTHER) }));
    expect(matches.of('1')).toMatchObject({ outcome: 'unmatched' });
  });

  it('of a deleted activity is a tombstone, and comes back with the activity', async () => {
    const matches = new Matches();
    const running = await start({ matches });
    await running.send(ada, call({ id: '1', number: WORK }), call({ id: '1', v: 2, deleted: true, noImage: true }));
    expect(matches.of('1').outcome).toBe('withdrawn');
    expect(matches.isDeleted('1')).toBe(true);
    await running.send(call({ id: '1', v: 3, number: WORK }));
    expect(matches.isDeleted('1')).toBe(false);
    expect(matches.of('1').outcome).toBe('matched');
  });

  it('follows its contact when only the account changes', async () => {
    const matches = new Matches();
    const running = await start({ matches });
    await running.send(
      ada,
      call({ id: '1', number: WORK }),
      contact({ id: '003A', v: 2, account_id: '001B', ...withPhone(WORK) }),
    );
    expect(matches.of('1').account_id).toBe('001B');
    await running.send(account({ id: '001B', deleted: true, merged_into: '001C' }));
    expect(matches.of('1').account_id).toBe('001C');
  });

  it("follows its account's country, by which a phone in national form is read", async () => {
    const matches = new Matches();
    const running = await start({ matches });
    const events = [
      contact({ id: '003A', account_id: '001A', ...withPhone('020 7946 0958') }),
      call({ id: '1', number: '+442079460958' }),
    ];
    await running.send(...events);
    expect(matches.of('1').outcome).toBe('unmatched');
    await running.send(account({ id: '001A', billing_country: 'GB' }));
    await running.idle();
    expect(matches.of('1')).toMatchObject({ outcome: 'matched', contact_id: '003A' });
    await running.send(account({ id: '001A', v: 2, billing_country: 'France' }));
    await running.idle();
    expect(matches.of('1').outcome).toBe('unmatched');
  });

  it('is published again only when it changed', async () => {
    const matches = new Matches();
    const running = await start({ matches });
    await running.send(ada, call({ id: '1', number: WORK }));
    const { published } = matches;
    await running.send(ada, call({ id: '1', number: WORK }), call({ id: '1', v: 2, number: WORK }));
    await running.send(contact({ id: '003A', v: 2, account_id: '001A', title: 'Director', ...withPhone(WORK) }));
    expect(matches.published).toBe(published);
  });

  it("carries the key of its activity, its owner's version, and the trace of what caused it", async () => {
    const published: Parameters<typeof codec.decodeCanonical>[1][] = [];
    const running = await start({ epoch: 7, onPublish: ({ messages }) => void published.push(...messages) });
    await running.send(call({ id: '1', number: WORK }));
    await running.send(ada);
    const [first, second] = published.map((message) => codec.decodeCanonical('match', message).envelope);
    expect(first).toMatchObject({
      source: 'dialpad',
      instance: 'northwind',
      object: 'call',
      id: '1#external',
      trace: 'trace-1-1',
    });
    expect(first?.version).toEqual({ epoch: 7, sourceSequence: 1, issuedMicros: 0, generation: 0 });
    expect(second).toMatchObject({ trace: 'trace-003A-1', version: { epoch: 7, sourceSequence: 2 } });
  });
});

describe('an ack', () => {
  it('waits for the segment, the match does not', async () => {
    const matches = new Matches();
    const objects = memoryObjects();
    let release = (): void => undefined;
    const running = await start({ matches, objects });
    let isStoring = false;
    objects.beforePut = () => {
      isStoring = true;
      return new Promise((resolve) => (release = resolve));
    };
    let isAcked = false;
    const answered = running.deliver([call({ id: '1', number: WORK })]).then(() => (isAcked = true));
    await running.clock.until(() => isStoring);
    expect(matches.published).toBe(1);
    expect(isAcked).toBe(false);
    release();
    await running.clock.until(() => isAcked);
    await answered;
  });

  it('is refused while segments cannot be stored, and given once they can: nothing is lost in between', async () => {
    const objects = memoryObjects();
    const first = await start({ objects });
    objects.beforePut = async () => {
      throw new Transient('disk_full', 'No space is left.');
    };
    await expect(first.send(ada)).rejects.toThrow('No space');
    objects.beforePut = async () => undefined;
    await first.send(ada);
    const matches = new Matches();
    const second = await start({ objects, epoch: 2, matches });
    await second.send(call({ id: '1', number: WORK }));
    expect(matches.of('1').contact_id).toBe('003A');
  });

  it('is not given by an owner who was replaced', async () => {
    const objects = memoryObjects();
    const first = await start({ objects, epoch: 1 });
    await start({ objects, epoch: 2 });
    // Not as a fault of the message: the runtime pauses the service, and the probe never succeeds again.
    for (const _again of [1, 2]) await expect(first.send(ada)).rejects.toThrow(DependencyDown);
    await expect(first.living.probe?.()).rejects.toThrow(Stale);
  });

  it('shares a segment with those of its time', async () => {
    const objects = memoryObjects();
    const running = await start({ objects });
    const before = objects.stored.size;
    await running.send(...calls(20));
    const many = Array.from({ length: 20 }, (_, n) => running.deliver([call({ id: `x${n}`, number: OTHER })]));
    await running.clock.until(() => running.living.busy?.() === false);
    await Promise.all(many);
    expect(objects.stored.size - before).toBeLessThanOrEqual(3);
  });
});

describe('a restart', () => {
  it('has no hole, though the warehouse has seen nothing yet', async () => {
    const objects = memoryObjects();
    const lagging: Parameters<Matches['take']>[0][] = [];
    const first = await start({ objects, epoch: 1, onPublish: ({ messages }) => void lagging.push(messages) });
    await first.send(...calls(3), ada);
    const second = await start({ objects, epoch: 2, onPublish: ({ messages }) => void lagging.push(messages) });
    await second.send(
      call({ id: '9', number: WORK }),
      contact({ id: '003A', v: 2, account_id: '001B', ...withPhone(WORK) }),
    );
    await second.idle();
    const matches = new Matches();
    for (const messages of lagging.reverse()) matches.take([...messages].reverse());
    for (const id of ['1', '2', '3', '9'])
      expect(matches.of(id)).toMatchObject({ outcome: 'matched', contact_id: '003A', account_id: '001B' });
  });

  it('publishes again, with a greater version, what was published and not written down', async () => {
    const objects = memoryObjects();
    const matches = new Matches();
    const first = await start({ objects, epoch: 1, matches });
    await first.send(call({ id: '1', number: WORK }));
    objects.beforePut = () => new Promise(() => undefined);
    void first.deliver([ada]);
    await first.clock.until(() => matches.of('1').outcome === 'matched');
    objects.beforePut = async () => undefined;
    const second = await start({ objects, epoch: 2, matches });
    // The contact lost the number meanwhile: to the log nothing has changed, yet the match of the dead owner must go.
    await second.send(contact({ id: '003A', v: 2, account_id: '001A', ...withPhone(OTHER) }), ada);
    expect(matches.of('1').outcome).toBe('unmatched');
  });

  it('finishes what an owner had acked and not yet decided', async () => {
    const objects = memoryObjects();
    const matches = new Matches();
    let piecesLeft = Number.POSITIVE_INFINITY;
    const first = await start({
      objects,
      epoch: 1,
      matches,
      onPublish: async () => {
        if ((piecesLeft -= 1) < 0) await new Promise(() => undefined);
      },
    });
    await first.send(...calls(2_500));
    await first.idle();
    piecesLeft = 1;
    await first.send(ada);
    const open = (): number => Object.values(matches.visible()).filter(({ outcome }) => outcome === 'unmatched').length;
    expect(open()).toBe(1_500);
    const second = await start({ objects, epoch: 2, matches });
    await second.idle();
    expect(open()).toBe(0);
  });

  it('decides nothing again after a clean stop', async () => {
    const objects = memoryObjects();
    const matches = new Matches();
    const first = await start({ objects, epoch: 1, matches });
    await first.send(...calls(50), ada);
    await first.idle();
    await first.stop();
    const { published } = matches;
    const second = await start({ objects, epoch: 2, matches });
    expect(second.living.busy?.()).toBe(false);
    await second.idle();
    expect(matches.published).toBe(published);
  });
});

describe('a shared line', () => {
  it('with 10,000 calls is worked off in pieces, and a live call overtakes it', async () => {
    const matches = new Matches();
    const sizes: number[] = [];
    let live: Promise<void> | undefined;
    const running = await start({
      matches,
      onPublish: ({ messages }) => {
        sizes.push(messages.length);
        if (sizes.length === 2) live ??= running.deliver([call({ id: 'live', number: WORK })]);
      },
    });
    for (let from = 0; from < 10_000; from += 1_000) {
      const bulk = Array.from({ length: 1_000 }, (_, n) => call({ id: `c${from + n}`, number: WORK, lane: 'bulk' }));
      await running.send(...bulk);
    }
    sizes.length = 0;
    live = undefined as Promise<void> | undefined;
    await running.send(contact({ id: '003A', account_id: '001A', lane: 'bulk', ...withPhone(WORK) }));
    await running.idle();
    await live;
    expect(sizes).toHaveLength(11);
    expect(sizes.indexOf(1)).toBe(2);
    expect(Math.max(...sizes)).toBeLessThanOrEqual(1_000);
    const outcomes = Object.values(matches.visible()).map(({ outcome }) => outcome);
    expect(outcomes.filter((outcome) => outcome === 'matched')).toHaveLength(10_001);
  });
});
