/**
 * What the resolver shows in the end is a function of the records and activities alone: not of the order of arrival, nor of
 * repetitions, batches, lanes, publishes that fail, or an owner that dies at any moment and is followed by another.
 */
import { describe, expect, it } from 'vitest';
import { Transient } from '#core/errors.ts';
import type { Publish } from '#test/kit/context.ts';
import { seededRandom, seedFromEnvironment, type SeededRandom } from '#test/kit/random.ts';
import {
  account,
  call,
  callDetail,
  contact,
  lead,
  memoryObjects,
  phone,
  task,
  US,
  user,
  type MemoryObjects,
  type Sent,
} from './kit.ts';
import { Matches, resolved, runs, start, type Running } from './river.ts';

const SEEDS = 100;
const FIRST_SEED = seedFromEnvironment(1);

const PHONES = ['+12135550142', '+12135550142 x12', '+13105550123', '+442079460958', '020 7946 0958', '(310) 555-0123'];
const EMAILS = ['ada@acme.example', 'info@acme.example', 'lee@other.example'];
const COUNTRIES = [null, 'United Kingdom', 'US'];
const CONTACTS = ['003A', '003B', '003C', '003D'];
const LEADS = ['00QA', '00QB'];
const ACCOUNTS = ['001A', '001B', '001C'];

/** Every state that ever was of a small world, in no order. */
function history(random: SeededRandom): Sent[] {
  const events: Sent[] = [];
  const states = (ids: readonly string[], most: number, make: (id: string, v: number) => Sent): void => {
    for (const id of ids) for (let v = random.below(3); v < most; v += 1 + random.below(2)) events.push(make(id, v));
  };
  const maybe = <T>(items: readonly T[], chance = 0.6): T | null => (random.chance(chance) ? random.pick(items) : null);
  const phones = () => {
    const raw = maybe(PHONES, 0.8);
    return raw === null
      ? []
      : [phone(random.chance(0.5) ? 'phone' : 'mobile_phone', raw, random.chance(0.5) ? US : [])];
  };
  const lane = () => (random.chance(0.5) ? 'live' : 'bulk');
  const gone = () => random.chance(0.2);
  const noImage = () => random.chance(0.1);
  states(CONTACTS, 4, (id, v) =>
    contact({
      id,
      v,
      lane: lane(),
      deleted: gone(),
      noImage: noImage(),
      merged_into: maybe(CONTACTS, 0.15),
      account_id: maybe(ACCOUNTS),
      email: maybe(EMAILS),
      phones: phones(),
    }),
  );
  states(LEADS, 3, (id, v) =>
    lead({
      id,
      v,
      lane: lane(),
      deleted: gone(),
      converted_contact_id: maybe(CONTACTS, 0.4),
      converted_account_id: maybe(ACCOUNTS, 0.4),
      email: maybe(EMAILS),
      phones: phones(),
    }),
  );
  states(ACCOUNTS, 3, (id, v) =>
    account({
      id,
      v,
      lane: lane(),
      deleted: gone(),
      merged_into: maybe(ACCOUNTS, 0.2),
      billing_country: maybe(COUNTRIES, 0.7),
      phones: random.chance(0.2) ? phones() : [],
    }),
  );
  states(['005A'], 2, (id, v) =>
    user({ id, v, lane: lane(), deleted: gone(), phones: phones(), email: maybe(EMAILS, 0.2) }),
  );
  states(['1', '2', '3', '4', '5'], 2, (id, v) => {
    const number = maybe(PHONES.slice(0, 4), 0.9);
    const email = maybe(EMAILS, 0.3);
    return call({
      id,
      v,
      lane: lane(),
      deleted: random.chance(0.1),
      ...(number === null ? {} : { number }),
      ...(email === null ? {} : { email }),
    });
  });
  states(['1', '2'], 2, (id, v) => callDetail({ id, v, isInternal: random.chance(0.3) }));
  states(['00T1', '00T2', '00T3'], 2, (id, v) =>
    task({
      id,
      v,
      lane: lane(),
      deleted: random.chance(0.1),
      who_id: maybe([...CONTACTS, ...LEADS]),
      account_id: maybe(ACCOUNTS),
    }),
  );
  return events;
}

/** Sends the events in batches of random sizes, without waiting for one before the next. */
async function sendLoosely(running: Running, random: SeededRandom, events: readonly Sent[]): Promise<void> {
  const batches: Promise<void>[] = [];
  for (const run of runs(events)) {
    for (let from = 0; from < run.length;) {
      const size = 1 + random.below(3);
      batches.push(running.deliver(run.slice(from, from + size)));
      from += size;
    }
    if (random.chance(0.2)) await running.clock.advance(random.below(80));
  }
  let isDone = false;
  void Promise.allSettled(batches).then(() => (isDone = true));
  await running.clock.until(() => isDone);
  for (const batch of batches) await batch;
}

describe('the matches in the end', () => {
  it('do not depend on the order of arrival, on repetitions or on batches', async () => {
    for (let seed = FIRST_SEED; seed < FIRST_SEED + SEEDS; seed++) {
      const random = seededRandom(seed);
      const events = history(random);
      const expected = (await resolved(...events)).visible();
      const matches = new Matches();
      const running = await start({ matches });
      await sendLoosely(running, random, random.shuffled([...events, ...random.shuffled(events).slice(0, 10)]));
      await running.idle();
      expect(matches.visible(), `seed ${seed}`).toEqual(expected);
    }
  });

  it('do not depend on owners that die between publish, segment and ack, nor on what they then still do', async () => {
    for (let seed = FIRST_SEED; seed < FIRST_SEED + SEEDS; seed++) {
      const random = seededRandom(seed);
      const events = history(random);
      const expected = (await resolved(...events)).visible();
      const matches = await resolvedByMortals(random, events);
      expect(matches.visible(), `seed ${seed}`).toEqual(expected);
    }
  });
});

/**
 * Each owner ends after some publishes and puts. It dies there, before or after the last took effect; or it is replaced without
 * noticing and works on beside its successor, as long as it can. What was not acked goes to the next, in another order.
 */
async function resolvedByMortals(random: SeededRandom, events: readonly Sent[]): Promise<Matches> {
  const matches = new Matches();
  const stored = memoryObjects();
  const acked = new Set<Sent>();
  let owner = await mortal(random, stored, matches, 1);
  for (let epoch = 1; ; epoch++) {
    const left = events.filter((event) => !acked.has(event));
    const again = events.filter((event) => acked.has(event) && random.chance(0.1));
    const answered = deliverAll(owner, random.shuffled([...left, ...again]), acked);
    await owner.running.clock.until(
      () => owner.hasEnded() || answered.count === left.length + again.length,
      600_000,
      1,
    );
    if (acked.size === events.length && !owner.hasEnded()) {
      await owner.running.idle();
      return matches;
    }
    const next = mortal(random, stored, matches, epoch + 1);
    await owner.running.clock.advance(2_000);
    owner = await next;
  }
}

interface Owner {
  readonly running: Running;
  hasEnded(): boolean;
}

async function mortal(random: SeededRandom, stored: MemoryObjects, matches: Matches, epoch: number): Promise<Owner> {
  const isImmortal = epoch >= 6;
  const isDying = random.chance(0.6);
  let breaths = isImmortal ? Number.POSITIVE_INFINITY : random.below(12);
  const never = new Promise<never>(() => undefined);

  /** Does something that takes effect or not, and is reported or not. */
  async function breathe(effect: () => void): Promise<void> {
    if (breaths <= 0 && isDying) await never;
    breaths -= 1;
    const isFlaky = !isImmortal && random.chance(0.1);
    if (random.chance(0.5) || !(isFlaky || (breaths <= 0 && isDying))) effect();
    if (breaths <= 0 && isDying) await never;
    if (isFlaky) throw new Transient('flaky', 'A dependency did not answer.');
  }

  const objects: MemoryObjects = {
    ...stored,
    async put(name, bytes) {
      const effect = (): void => void stored.stored.set(name, bytes);
      return name.includes('/owners/') ? effect() : await breathe(effect);
    },
  };
  const onPublish = ({ messages }: Publish): Promise<void> => breathe(() => matches.take(messages));
  return { running: await start({ objects, epoch, onPublish }), hasEnded: () => breaths <= 0 };
}

function deliverAll({ running }: Owner, events: readonly Sent[], acked: Set<Sent>): { count: number } {
  const answered = { count: 0 };
  for (const event of events) {
    running.deliver([event]).then(
      () => {
        acked.add(event);
        answered.count += 1;
      },
      () => (answered.count += 1),
    );
  }
  return answered;
}
