import { describe, expect, it } from 'vitest';
import { createVendor } from '#adapters/vendor/index.ts';
import { virtualClock } from '#test/kit/virtual-clock.ts';
import { describeVendorContract } from '#test/contract/vendor.ts';

describeVendorContract('http and grpc', (options) => {
  const vendor = createVendor(options);
  return { vendor, close: () => vendor.close() };
});

describe('making the way to the sources', () => {
  it('says which file is missing', () => {
    const clock = virtualClock();
    expect(() => createVendor({ clock, caFile: '/no/such/ca.pem' })).toThrow(/\/no\/such\/ca\.pem/);
    expect(() => createVendor({ clock, protoFiles: ['/no/such.proto'] })).toThrow(/\/no\/such\.proto/);
  });
});
