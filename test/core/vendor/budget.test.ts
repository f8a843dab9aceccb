import { describe, expect, it } from 'vitest';
import type { Purpose } from '#core/ports/vendor.ts';
import { dailyRate, tokenBudget } from '#core/vendor/budget.ts';
import { virtualClock } from '#test/kit/virtual-clock.ts';

const never = new AbortController().signal;

function setUp(capacity: number, perSecond: number) {
  const clock = virtualClock();
  const budget = tokenBudget(clock);
  budget.setRate({ capacity, perSecond });
  const went: Purpose[] = [];
  const ask = (purpose: Purpose, signal = never): void =>
    void budget.take(purpose, signal).then(
      () => went.push(purpose),
      () => undefined,
    );
  return { clock, budget, went, ask };
}

describe('a budget of calls', () => {
  it('keeps a reserve for live reads when a backfill has spent its part', async () => {
    const { clock, went, ask } = setUp(100, 0);
    for (let n = 0; n < 200; n += 1) ask('backfill');
    await clock.settle();
    const backfills = went.length;
    expect(backfills).toBeLessThanOrEqual(80);
    expect(backfills).toBeGreaterThan(75);
    for (let n = 0; n < 5; n += 1) ask('prompt');
    ask('settled');
    await clock.settle();
    expect(went.slice(backfills)).toEqual(['prompt', 'prompt', 'prompt', 'prompt', 'prompt', 'settled']);
  });

  it('serves settled reads first, then prompt ones, polls and backfills, in whatever order they came', async () => {
    const { clock, budget, went, ask } = setUp(10, 1);
    budget.cap(0);
    for (const purpose of ['backfill', 'poll', 'prompt', 'settled'] as const) ask(purpose);
    await clock.advance(20_000);
    expect(went).toEqual(['settled', 'prompt', 'poll', 'backfill']);
  });

  it('lets nobody wait for a token of authorisation', async () => {
    const { clock, budget, went, ask } = setUp(10, 0);
    budget.cap(0);
    ask('auth');
    await clock.settle();
    expect(went).toEqual(['auth']);
  });

  it('gives nothing to who has gone', async () => {
    const { clock, budget, went, ask } = setUp(10, 1);
    budget.cap(0);
    const gone = new AbortController();
    ask('settled', gone.signal);
    ask('prompt');
    gone.abort(new Error('gone'));
    await clock.advance(10_000);
    expect(went).toEqual(['prompt']);
    expect(budget.waiting).toBe(0);
  });

  it('holds nothing back before the allowance is known', async () => {
    const clock = virtualClock();
    const budget = tokenBudget(clock);
    for (let n = 0; n < 1_000; n += 1) await budget.take('backfill', never);
    expect(budget.waiting).toBe(0);
  });

  it('spends no more than its share in any day', () => {
    const { capacity, perSecond } = dailyRate(100_000, 50);
    expect(capacity + perSecond * 86_400).toBeCloseTo(50_000);
  });
});
