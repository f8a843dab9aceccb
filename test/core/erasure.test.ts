import { expect, it } from 'vitest';
import { ERASED_EPOCH, erasure } from '#core/erasure.ts';
import { compareVersions } from '#core/version.ts';
import { discoverServices } from '#runtime/discover.ts';

const KEY = { source: 'salesforce', instance: 'acme', object: 'Contact', id: '003000000000001AAA' };

it('no epoch that any source may be configured with reaches an erasure', async () => {
  const configs = (await discoverServices()).map(({ declared }) => declared.config as Record<string, object>);
  const epochs = configs.flatMap((config) => Object.entries(config)).filter(([name]) => name.endsWith('.epoch'));
  expect(epochs.length).toBeGreaterThan(1);
  for (const [name, field] of epochs) {
    const { maximum } = field as { readonly maximum?: number };
    expect(maximum, name).toBeLessThan(ERASED_EPOCH);
  }
});

it('an erasure holds a key and no value, and of two the later wins', () => {
  const [first, second] = [erasure(KEY, 1, 'a'), erasure(KEY, 2, 'b')];
  expect(first).toMatchObject({ envelope: { ...KEY, operation: 'delete', hint: null }, record: null });
  expect(compareVersions(second.envelope.version, first.envelope.version)).toBeGreaterThan(0);
});
