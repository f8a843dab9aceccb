import { describe, expect, it } from 'vitest';
import { filterText, wants } from '#adapters/broker/filter.ts';

describe('a subscription’s filter', () => {
  it('reads for Pub/Sub as the design says', () => {
    expect(filterText({ lane: 'bulk', service: 'normalizer' })).toBe(
      'attributes.lane="bulk" AND (NOT attributes:to OR attributes.to="normalizer")',
    );
    expect(filterText({ lane: 'any', service: 'watch' })).toBe('(NOT attributes:to OR attributes.to="watch")');
  });

  it('is refused when Pub/Sub would refuse it', () => {
    expect(() => filterText({ lane: 'bulk', service: 'x'.repeat(250) })).toThrow('256 bytes');
  });

  it.each([
    [{ lane: 'live' }, true],
    [{ lane: 'live', to: 'reader' }, true],
    [{ lane: 'live', to: 'other' }, false],
    [{ lane: 'bulk' }, false],
    [{}, false],
  ])('for lane live and service reader says of %j: %s', (attributes, expected) => {
    expect(wants({ lane: 'live', service: 'reader' }, attributes as Record<string, string>)).toBe(expected);
  });
});
