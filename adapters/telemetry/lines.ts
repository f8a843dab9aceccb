/**
 * How each telemetry event reads in a log: its level, a sentence, and the fields allowed. A field that is not listed here
 * never reaches a log, so one added to an event stays out until somebody decides that it may be read.
 */
import type { TelemetryEvents, TelemetryName } from '#core/telemetry.ts';

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

export interface Line<N extends TelemetryName> {
  readonly level: LogLevel;
  readonly sentence: string;
  readonly fields: readonly (keyof TelemetryEvents[N] & string)[];
}

/** What happens for every batch or call is `debug`; what an operator should know is `info`; what may need one is `warn`. */
export const LINES: { readonly [N in TelemetryName]: Line<N> } = {
  serviceStarted: line('info', 'Service started.', ['service']),
  serviceStopped: line('info', 'Service stopped.', ['service']),
  servicePaused: line('warn', 'Service paused: something it needs is down.', ['service', 'dependency', 'code']),
  serviceResumed: line('info', 'Service resumed.', ['service', 'pausedMs']),
  leaseTaken: line('info', 'Lease taken.', ['service', 'lease', 'epoch']),
  leaseLost: line('warn', 'Lease lost to another instance.', ['service', 'lease']),
  messagesPublished: line('debug', 'Messages published.', ['topic', 'lane', 'messages', 'bytes']),
  batchHandled: line('debug', 'Batch handled.', ['service', 'subscription', 'lane', 'messages', 'acked', 'durationMs']),
  batchFailed: line('error', 'Batch failed; its messages will come again.', [
    'service',
    'subscription',
    'messages',
    'code',
  ]),
  messageDiscarded: line('info', 'Message discarded.', ['service', 'subscription', 'reason']),
  messageRetried: line('warn', 'Message will be tried again.', ['service', 'subscription', 'reason']),
  messageDeadLettered: line('warn', 'Message parked as a dead letter.', ['service', 'subscription', 'code']),
  eventsIngested: line('debug', 'Records read from a source.', ['source', 'object', 'path', 'events']),
  hintsReceived: line('debug', 'Hints received from a source.', ['source', 'object', 'hints']),
  pushAnswered: line('debug', 'Push answered.', ['source', 'status', 'reason']),
  streamConnected: line('info', 'Stream connected.', ['source', 'channel']),
  streamEnded: line('warn', 'Stream ended; it will be connected again.', ['source', 'channel', 'code']),
  checkpointMoved: line('debug', 'Checkpoint moved.', ['source', 'checkpoint']),
  vendorCalled: line('debug', 'Source called.', [
    'source',
    'purpose',
    'operation',
    'status',
    'durationMs',
    'allowanceUsed',
    'allowanceMax',
  ]),
  vendorRetried: line('warn', 'Call to a source will be tried again.', ['source', 'operation', 'code', 'attempt']),
  vendorRefused: line('error', 'Call refused before sending: it is not on the list of reads.', ['source', 'operation']),
  runStarted: line('info', 'Run started.', ['runId', 'kind', 'source', 'object']),
  runProgressed: line('debug', 'Run progressed.', ['runId', 'kind', 'source', 'object', 'records', 'total']),
  runFinished: line('info', 'Run finished.', [
    'runId',
    'kind',
    'source',
    'object',
    'records',
    'total',
    'state',
    'code',
    'durationMs',
  ]),
  matchesDecided: line('debug', 'Matches decided.', ['outcome', 'matches']),
  // Not `changeToRowMs`: a figure a row belongs in metrics.
  rowsWritten: line('debug', 'Rows written.', ['table', 'lane', 'rows', 'refused', 'durationMs']),
  configurationWarned: line('warn', 'Configuration is doubtful.', ['service', 'code', 'field']),
  faultSeen: line('error', 'Fault seen.', ['service', 'code', 'message']),
};

function line<N extends TelemetryName>(level: LogLevel, sentence: string, fields: Line<N>['fields']): Line<N> {
  return { level, sentence, fields };
}
