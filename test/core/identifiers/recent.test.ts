import { expect, it } from 'vitest';
import { Recent } from '#core/identifiers/recent.ts';

it('never holds more than it may', () => {
  const recent = new Recent<number>(10);
  for (let entry = 0; entry < 1_000; entry++) recent.set(`k${entry}`, entry);
  expect(recent.size).toBeLessThanOrEqual(10);
});

it('keeps what is asked for and forgets what is not', () => {
  const recent = new Recent<number>(10);
  recent.set('kept', 1);
  recent.set('forgotten', 2);
  for (let entry = 0; entry < 100; entry++) {
    recent.set(`k${entry}`, entry);
    expect(recent.get('kept')).toBe(1);
  }
  expect(recent.get('forgotten')).toBeUndefined();
});

it('remembers nothing when it may hold nothing', () => {
  const recent = new Recent<number>(0);
  recent.set('k', 1);
  expect(recent.get('k')).toBeUndefined();
});
