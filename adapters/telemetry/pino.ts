/**
 * Telemetry as JSON log lines. An event's fields are the line's fields: none carries payloads or personal data (see
 * `core/telemetry.ts`), and pino's JSON encoding leaves no line break or control character of a value in the line.
 */
import { destination, pino, stdTimeFunctions, type Level, type Logger } from 'pino';
import type { TelemetryEvents, TelemetryListener, TelemetryName } from '#core/telemetry.ts';

export interface PinoTelemetryOptions {
  /** Least severe level that is written; `silent` writes nothing. */
  readonly level: string;
  /** File that lines are appended to; standard output if not given. */
  readonly path?: string;
}

interface Line {
  readonly level: Level;
  readonly sentence: string;
}

/** How each event reads. What happens many times a second is `debug`; what an operator must act on is `error`. */
const LINES: { readonly [N in TelemetryName]: Line } = {
  serviceStarted: { level: 'info', sentence: 'Service started.' },
  serviceStopped: { level: 'info', sentence: 'Service stopped.' },
  servicePaused: { level: 'error', sentence: 'Service paused: a dependency is down; it is being probed.' },
  serviceResumed: { level: 'info', sentence: 'Service resumed.' },
  leaseTaken: { level: 'info', sentence: 'Lease taken.' },
  leaseLost: { level: 'warn', sentence: 'Lease lost: another instance took over.' },
  messagesPublished: { level: 'debug', sentence: 'Messages published.' },
  batchHandled: { level: 'debug', sentence: 'Batch handled.' },
  batchFailed: { level: 'warn', sentence: 'Batch failed; its messages will come again.' },
  messageDiscarded: { level: 'debug', sentence: 'Message discarded on purpose.' },
  messageRetried: { level: 'warn', sentence: 'Message will be retried.' },
  messageDeadLettered: {
    level: 'error',
    sentence: 'Message parked as a dead letter: see tributary dead-letters list.',
  },
  eventsIngested: { level: 'debug', sentence: 'Events ingested.' },
  hintsReceived: { level: 'debug', sentence: 'Hints received.' },
  pushAnswered: { level: 'debug', sentence: 'Push answered.' },
  streamConnected: { level: 'info', sentence: 'Stream connected.' },
  streamEnded: { level: 'warn', sentence: 'Stream ended; it will be opened again.' },
  checkpointMoved: { level: 'debug', sentence: 'Checkpoint moved.' },
  vendorCalled: { level: 'debug', sentence: 'Source called.' },
  vendorRetried: { level: 'warn', sentence: 'Call to the source will be retried.' },
  vendorRefused: { level: 'error', sentence: 'Call to the source refused: it is not on the allow-list.' },
  runStarted: { level: 'info', sentence: 'Run started.' },
  runProgressed: { level: 'debug', sentence: 'Run progressed.' },
  runFinished: { level: 'info', sentence: 'Run finished.' },
  matchesDecided: { level: 'debug', sentence: 'Matches decided.' },
  rowsWritten: { level: 'debug', sentence: 'Rows written.' },
  configurationWarned: { level: 'warn', sentence: 'Configuration names something the source does not show us.' },
  faultSeen: { level: 'error', sentence: 'Fault seen.' },
};

export function pinoTelemetry(options: PinoTelemetryOptions): TelemetryListener {
  const logger = makeLogger(options);
  return (name, fields) => {
    const { level, sentence } = LINES[name];
    if (logger.isLevelEnabled(level)) logger[level]({ event: name, ...brief(name, fields) }, sentence);
  };
}

function makeLogger({ level, path }: PinoTelemetryOptions): Logger {
  const settings = {
    level,
    base: null,
    timestamp: stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
  };
  // Synchronous: a process that is killed has written what it said.
  return path === undefined
    ? pino(settings)
    : pino(settings, destination({ dest: path, sync: true, mkdir: true, mode: 0o600 }));
}

/** A list of latencies is a count in a log line. */
function brief<N extends TelemetryName>(name: N, fields: TelemetryEvents[N]): object {
  if (name !== 'rowsWritten') return fields;
  const { changeToRowMs, ...rest } = fields as TelemetryEvents['rowsWritten'];
  return { ...rest, changes: changeToRowMs.length };
}
