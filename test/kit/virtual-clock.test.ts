import { describe, expect, it } from 'vitest';
import { virtualClock } from './virtual-clock.ts';

describe('the virtual clock', () => {
  it('runs timers in order of time, with the time they were due at', async () => {
    const clock = virtualClock();
    const seen: number[] = [];
    clock.after(20, () => seen.push(clock.monotonicMs()));
    clock.after(10, () => seen.push(clock.monotonicMs()));
    clock.after(31, () => seen.push(clock.monotonicMs()));
    await clock.advance(30);
    expect(seen).toEqual([10, 20]);
    expect(clock.pending).toBe(1);
  });

  it('runs a timer that an awaited sleep sets on the way', async () => {
    const clock = virtualClock();
    let done = false;
    void (async () => {
      await clock.sleep(10);
      await clock.sleep(10);
      done = true;
    })();
    await clock.advance(20);
    expect(done).toBe(true);
  });

  it('steps the wall clock without waking a timer', async () => {
    const clock = virtualClock();
    const before = clock.nowMicros();
    clock.stepWall(-5_000);
    await clock.advance(1_000);
    expect(clock.nowMicros() - before).toBe(-4_000_000);
    expect(clock.monotonicMs()).toBe(1_000);
  });

  it('says so when a condition never holds', async () => {
    await expect(virtualClock().until(() => false, 100)).rejects.toThrow('within 100 ms');
  });
});
