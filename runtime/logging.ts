/** Where the log lines go, and how they look. */
import { join } from 'node:path';
import { destination } from 'pino';
import type { TelemetryListener } from '#core/telemetry.ts';
import { openLog, pinoTelemetry, type Log } from '#adapters/telemetry/pino.ts';

export type { Log } from '#adapters/telemetry/pino.ts';

/** A file in the state folder, so that the terminal stays calm. */
export function pinoListener(folder: string, level: string): TelemetryListener {
  return pinoTelemetry({ level, path: join(folder, 'tributary.log') });
}

export interface StdoutOptions {
  readonly level: string;
  readonly format: 'lines' | 'cloud';
  /** The services that run here. */
  readonly names: readonly string[];
  readonly project: string | null;
  readonly secrets: readonly string[];
  readonly version: string;
  readonly trace: () => string | undefined;
}

type Environment = Readonly<Record<string, string | undefined>>;

/** What Cloud Run calls a service, a job and a worker pool in their environments. */
const PLATFORM = ['K_SERVICE', 'CLOUD_RUN_JOB', 'CLOUD_RUN_WORKER_POOL'];
const REVISIONS = ['K_REVISION', 'CLOUD_RUN_EXECUTION', 'CLOUD_RUN_WORKER_POOL_REVISION'];

/** `given` is the setting; what is neither means auto. */
export function logFormat(given: string | undefined, environment: Environment): 'lines' | 'cloud' {
  if (given === 'lines' || given === 'cloud') return given;
  return PLATFORM.some((name) => Boolean(environment[name])) ? 'cloud' : 'lines';
}

/** Which revision or execution the platform says this is. */
export function versionFrom(environment: Environment): string {
  return REVISIONS.map((name) => environment[name]).find(Boolean) ?? 'unknown';
}

/** Standard output, as a platform collects it. Written at once, so that what a process said last is there. */
export function stdoutLog({ level, format, names, project, secrets, version, trace }: StdoutOptions): Log {
  return openLog({
    level,
    secrets,
    stream: destination({ dest: 1, sync: true }),
    ...(format === 'lines' ? {} : { cloud: { service: names.join('+'), version, project, trace } }),
  });
}
