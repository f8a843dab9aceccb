/**
 * One Subscribe stream: it sends no more than was asked for, at most 100 events outstanding; an empty answer keeps the
 * stream alive. Any error ends it. (Pub/Sub API guide: flow control, error handling.)
 */
import { Metadata, status, type ServerDuplexStream } from '@grpc/grpc-js';
import { OBJECT_NAMES } from '../../world/index.ts';
import type { ChangeLog, LogEntry } from './change-log.ts';

export interface FetchRequest {
  readonly topic_name: string;
  readonly replay_preset: 'LATEST' | 'EARLIEST' | 'CUSTOM';
  readonly replay_id: Buffer;
  readonly num_requested: number;
  readonly auth_refresh?: string;
}

export interface FetchResponse {
  readonly events: readonly {
    readonly event: { readonly id: string; readonly schema_id: string; readonly payload: Buffer };
    readonly replay_id: Buffer;
  }[];
  readonly latest_replay_id: Buffer;
  readonly rpc_id: string;
  readonly pending_num_requested: number;
}

export interface SubscriptionOptions {
  readonly log: ChangeLog;
  readonly keepAliveMs: number;
  readonly rpcId: string;
  /** Whether the session the stream is under, or the one given to go on with, is valid. */
  readonly isAuthorized: (refreshed: string) => boolean;
  /** Takes so many from the day's allowance; false when it is used up. */
  readonly deliver: (events: number) => boolean;
}

const MOST_OUTSTANDING = 100;
const PREFIX = 'sfdc.platform.eventbus.grpc';

export class Subscription {
  readonly #stream: ServerDuplexStream<FetchRequest, FetchResponse>;
  readonly #options: SubscriptionOptions;
  readonly #stopListening: () => void;
  #position: number | undefined;
  #topic = '';
  #pending = 0;
  #latest: number;
  #ended = false;
  #scheduled = false;
  #keepAlive: NodeJS.Timeout | undefined;

  constructor(stream: ServerDuplexStream<FetchRequest, FetchResponse>, options: SubscriptionOptions) {
    this.#stream = stream;
    this.#options = options;
    this.#latest = options.log.lastReplayId;
    this.#stopListening = options.log.onAppend(() => this.#schedule());
    stream.on('data', (request: FetchRequest) => this.#fetch(request));
    stream.on('end', () => this.close());
    stream.on('cancelled', () => this.close());
    stream.on('error', () => this.close());
  }

  /** Ends the stream with an error, as the server does. */
  fail(code: status, errorCode: string, details: string): void {
    if (this.#ended) return;
    this.#stop();
    this.#stream.emit(
      'error',
      Object.assign(new Error(details), { code, details, metadata: trailers(errorCode, this.#options.rpcId) }),
    );
  }

  /** The connection breaks without a word. */
  cut(): void {
    this.fail(status.UNAVAILABLE, `${PREFIX}.service.unavailable`, 'The connection was dropped.');
  }

  #fetch(request: FetchRequest): void {
    if (this.#ended) return;
    if (!this.#options.isAuthorized(request.auth_refresh ?? '')) {
      this.fail(status.UNAUTHENTICATED, `${PREFIX}.service.auth.error`, 'The session has expired.');
      return;
    }
    if (this.#position === undefined && !this.#open(request)) return;
    if (request.num_requested < 1) {
      this.fail(
        status.INVALID_ARGUMENT,
        `${PREFIX}.subscription.fetch.requested.events.limit.invalid`,
        'num_requested must be greater than 0.',
      );
      return;
    }
    this.#pending = Math.min(MOST_OUTSTANDING, this.#pending + request.num_requested);
    this.#schedule();
    this.#armKeepAlive();
  }

  #open(request: FetchRequest): boolean {
    const { log } = this.#options;
    if (!isTopic(request.topic_name)) {
      this.fail(status.NOT_FOUND, `${PREFIX}.topic.not.found`, `The topic ${request.topic_name} does not exist.`);
      return false;
    }
    this.#topic = request.topic_name;
    this.#position = positionOf(log, request);
    if (this.#position !== undefined) return true;
    const kind = request.replay_id.length === 8 ? 'validation.failed' : 'corrupted';
    this.fail(
      status.INVALID_ARGUMENT,
      `${PREFIX}.subscription.fetch.replayid.${kind}`,
      'The Replay ID validation failed.',
    );
    return false;
  }

  /** Events that come in one turn leave in one answer. */
  #schedule(): void {
    if (this.#scheduled || this.#ended || this.#position === undefined) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      this.#pump();
    });
  }

  #pump(): void {
    while (this.#pending > 0 && !this.#ended) {
      const events = this.#take(this.#pending);
      if (events.length === 0) return;
      if (!this.#options.deliver(events.length)) {
        this.fail(
          status.RESOURCE_EXHAUSTED,
          `${PREFIX}.subscription.limit.exceeded`,
          'The daily event delivery allowance is used up.',
        );
        return;
      }
      this.#pending -= events.length;
      this.#send(events);
      this.#armKeepAlive();
    }
  }

  #take(most: number): LogEntry[] {
    const { log } = this.#options;
    const events: LogEntry[] = [];
    this.#position = Math.max(this.#position ?? 0, log.start);
    while (events.length < most) {
      const entry = log.at(this.#position);
      if (entry === undefined) break;
      this.#position += 1;
      this.#latest = entry.replayId;
      if (carries(this.#topic, entry)) events.push(entry);
    }
    return events;
  }

  #send(entries: readonly LogEntry[]): void {
    this.#stream.write({
      events: entries.map(({ replayId, schemaId, payload }) => ({
        event: { id: `${replayId}`, schema_id: schemaId, payload },
        replay_id: replayBytes(replayId),
      })),
      latest_replay_id: replayBytes(this.#latest),
      rpc_id: this.#options.rpcId,
      pending_num_requested: this.#pending,
    });
  }

  #armKeepAlive(): void {
    clearTimeout(this.#keepAlive);
    if (this.#pending > 0) {
      this.#keepAlive = setTimeout(() => {
        this.#send([]);
        this.#armKeepAlive();
      }, this.#options.keepAliveMs);
    }
  }

  /** Ends the stream without an error, as when the client ends its half. */
  close(): void {
    if (this.#ended) return;
    this.#stop();
    this.#stream.end();
  }

  #stop(): void {
    this.#ended = true;
    clearTimeout(this.#keepAlive);
    this.#stopListening();
  }
}

export function isTopic(name: string): boolean {
  return name === '/data/ChangeEvents' || OBJECT_NAMES.some((object) => name === `/data/${object}ChangeEvent`);
}

export function trailers(errorCode: string, rpcId: string): Metadata {
  const metadata = new Metadata();
  metadata.set('error-code', errorCode);
  metadata.set('rpc-id', rpcId);
  return metadata;
}

function carries(topic: string, entry: LogEntry): boolean {
  return topic === '/data/ChangeEvents' || topic === `/data/${entry.object}ChangeEvent`;
}

function positionOf(log: ChangeLog, request: FetchRequest): number | undefined {
  switch (request.replay_preset) {
    case 'EARLIEST':
      return log.start;
    case 'CUSTOM':
      return request.replay_id.length === 8 ? log.after(Number(request.replay_id.readBigUInt64BE())) : undefined;
    case 'LATEST':
      return log.end;
  }
}

function replayBytes(replayId: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(BigInt(replayId));
  return bytes;
}
