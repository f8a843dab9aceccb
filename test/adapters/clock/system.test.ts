import { describe, expect, it } from 'vitest';
import { systemClock } from '#adapters/clock/system.ts';

describe('the system clock', () => {
  it('gives whole microseconds near the wall clock', () => {
    const micros = systemClock.nowMicros();
    expect(Number.isSafeInteger(micros)).toBe(true);
    expect(Math.abs(micros / 1_000 - Date.now())).toBeLessThan(1_000);
  });

  it('rejects a sleep with the reason when it is aborted', async () => {
    const abort = new AbortController();
    const sleeping = systemClock.sleep(60_000, abort.signal);
    abort.abort(new Error('stopped'));
    await expect(sleeping).rejects.toThrow('stopped');
    await expect(systemClock.sleep(0, abort.signal)).rejects.toThrow('stopped');
  });

  it('does not call a cancelled timer', async () => {
    let called = false;
    systemClock.after(1, () => (called = true))();
    await systemClock.sleep(5);
    expect(called).toBe(false);
  });

  it('does not fire a timer of more than 24 days at once', async () => {
    let called = false;
    const cancel = systemClock.after(2 ** 40, () => (called = true));
    await systemClock.sleep(5);
    cancel();
    expect(called).toBe(false);
  });
});
