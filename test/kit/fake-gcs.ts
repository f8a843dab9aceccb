/** A bucket on the Cloud Storage fake for tests, which skip where it cannot be built. */
import { systemClock, systemRandom } from '#adapters/clock/system.ts';
import type { GcsOptions } from '#adapters/objects/gcs-wire.ts';
import type { Clock } from '#core/clock.ts';
import { createBucket, findFakeGcs } from '#tools/emulators/gcs.ts';

process.env['METADATA_SERVER_DETECTION'] ??= 'none';

const found = await findFakeGcs();
/** Undefined where it is missing: `MISSING` says why. */
export const BINARY = 'binary' in found ? found.binary : undefined;
export const MISSING = 'missing' in found ? ` (skipped: ${found.missing})` : '';

/** Waits no time, and knows how much it would have waited; deadlines are real. */
export function hastyClock(): Clock {
  let skippedMs = 0;
  return {
    ...systemClock,
    monotonicMs: () => systemClock.monotonicMs() + skippedMs,
    async sleep(ms, signal) {
      signal?.throwIfAborted();
      skippedMs += ms;
    },
  };
}

let buckets = 0;

/** A new bucket, and what opens it. */
export async function newBucket(endpoint: string, clock: Clock = hastyClock()): Promise<GcsOptions> {
  const bucket = `bucket-${process.pid}-${(buckets += 1)}`;
  await createBucket(endpoint, bucket);
  return { projectId: 'local', bucket, endpoint, clock, random: systemRandom };
}

/** As above, and deadlines come a hundred times sooner. */
export function impatientClock(): Clock {
  return { ...hastyClock(), after: (ms, action) => systemClock.after(ms / 100, action) };
}
