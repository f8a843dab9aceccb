/** What `serve` and `job` have in common: settings, log, signals, and how they end. */
import { messageOf, TributaryError } from '#core/errors.ts';
import { TelemetryHub } from '#core/telemetry.ts';
import { cloudLifecycle, END_WITHIN_MS, tellHanging, untilDone, type Done } from '#runtime/cloud/process.ts';
import type { CloudOptions } from '#runtime/cloud/serve.ts';
import { discoverServices } from '#runtime/discover.ts';
import { openTraces } from '#runtime/cloud/traces.ts';
import { logFormat, stdoutLog, versionFrom, type Log } from '#runtime/logging.ts';
import { resolveSecrets } from '#runtime/secrets.ts';
import { exitCodeOf } from './exit.ts';
import { cloudValues, secretsAmong, settingsFor } from './cloud-settings.ts';
import { stopOnSignal } from './stopping.ts';

export interface CloudProcess extends CloudOptions {
  readonly signal: AbortSignal;
  readonly log: Log;
}

/**
 * Runs `work` until it is done or the process is told to stop. Answers the exit code: a failure is a line in the log where
 * Cloud Logging reads it, and else thrown.
 */
export async function inCloud<T>(
  names: readonly string[],
  file: string | undefined,
  work: (process: CloudProcess) => Promise<T>,
  exitCode: (done: Done<T>, log: Log) => number,
): Promise<void> {
  const [lifecycle, telemetry] = [cloudLifecycle(), new TelemetryHub()];
  const leave = (): never => {
    tellHanging(lifecycle, telemetry);
    process.exit(1);
  };
  const signal = stopOnSignal({ withinMs: END_WITHIN_MS, leave });
  const services = await discoverServices();
  const values = cloudValues(services, names, file);
  const format = logFormat(values['log.format'], process.env);
  const [traces, version] = [openTraces(), versionFrom(process.env)];
  const log = stdoutLog({
    level: values['log.level'] || 'info',
    format,
    names,
    project: values['google.project'] ?? null,
    secrets: secretsAmong(services, values),
    version,
    trace: () => traces.current(),
  });
  if (format === 'cloud') tellCrashes(log);
  telemetry.listen(log.listener);
  const configured = async (): Promise<T> => {
    const own = services.filter(({ declared }) => names.includes(declared.name));
    const whole = await resolveSecrets(own, values, signal);
    log.hide(secretsAmong(services, whole));
    const settings = settingsFor(services, names, whole);
    return work({ settings, services, telemetry, lifecycle, traces, version, signal, log });
  };
  try {
    process.exitCode = exitCode(await untilDone(configured, { lifecycle, telemetry }, signal), log);
  } catch (error) {
    if (format === 'lines') throw error;
    log.say('error', textOf(error), error instanceof TributaryError ? { code: error.code } : { code: 'unexpected' });
    process.exitCode = exitCodeOf(error);
  } finally {
    // All is closed: what a library still waits for keeps no container.
    setTimeout(() => process.exit(), 100).unref();
  }
}

/** Of a fault that we foresaw its sentence, of another the stack, which Error Reporting groups by. */
function textOf(error: unknown): string {
  if (error instanceof TributaryError) return error.message;
  return error instanceof Error ? (error.stack ?? error.message) : messageOf(error);
}

/** Node would write a stack of many lines, each of which becomes an entry of its own. */
function tellCrashes(log: Log): void {
  process.on('uncaughtException', (error) => {
    log.say('error', textOf(error), { code: 'crashed' });
    process.exit(1);
  });
}
