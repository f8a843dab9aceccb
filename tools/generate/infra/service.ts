/**
 * How a service runs on Google Cloud, from its declared half: routes make a Cloud Run service, subscriptions, schedules and
 * leases a worker pool, commands a job each. A service with routes and other work is two workloads, so that requests scale
 * by themselves.
 */
import type { CommandSpec, Declared } from '#core/service.ts';
import { secretsOf, settingsOf } from './configuration.ts';
import { grantsOf } from './grants.ts';

/** The job that Cloud Scheduler starts: what every push source needs now and then. */
const SCHEDULED = 'reconcile';
const SINCE = 'since';

export function serviceOf(declared: Declared) {
  return {
    doc: declared.doc,
    source: declared.source,
    receiver: receiverOf(declared),
    worker: workerOf(declared),
    jobs: Object.fromEntries(
      Object.entries(declared.commands).map(([name, command]) => [name, jobOf(declared, name, command)]),
    ),
    grants: grantsOf(declared),
    settings: settingsOf(declared.config),
    secrets: secretsOf(declared.config),
  };
}

function receiverOf({ name, routes }: Declared) {
  const paths = Object.values(routes).map(({ path }) => path);
  return paths.length === 0 ? null : { arguments: ['serve', name, '--part', 'routes'], paths };
}

/** Always: every service has at least the subscription of what the broker gave up. */
function workerOf({ name, routes, underLease }: Declared) {
  const hasRoutes = Object.keys(routes).length > 0;
  return {
    arguments: ['serve', name, ...(hasRoutes ? ['--part', 'work'] : [])],
    /** More instances than one only stand by. */
    underLease,
  };
}

function jobOf({ name, source }: Declared, command: string, spec: CommandSpec) {
  const takesSince = SINCE in spec.arguments;
  return {
    arguments: ['job', name, command],
    doc: spec.doc,
    /** Run now and then with `--since`, which Terraform's variable says. */
    scheduled: source !== null && command === SCHEDULED && takesSince,
  };
}
