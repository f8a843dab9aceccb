import { describe, expect, it } from 'vitest';
import { DependencyDown, Misconfigured } from '#core/errors.ts';
import { examine, failure, ok, warning, type Check, type Reported } from '#runtime/doctor/check.ts';
import { nodeCheck } from '#runtime/doctor/machine.ts';
import { aheadBy, skewsBy } from '#runtime/doctor/skew.ts';
import { virtualClock } from '#test/kit/virtual-clock.ts';

const OTHERWISE = 'Look at the network.';
const check = (name: string, run: Check['run']): Check => ({ name, otherwise: OTHERWISE, run });

describe('checks that run beside each other', () => {
  it('are told in their order; one that hangs is failed after its time, told to stop, and hides no other', async () => {
    const clock = virtualClock();
    const told: Reported[] = [];
    let stopped = false;
    const hangs = check('hangs', async (signal) => {
      signal.addEventListener('abort', () => (stopped = true));
      return new Promise(() => undefined);
    });
    const examining = examine([check('first', async () => ok('Well.')), hangs, check('last', async () => [warning('So-so.', 'Mend it.')])], clock, (found) => told.push(found)); // prettier-ignore
    await clock.advance(15_000);
    const { reported, hanging } = await examining;
    expect(reported).toEqual([
      { check: 'first', verdict: 'ok', what: 'Well.', todo: null },
      { check: 'hangs', verdict: 'failed', what: 'There was no answer within 15 s.', todo: OTHERWISE },
      { check: 'last', verdict: 'warning', what: 'So-so.', todo: 'Mend it.' },
    ]);
    expect([told, hanging, stopped]).toEqual([reported, ['hangs'], true]);
  });

  it.each([
    [new Misconfigured('c', 'There is no bucket b: make it.'), 'There is no bucket b.', 'Make it.'],
    [new DependencyDown('store', 'It is down.'), 'It is down.', OTHERWISE],
    [new TypeError('x is not a function'), 'It could not be looked at: x is not a function', OTHERWISE],
  ])('a check that throws %o has failed, with what to do', async (error, what, todo) => {
    const { reported } = await examine([check('throws', () => Promise.reject(error))], virtualClock());
    expect(reported).toEqual([{ check: 'throws', verdict: 'failed', what, todo }]);
    expect(failure(error, OTHERWISE)).toMatchObject({ what, todo });
  });
});

describe('the machine', () => {
  it.each([
    ['24.1.0', 'ok'],
    ['22.11.0', 'failed'],
  ])('with Node %s is %s', async (version, verdict) => {
    expect(await nodeCheck(version).run(new AbortController().signal)).toMatchObject({ verdict });
  });

  it.each([
    ['agrees within what a header and a slow answer leave open', 10_000, 9_500, 12_000, 0],
    ['is ahead', 10_000, 15_000, 15_100, 4_000],
    ['is behind', 10_000, 7_000, 7_100, -2_900],
  ])('whose clock %s is told by how much', (_, theirMs, askedMs, heardMs, aheadMs) => {
    expect(aheadBy(theirMs, askedMs, heardMs)).toBe(aheadMs);
  });

  it('hears nothing of the time from an answer that does not say it', () => {
    const skews = skewsBy(virtualClock());
    skews.listening('server')({ headers: { date: 'soon' }, issuedMicros: 0 });
    expect(skews.seen).toEqual([]);
  });
});
