import { describe, expect, it } from 'vitest';
import { Interner } from '#services/resolver/index/interner.ts';
import { Links, pack } from '#services/resolver/index/links.ts';
import { Postings } from '#services/resolver/index/postings.ts';
import { Versions } from '#services/resolver/index/versions.ts';
import { LINK } from '#services/resolver/state.ts';
import { Waiting, type Cause } from '#services/resolver/waiting.ts';
import { seededRandom } from '#test/kit/random.ts';

describe('the interner', () => {
  it('gives each text one number and back, whatever the alphabet and length', () => {
    const interner = new Interner();
    const texts = [
      '',
      'a',
      'zoë@company.example',
      '電話',
      'x'.repeat(254),
      'x'.repeat(255),
      'x'.repeat(70_000),
      'é'.repeat(400),
    ];
    for (let n = 0; n < 20_000; n++) texts.push(`+1213555${n}`);
    const ordinals = texts.map((text) => interner.intern(text));
    expect(ordinals).toEqual(texts.map((_, index) => index));
    texts.forEach((text, index) => {
      expect(interner.intern(text)).toBe(index);
      expect(interner.text(index)).toBe(text);
    });
    expect(interner.size).toBe(texts.length);
  });

  it('takes a prefix and a text for one text', () => {
    const interner = new Interner();
    expect(interner.intern('b', 'a')).toBe(interner.intern('ab'));
  });
});

describe('postings', () => {
  it('are sets, as seen against sets', () => {
    for (let seed = 1; seed <= 50; seed++) {
      const random = seededRandom(seed);
      const postings = new Postings();
      const model = Array.from({ length: 5 }, () => new Set<number>());
      for (let step = 0; step < 300; step++) {
        const of = random.below(5);
        const member = random.below(8);
        const set = model[of] as Set<number>;
        if (set.has(member)) postings.remove(of, member);
        else postings.add(of, member);
        if (!set.delete(member)) set.add(member);
      }
      model.forEach((set, of) => {
        const found: number[] = [];
        postings.each(of, (member) => found.push(member));
        expect(found.sort(), `seed ${seed}`).toEqual([...set].sort());
      });
    }
  });
});

describe('links', () => {
  it('find their holders by each target once, and forget them when replaced', () => {
    const links = new Links();
    const holders = (of: number): number[] => {
      const found: number[] = [];
      links.byIdentifier.each(of, (holder) => found.push(holder));
      return found;
    };
    links.set(0, [pack(LINK.phone, 7), pack(LINK.phone + 2, 7), pack(LINK.account, 7)]);
    expect(holders(7)).toEqual([0]);
    expect(links.set(0, [pack(LINK.phone, 7), pack(LINK.phone + 2, 7), pack(LINK.account, 7)])).toBe(false);
    links.set(0, [pack(LINK.phone, 7)]);
    expect(holders(7)).toEqual([0]);
    links.set(0, [pack(LINK.email, 8)]);
    expect([holders(7), holders(8)]).toEqual([[], [0]]);
    links.set(0, []);
    expect(holders(8)).toEqual([]);
  });
});

describe('versions', () => {
  it('are kept whole, epoch and generation too', () => {
    const versions = new Versions();
    const replay = { epoch: 2, sourceSequence: 1.7e15, issuedMicros: 1.7e15 + 1, generation: 3 };
    expect(versions.get(5)).toBeUndefined();
    expect(versions.raise(5, replay)).toBe('newer');
    expect(versions.raise(5, replay)).toBe('same');
    expect(versions.raise(5, { ...replay, generation: 2 })).toBe('older');
    expect(versions.get(5)).toEqual(replay);
  });
});

describe('what waits', () => {
  const cause = (lane: 'live' | 'bulk', isEvent = true): Cause => ({
    lane,
    trace: lane,
    runId: null,
    changedAtMicros: null,
    isEvent,
  });

  it('waits once, and leaves live first', () => {
    const waiting = new Waiting();
    for (const participant of [1, 2, 3]) waiting.add(participant, cause('bulk'));
    waiting.add(3, cause('live'));
    waiting.add(3, cause('bulk'));
    waiting.add(1, cause('bulk'));
    expect(waiting.size).toBe(3);
    expect(waiting.take(10).map(({ participant }) => participant)).toEqual([3]);
    expect(waiting.take(1).map(({ participant }) => participant)).toEqual([1]);
    expect(waiting.take(10).map(({ participant }) => participant)).toEqual([2]);
  });

  it('of a sweep is an event once an event names it', () => {
    const waiting = new Waiting();
    waiting.add(1, cause('bulk', false));
    waiting.add(1, cause('bulk'));
    waiting.add(1, cause('bulk', false));
    expect(waiting.take(1)[0]?.cause.isEvent).toBe(true);
  });
});
