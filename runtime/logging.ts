/** Where the log lines go: a file in the state folder, so that the terminal stays calm. */
import { join } from 'node:path';
import type { TelemetryListener } from '#core/telemetry.ts';
import { pinoTelemetry } from '#adapters/telemetry/pino.ts';

export function pinoListener(folder: string, level: string): TelemetryListener {
  return pinoTelemetry({ level, path: join(folder, 'tributary.log') });
}
