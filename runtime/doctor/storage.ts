/** The bucket: it is there, fences as checkpoints and leases need it, and is set so that nothing of them is lost. */
import type { BucketSettings } from '#adapters/objects/gcs-inspect.ts';
import { DependencyDown, Transient, Unauthorized } from '#core/errors.ts';
import type { StorePort } from '#core/ports/store.ts';
import { Lifecycle } from '../lifecycle.ts';
import { gcsOptions, openStorage } from '../places/storage.ts';
import { failed, failure, ok, skipped, warning, type Check, type Finding } from './check.ts';
import { configOf, isCloud, type Subject } from './subject.ts';

const WITHIN_MS = 40_000;

export function storageChecks(subject: Subject): readonly Check[] {
  if (configOf(subject).storage === 'files')
    return [check('storage', subject, async () => skipped('It is in the state folder.'))];
  if (subject.standIns.has('gcs'))
    return [check('storage', subject, async () => skipped('«npm start» starts a Cloud Storage fake.'))];
  return [
    check('storage writes', subject, () => fencing(subject)),
    check('storage settings', subject, (signal) => settings(subject, signal)),
  ];
}

function check(name: string, subject: Subject, run: Check['run']): Check {
  const otherwise = reach(subject);
  return { name, withinMs: WITHIN_MS, otherwise, run: (signal) => run(signal).catch((error: unknown) => told(error, subject)) }; // prettier-ignore
}

function told(error: unknown, subject: Subject): Finding {
  const found = failure(error, reach(subject));
  if (error instanceof DependencyDown || error instanceof Transient) return failed(found.what, reach(subject));
  return error instanceof Unauthorized && isCloud(subject) ? warning(found.what, PEOPLE) : found;
}

const PEOPLE = 'To see it, look as one of the services, or as a member of the operators.';

function reach(subject: Subject): string {
  return configOf(subject)['gcs.endpoint'] === null
    ? 'Look at the network, gcs.bucket, and the credentials: gcloud auth application-default login.'
    : 'Start the fake, or mend TRIBUTARY_GCS_ENDPOINT.';
}

/** Writes a value of its own, and takes it away. */
async function fencing(subject: Subject): Promise<Finding> {
  const lifecycle = new Lifecycle();
  try {
    const { store } = await openStorage(configOf(subject), lifecycle);
    return (await isFenced(store, `doctor/${subject.random.id()}`))
      ? ok('It takes a value, and refuses an old writer.')
      : failed('It lets an old writer overwrite a newer value.', 'This is no Cloud Storage that can be relied on: use another.'); // prettier-ignore
  } finally {
    await lifecycle.stop();
  }
}

async function isFenced(store: StorePort, key: string): Promise<boolean> {
  const first = await store.put(key, 'first', null);
  if (first === undefined) return false;
  const second = await store.put(key, 'second', first);
  const [again, old] = [await store.put(key, 'new', null), await store.put(key, 'old', first)];
  const last = old ?? again ?? second;
  if (last !== undefined) await store.delete(key, last);
  return second !== undefined && again === undefined && old === undefined;
}

async function settings(subject: Subject, signal: AbortSignal): Promise<Finding | readonly Finding[]> {
  // Google's client is loaded only where it is used.
  const { bucketSettings } = await import('#adapters/objects/gcs-inspect.ts');
  const found = await bucketSettings(gcsOptions(configOf(subject)), signal);
  if (found === undefined)
    return skipped('What the bucket is set to cannot be seen by this account: that wants storage.buckets.get.');
  const faults = faultsOf(found);
  return faults.length > 0 ? faults : ok('Nothing that is kept for good is deleted in time.');
}

/** Only these may go by themselves. */
const PASSING = ['objects/claims/', 'objects/dead-letters/', 'objects/archive/'];

function faultsOf({ isVersioned, isPublicPrevented, deletes }: BucketSettings): readonly Finding[] {
  const kept = deletes.filter((prefix) => !PASSING.some((passing) => prefix.startsWith(passing)));
  return [
    ...kept.map((prefix) =>
      failed(
        `A lifecycle rule deletes ${prefix === '' ? 'every object' : `objects under ${prefix}`} in time, checkpoints with them.`,
        'Limit the rule to a prefix, as infra/storage.tf has it.',
      ),
    ),
    ...(isVersioned
      ? [
          warning(
            'The bucket keeps versions: leases leave thousands a day.',
            'Switch versioning off; soft delete keeps what is deleted by mistake.',
          ),
        ]
      : []),
    ...(isPublicPrevented === false
      ? [warning('The bucket could be made public.', 'Enforce public access prevention: it holds personal data.')]
      : []),
  ];
}
