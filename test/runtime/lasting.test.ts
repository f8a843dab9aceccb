import { describe, expect, it } from 'vitest';
import type { Consumer } from '#core/ports/broker.ts';
import { LastingConsumer } from '#runtime/lasting.ts';
import { virtualClock } from '#test/kit/virtual-clock.ts';

interface Made {
  readonly log: string[];
  readonly consumer: Consumer;
  lose(): void;
}

function made(): Made {
  const log: string[] = [];
  const end = Promise.withResolvers<void>();
  return {
    log,
    lose: () => end.reject(new Error('gone')),
    consumer: {
      pause: async () => void log.push('pause'),
      resume: () => void log.push('resume'),
      drain: async () => void log.push('drain'),
      started: Promise.resolve(),
      ended: end.promise,
    },
  };
}

function lasting() {
  const clock = virtualClock();
  const all: Made[] = [];
  const lost: unknown[] = [];
  const consume = (): Consumer => {
    const next = made();
    all.push(next);
    return next.consumer;
  };
  const consumer = new LastingConsumer(consume, { clock, onLost: (error) => lost.push(error) });
  return { clock, all, lost, consumer };
}

describe('a subscription that is gone', () => {
  it('is told of, and consumed anew as often as it takes', async () => {
    const { clock, all, lost } = lasting();
    for (const times of [1, 2, 3]) {
      all.at(-1)?.lose();
      await clock.until(() => all.length > times, 60_000);
      expect(lost).toHaveLength(times);
    }
  });

  it('is consumed anew but paused while its service is', async () => {
    const { clock, all, consumer } = lasting();
    await consumer.pause();
    all[0]?.lose();
    await clock.until(() => all.length === 2, 60_000);
    expect(all[1]?.log).toEqual(['pause']);
    consumer.resume();
    expect(all[1]?.log).toEqual(['pause', 'resume']);
  });

  it('is not consumed anew after a drain, which ends the consumer', async () => {
    const { clock, all, consumer } = lasting();
    all[0]?.lose();
    await clock.until(() => true, 1);
    await consumer.drain(100);
    await consumer.ended;
    await clock.advance(60_000);
    expect(all).toHaveLength(1);
  });
});

it('one that was never gone is itself', async () => {
  const { all, lost, consumer } = lasting();
  await consumer.started;
  await consumer.pause();
  consumer.resume();
  await consumer.drain(100);
  expect([all[0]?.log, lost]).toEqual([['pause', 'resume', 'drain'], []]);
});
