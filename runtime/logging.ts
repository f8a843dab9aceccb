/** Where the log lines go. */
import { join } from 'node:path';
import { destination } from 'pino';
import type { TelemetryListener } from '#core/telemetry.ts';
import { pinoTelemetry } from '#adapters/telemetry/pino.ts';

/** A file in the state folder, so that the terminal stays calm. */
export function pinoListener(folder: string, level: string): TelemetryListener {
  return pinoTelemetry({ level, path: join(folder, 'tributary.log') });
}

/** Standard output, as a platform collects it. Written at once, so that what a process said last is there. */
export function stdoutListener(level: string): TelemetryListener {
  return pinoTelemetry({ level, stream: destination({ dest: 1, sync: true }) });
}
