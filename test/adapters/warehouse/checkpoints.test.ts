import { describe, expect, it } from 'vitest';
import { Checkpoints } from '#adapters/warehouse/duckdb/checkpoints.ts';
import { virtualClock } from '#test/kit/virtual-clock.ts';

function arranged(walBytes: number) {
  const clock = virtualClock();
  const state = { walBytes, started: 0, finish: (_error?: Error): void => undefined };
  const checkpoints = new Checkpoints({
    clock,
    walBytes: async () => state.walBytes,
    checkpoint: () => {
      state.started++;
      return new Promise((resolve, reject) => {
        state.finish = (error) => (error === undefined ? resolve() : reject(error));
      });
    },
  });
  return { clock, state, checkpoints };
}

describe('checkpoints', () => {
  it('are never waited for by a commit', async () => {
    const { state, checkpoints } = arranged(100_000_000);
    await checkpoints.committed();
    expect(state.started).toBe(1);
    await checkpoints.committed();
    expect(state.started).toBe(1);
  });

  it('wait while writes come one after another and the log is small', async () => {
    const { clock, state, checkpoints } = arranged(10_000_000);
    for (let write = 0; write < 100; write++) {
      await checkpoints.committed();
      await clock.advance(1_000);
    }
    expect(state.started).toBe(0);
    await clock.advance(2_000);
    expect(state.started).toBe(1);
  });

  it('leave a log alone that is not worth a stall', async () => {
    const { clock, state, checkpoints } = arranged(1_000);
    await checkpoints.committed();
    await clock.advance(60_000);
    expect(state.started).toBe(0);
  });

  it('are tried again after one has failed', async () => {
    const { clock, state, checkpoints } = arranged(100_000_000);
    await checkpoints.committed();
    state.finish(new Error('no space'));
    await clock.settle();
    await checkpoints.committed();
    expect(state.started).toBe(2);
  });

  it('stop when told', async () => {
    const { clock, state, checkpoints } = arranged(10_000_000);
    await checkpoints.committed();
    checkpoints.stop();
    await clock.advance(60_000);
    expect(state.started).toBe(0);
  });
});
