import { describe, expect, it } from 'vitest';
import { shares } from '#adapters/broker/pubsub/shares.ts';
import type { Flow } from '#core/ports/broker.ts';

const flow = (outstandingMessages: number, outstandingBytes: number): Flow => ({
  batchMessages: 1_000,
  batchBytes: 4_000_000,
  lingerMs: 10,
  outstandingMessages,
  outstandingBytes,
});

const budget = { outstandingBytesTotal: 64_000_000, outstandingMessagesTotal: 20_000 };
const sum = (flows: readonly Flow[], what: 'outstandingBytes' | 'outstandingMessages'): number =>
  flows.reduce((total, one) => total + one[what], 0);

describe("a service's flow limits", () => {
  it('are what was asked for while all fit the budget', () => {
    const asked = [flow(4_000, 32_000_000), flow(4_000, 32_000_000)];
    expect(shares(asked, budget)).toEqual(asked);
  });

  it.each([
    ['two that ask for too many bytes', [flow(10, 64_000_000), flow(10, 64_000_000)]],
    ['forty of a writer', Array.from({ length: 40 }, () => flow(24_000, 48_000_000))],
    ['a large one and small ones', [flow(20_000, 64_000_000), flow(100, 1_000_000), flow(100, 1_000_000)]],
  ])('never exceed the budget together: %s', (_, asked) => {
    const given = shares(asked, budget);
    expect(sum(given, 'outstandingBytes')).toBeLessThanOrEqual(budget.outstandingBytesTotal);
    expect(sum(given, 'outstandingMessages')).toBeLessThanOrEqual(budget.outstandingMessagesTotal);
  });

  it('are cut in proportion to what was asked for', () => {
    const [large, small] = shares([flow(100, 96_000_000), flow(100, 32_000_000)], budget);
    expect(large?.outstandingBytes).toBe(48_000_000);
    expect(small?.outstandingBytes).toBe(16_000_000);
  });

  it('leave no batch larger than what may be held, or each would wait out its linger', () => {
    for (const { batchMessages, batchBytes, outstandingMessages, outstandingBytes } of shares(
      Array.from({ length: 40 }, () => flow(24_000, 48_000_000)),
      budget,
    )) {
      expect(batchMessages * 2).toBeLessThanOrEqual(outstandingMessages);
      expect(batchBytes * 2).toBeLessThanOrEqual(outstandingBytes);
    }
  });

  it('let at least one message pass, however many there are', () => {
    const given = shares(
      Array.from({ length: 1_000 }, () => flow(10, 10)),
      { outstandingBytesTotal: 5, outstandingMessagesTotal: 5 },
    );
    expect(given[0]).toMatchObject({ outstandingMessages: 1, outstandingBytes: 1, batchMessages: 1, batchBytes: 1 });
  });
});
