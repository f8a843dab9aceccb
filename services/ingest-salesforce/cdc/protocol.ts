/**
 * The messages of the Pub/Sub API that are used, as its proto file names their fields (`schemas/vendor/
 * salesforce-pubsub.proto`, package eventbus.v1). Replay ids are opaque bytes: base64 here, never arithmetic.
 */
import { isRecord } from '#core/vendor/json.ts';

export type ReplayPreset = 'LATEST' | 'EARLIEST' | 'CUSTOM';

/** Where a stream starts: counts in the first request only. */
export interface Start {
  readonly preset: ReplayPreset;
  readonly replayId: string | null;
}

/** At most this many events may be asked for and not yet delivered; more counts as this. */
export const MOST_PENDING = 100;

export function fetchRequest(topic: string, events: number, start: Start | null): Readonly<Record<string, unknown>> {
  return {
    topic_name: topic,
    num_requested: events,
    ...(start === null ? {} : { replay_preset: start.preset }),
    ...(start === null || start.replayId === null ? {} : { replay_id: Buffer.from(start.replayId, 'base64') }),
  };
}

export interface PushedEvent {
  readonly schemaId: string;
  readonly payload: Uint8Array;
  readonly replayId: string;
}

export interface FetchResponse {
  readonly events: readonly PushedEvent[];
  /** Up to here the stream has been looked through, events or not. */
  readonly latestReplayId: string;
  readonly pending: number;
}

/** Answers undefined for what is no FetchResponse. */
export function parseFetchResponse(value: unknown): FetchResponse | undefined {
  if (!isRecord(value)) return undefined;
  const events = Array.isArray(value.events) ? (value.events as readonly unknown[]) : [];
  return {
    events: events.map(parseEvent),
    latestReplayId: base64(value.latest_replay_id),
    pending: Number(value.pending_num_requested ?? 0),
  };
}

function parseEvent(value: unknown): PushedEvent {
  const consumer: Readonly<Record<string, unknown>> = isRecord(value) ? value : {};
  const event = isRecord(consumer.event) ? consumer.event : {};
  return {
    schemaId: typeof event.schema_id === 'string' ? event.schema_id : '',
    payload: event.payload instanceof Uint8Array ? event.payload : new Uint8Array(),
    replayId: base64(consumer.replay_id),
  };
}

function base64(value: unknown): string {
  return value instanceof Uint8Array ? Buffer.from(value).toString('base64') : '';
}

/** Whether the server says that a position cannot be served: expired, or not one of its own. */
export function isBadPosition(errorCode: string | null): boolean {
  return errorCode !== null && /\breplayid\b/i.test(errorCode);
}
