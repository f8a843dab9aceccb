/** What a bucket is set to, for who may see it. https://cloud.google.com/storage/docs/json_api/v1/buckets */
import { Misconfigured, Unauthorized } from '#core/errors.ts';
import { isRecord } from '#core/vendor/json.ts';
import { openWire, type GcsOptions } from './gcs-wire.ts';

export interface BucketSettings {
  readonly isVersioned: boolean;
  /** Undefined where the server does not say. */
  readonly isPublicPrevented: boolean | undefined;
  /** Prefixes of names whose objects are deleted in time; an empty one: all. */
  readonly deletes: readonly string[];
}

const SILENT_MS = 10_000;
const FIELDS = 'versioning,lifecycle,iamConfiguration';

/** Undefined where this account may not see it. Throws `Misconfigured` without the bucket. */
export async function bucketSettings(options: GcsOptions, signal: AbortSignal): Promise<BucketSettings | undefined> {
  const { bucket } = options;
  const path = `/storage/v1/b/${encodeURIComponent(bucket)}`;
  try {
    const answer = await openWire(options, SILENT_MS)({ method: 'GET', path, query: { fields: FIELDS } }, signal);
    if (answer.status === 404) throw new Misconfigured('bucket_missing', `There is no bucket ${bucket}: make it, or change gcs.bucket.`); // prettier-ignore
    return settingsOf(JSON.parse(answer.body.toString()));
  } catch (error) {
    if (error instanceof Unauthorized) return undefined;
    throw error;
  }
}

function settingsOf(body: unknown): BucketSettings {
  const { versioning, lifecycle, iamConfiguration } = recordOf(body);
  const prevention = recordOf(iamConfiguration)['publicAccessPrevention'];
  const rules = recordOf(lifecycle)['rule'];
  return {
    isVersioned: recordOf(versioning)['enabled'] === true,
    isPublicPrevented: typeof prevention === 'string' ? prevention === 'enforced' : undefined,
    deletes: (Array.isArray(rules) ? (rules as readonly unknown[]) : []).flatMap(deletedBy),
  };
}

function deletedBy(rule: unknown): readonly string[] {
  const { action, condition } = recordOf(rule);
  if (recordOf(action)['type'] !== 'Delete') return [];
  const prefixes = recordOf(condition)['matchesPrefix'];
  return Array.isArray(prefixes) ? prefixes.map(String) : [''];
}

function recordOf(value: unknown): Readonly<Record<string, unknown>> {
  return isRecord(value) ? value : {};
}
