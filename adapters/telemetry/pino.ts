/** Writes each telemetry event as one JSON line. JSON escapes line breaks, so no value can forge a line of its own. */
import { destination, pino, stdTimeFunctions, type DestinationStream, type Logger, type LoggerOptions } from 'pino';
import type { TelemetryEvents, TelemetryListener, TelemetryName } from '#core/telemetry.ts';
import { cloudOptions, type CloudFormat } from './cloud.ts';
import { LINES, type Line, type LogLevel } from './lines.ts';

export type PinoOptions = {
  /** Lowest level written: debug, info, warn or error. */
  readonly level: string;
  /** As Cloud Logging reads lines; plain ones without it. */
  readonly cloud?: CloudFormat;
  /** Never written, wherever it appears: what a library says may quote what it was given. */
  readonly secrets?: readonly string[];
} & (
  | {
      /** Appended to; made, with its folder, if there is none. */
      readonly path: string;
    }
  | { readonly stream: DestinationStream }
);

export interface Log {
  readonly listener: TelemetryListener;
  /** A line of its own. `fields` must hold nothing personal. */
  say(level: LogLevel, sentence: string, fields?: Readonly<Record<string, unknown>>): void;
  /** From now on these are never written either. */
  hide(secrets: readonly string[]): void;
}

const OWNER_ONLY = 0o600;
/** A message may quote what a library said. */
const LONGEST_TEXT = 1_000;
/** A stack is what such a line is for. */
const LONGEST_SENTENCE = 8_000;
/** Shorter ones are words, and would make holes in every line. */
const SHORTEST_SECRET = 6;
const PLAIN: LoggerOptions = {
  base: null,
  messageKey: 'message',
  formatters: { level: (label) => ({ level: label }) },
};

export function pinoTelemetry(options: PinoOptions): TelemetryListener {
  return openLog(options).listener;
}

export function openLog(options: PinoOptions): Log {
  const { level, cloud, secrets = [] } = options;
  const logger = pino(
    { ...(cloud === undefined ? PLAIN : cloudOptions(cloud)), level, timestamp: stdTimeFunctions.isoTime },
    'stream' in options ? options.stream : file(options.path),
  );
  const hidden = new Set<string>();
  const hide = (more: readonly string[]): void =>
    more.filter(({ length }) => length >= SHORTEST_SECRET).forEach((secret) => hidden.add(secret));
  const safe: Safe = (text) => [...hidden].reduce((left, secret) => left.replaceAll(secret, '[secret]'), text);
  hide(secrets);
  return {
    hide,
    listener: (name, fields) => write(logger, safe, name, fields),
    say: (severity, sentence, fields = {}) =>
      logger[severity](mapped(fields, safe), safe(sentence).slice(0, LONGEST_SENTENCE)),
  };
}

type Safe = (text: string) => string;

function write<N extends TelemetryName>(logger: Logger, safe: Safe, name: N, fields: TelemetryEvents[N]): void {
  const { level, sentence, fields: allowed } = LINES[name] as Line<N>;
  if (!logger.isLevelEnabled(level)) return;
  const shown: Record<string, unknown> = { event: name };
  // Of an event's own message only its name clashes with the sentence's.
  for (const field of allowed) shown[field === 'message' ? 'detail' : field] = shortened(fields[field], safe);
  logger[level](shown, sentence);
}

function mapped(fields: Readonly<Record<string, unknown>>, safe: Safe): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, shortened(value, safe)]));
}

function shortened(value: unknown, safe: Safe): unknown {
  if (typeof value !== 'string') return value;
  const text = safe(value);
  return text.length > LONGEST_TEXT ? `${text.slice(0, LONGEST_TEXT)}…` : text;
}

/** Written at once, so a kill loses no line. A full disk must not stop the pipeline for its log: what cannot be written is lost. */
function file(path: string): DestinationStream {
  const stream = destination({ dest: path, append: true, mkdir: true, mode: OWNER_ONLY, sync: true });
  stream.on('error', () => undefined);
  return stream;
}
