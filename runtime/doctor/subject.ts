/** What is examined: an installation as its configuration describes it. */
import type { Clock, Random } from '#core/clock.ts';
import type { AnyService } from '#core/service.ts';
import type { RuntimeConfig } from '../config.ts';
import type { Settings, Values } from '../settings.ts';

export type StandIn = 'pubsub' | 'bigquery' | 'gcs';

export interface Subject {
  /** `embedded`: what `start` needs, which makes what is missing; `cloud`: what `serve` needs, which finds it made. */
  readonly runtime: 'embedded' | 'cloud';
  /** All there are. */
  readonly services: readonly AnyService[];
  /** As given: secrets may still be references. */
  readonly values: Values;
  readonly settings: Settings;
  /** Google's services that `start` starts a stand-in for, which runs only with it. */
  readonly standIns: ReadonlySet<StandIn>;
  /** A pipeline runs on the state folder, and holds its files. */
  readonly isRunning: boolean;
  /** The folder's sources are simulated vendors, which run only with the pipeline. */
  readonly isSimulated: boolean;
  /** Public address of the receiver of pushes, if given. */
  readonly receiver: string | null;
  /** For a check at most. */
  readonly withinMs: number | undefined;
  readonly clock: Clock;
  readonly random: Random;
}

export function configOf(subject: Subject): RuntimeConfig {
  return subject.settings.runtime;
}

export function isCloud({ runtime }: Subject): boolean {
  return runtime === 'cloud';
}

/** How what is missing comes to be there. */
export function howMade(subject: Subject): string {
  return isCloud(subject) ? 'Apply Terraform (docs/guides/deploy.md)' : '«npm start» makes it';
}
