/** Writes each telemetry event as one JSON line. JSON escapes line breaks, so no value can forge a line of its own. */
import { destination, pino, stdTimeFunctions, type DestinationStream, type Logger } from 'pino';
import type { TelemetryEvents, TelemetryListener, TelemetryName } from '#core/telemetry.ts';
import { LINES, type Line } from './lines.ts';

export type PinoOptions = {
  /** Lowest level written: debug, info, warn or error. */
  readonly level: string;
} & (
  | {
      /** Appended to; made, with its folder, if there is none. */
      readonly path: string;
    }
  | { readonly stream: DestinationStream }
);

const OWNER_ONLY = 0o600;
/** A message may quote what a library said. */
const LONGEST_TEXT = 1_000;

export function pinoTelemetry(options: PinoOptions): TelemetryListener {
  const logger = pino(
    {
      level: options.level,
      base: null,
      messageKey: 'message',
      timestamp: stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    'stream' in options ? options.stream : file(options.path),
  );
  return (name, fields) => write(logger, name, fields);
}

function write<N extends TelemetryName>(logger: Logger, name: N, fields: TelemetryEvents[N]): void {
  const { level, sentence, fields: allowed } = LINES[name] as Line<N>;
  if (!logger.isLevelEnabled(level)) return;
  const shown: Record<string, unknown> = { event: name };
  // Of an event's own message only its name clashes with the sentence's.
  for (const field of allowed) shown[field === 'message' ? 'detail' : field] = shortened(fields[field]);
  logger[level](shown, sentence);
}

function shortened(value: unknown): unknown {
  return typeof value === 'string' && value.length > LONGEST_TEXT ? `${value.slice(0, LONGEST_TEXT)}…` : value;
}

/** Written at once, so a kill loses no line. A full disk must not stop the pipeline for its log: what cannot be written is lost. */
function file(path: string): DestinationStream {
  const stream = destination({ dest: path, append: true, mkdir: true, mode: OWNER_ONLY, sync: true });
  stream.on('error', () => undefined);
  return stream;
}
