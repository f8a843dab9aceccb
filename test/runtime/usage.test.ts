import { expect, it } from 'vitest';
import { DependencyDown } from '#core/errors.ts';
import type { Fact } from '#core/facts.ts';
import { UsageMeter } from '#runtime/usage.ts';
import { virtualClock } from '#test/kit/virtual-clock.ts';

const CALL = {
  source: 'salesforce',
  purpose: 'poll',
  operation: 'query',
  status: 200,
  durationMs: 1,
  allowanceUsed: null,
  allowanceMax: null,
};

it('calls that could not be told while the broker was down are told once it is back, counted once', async () => {
  const clock = virtualClock();
  const told: Fact<'api_call'>[] = [];
  let isDown = true;
  const meter = new UsageMeter(clock, 'p1', async (fact) => {
    if (isDown) throw new DependencyDown('disk', 'It is full.');
    told.push(fact);
  });
  meter.listener('vendorCalled', CALL);
  await expect(meter.flush()).rejects.toThrow(DependencyDown);
  await clock.advance(120_000);
  meter.listener('vendorCalled', CALL);
  await expect(meter.flush()).rejects.toThrow(DependencyDown);
  isDown = false;
  await meter.flush();
  await meter.flush();
  expect(told.map(({ record }) => record.calls)).toEqual([1, 1]);
});
