import { describe, expect, it } from 'vitest';
import { openPoll } from '#core/capture/poll-window.ts';

const SECOND = 1_000_000;
const LOOK_BACK = { lookBackMs: 10_000 };
const row = (id: string, second: number) => ({ id, modifiedMicros: second * SECOND });

describe('a poll', () => {
  it('asks again for the look-back before its watermark, and for all when it never polled', () => {
    expect(openPoll(100 * SECOND, 150 * SECOND, LOOK_BACK).window).toEqual({
      fromMicros: 90 * SECOND,
      toMicros: 150 * SECOND,
    });
    expect(openPoll(null, 150 * SECOND, LOOK_BACK).window).toEqual({ fromMicros: 0, toMicros: 150 * SECOND });
  });

  it('has no window that ends before it begins, though our clock is far behind', () => {
    expect(openPoll(100 * SECOND, 20 * SECOND, LOOK_BACK).window).toEqual({
      fromMicros: 90 * SECOND,
      toMicros: 90 * SECOND,
    });
  });

  it('does not move its watermark past a page that is not confirmed', () => {
    const poll = openPoll(100 * SECOND, 150 * SECOND, LOOK_BACK);
    const first = poll.page([row('a', 101), row('b', 110)]);
    const second = poll.page([row('c', 120)]);
    expect(second()).toBeNull();
    expect(first()).toBe(120 * SECOND);
  });

  it('moves its watermark to a time of the source, never to ours', () => {
    const poll = openPoll(100 * SECOND, 150 * SECOND, LOOK_BACK);
    expect(poll.page([row('a', 101)])()).toBe(101 * SECOND);
    expect(openPoll(100 * SECOND, 150 * SECOND, LOOK_BACK).page([])()).toBeNull();
    expect(openPoll(null, 150 * SECOND, LOOK_BACK).page([])()).toBeNull();
  });

  it('does not move its watermark back over the look-back', () => {
    expect(openPoll(100 * SECOND, 150 * SECOND, LOOK_BACK).page([row('a', 95)])()).toBeNull();
  });

  it('begins each page after the last row of the one before, an empty page included', () => {
    const poll = openPoll(null, 150 * SECOND, LOOK_BACK);
    expect(poll.after).toBeNull();
    poll.page([row('a', 101), row('b', 101)]);
    poll.page([]);
    expect(poll.after).toEqual(row('b', 101));
  });
});
