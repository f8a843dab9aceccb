/**
 * The stream of change events: connected for as long as the signal allows, its hints durable before its position moves.
 *
 *     connect ──▶ first answer ──▶ events ▶ hints durable ▶ position ▶ as many events asked for again
 *        ▲             │ silent too long, cut, token expired: back off
 *        └─────────────┴── position refused: on from the newest, with all objects owed since the last good time
 */
import type { Random } from '#core/clock.ts';
import { Unauthorized } from '#core/errors.ts';
import { RpcError, type VendorStream } from '#core/ports/vendor.ts';
import { backoffMs, type RetryPolicy } from '#core/retry.ts';
import { vendorCodeOf } from '#core/vendor/client.ts';
import { RPC } from '../allow-list.ts';
import type { Org } from '../org/org.ts';
import type { Token } from '../org/session.ts';
import { SOURCE } from '../raw-event.ts';
import type { Intake } from './intake.ts';
import { owing, REFUSED, type Position, type PositionCheckpoint } from './position.ts';
import { fetchRequest, isBadPosition, MOST_PENDING, parseFetchResponse, type FetchResponse } from './protocol.ts';
import { checkTopic, isUnauthenticated, rpcWith } from './rpc.ts';

export interface StreamOptions {
  readonly org: Org;
  readonly position: PositionCheckpoint;
  readonly intake: Intake;
  /** A position is durable: what is read from now on is covered by the stream. */
  readonly onPlaced: () => void;
  /** Something is owed. */
  readonly onOwed: () => void;
}

type Stream = VendorStream<object, unknown>;

/** The server says something at least every 270 s (proto file); longer silence is a dead connection. */
const LONGEST_SILENCE_MS = 300_000;
/** Several fetches outstanding: the next events are on their way while the last are made durable. */
const FETCHES = 4;
const RECONNECT: RetryPolicy = { attempts: Number.POSITIVE_INFINITY, baseMs: 1_000, ceilingMs: 60_000 };
const SLOWEST_EXPONENT = 8;

/** Returns only when aborted; throws `Stale` when another instance took the position over. */
export async function followChanges(options: StreamOptions, signal: AbortSignal): Promise<void> {
  const { org, position } = options;
  const { clock, random } = org.context;
  for (let failures = 0; !signal.aborted;) {
    const connection = new Connection(options, signal);
    try {
      await connection.run();
    } catch (error) {
      if (signal.aborted) break;
      await handleFailure(options, connection.token, error);
    }
    failures = connection.answered ? 1 : failures + 1;
    await clock.sleep(pauseMs(failures, random), signal).catch(() => undefined);
  }
  await position.flush();
}

function pauseMs(failures: number, random: Random): number {
  return backoffMs(RECONNECT, 1 + Math.min(failures, SLOWEST_EXPONENT), random);
}

/** Every failure leads to another connection; a refused position to one from the newest, across a gap that is kept. */
async function handleFailure(
  { org, position, onOwed }: StreamOptions,
  token: Token | null,
  error: unknown,
): Promise<void> {
  const { telemetry, config } = org.context;
  telemetry.emit('streamEnded', { source: SOURCE, channel: config['salesforce.channel'], code: vendorCodeOf(error) });
  if (position.value !== null && error instanceof RpcError && isBadPosition(error.failure.errorCode)) {
    await position.save({ ...position.value, replayId: null, gap: REFUSED });
    onOwed();
  } else if (token !== null && isUnauthenticated(error)) {
    await org.session.renew(token).catch((cause: unknown) => tell(org, cause));
  } else if (!(error instanceof RpcError)) {
    tell(org, error);
    rethrowFinal(error);
  }
}

function tell(org: Org, error: unknown): void {
  const message =
    error instanceof Unauthorized
      ? error.message
      : 'The stream of change events ended; it is connected again after a pause.';
  org.context.telemetry.emit('faultSeen', { service: 'ingest-salesforce', code: vendorCodeOf(error), message });
}

const FINAL = new Set(['checkpoint_taken', 'not_allowed']);

function rethrowFinal(error: unknown): void {
  if (FINAL.has(vendorCodeOf(error))) throw error as Error;
}

/** One connection, from its token to its end. */
class Connection {
  token: Token | null = null;
  answered = false;
  readonly #options: StreamOptions;
  readonly #signal: AbortSignal;
  #cancelWatch = (): void => undefined;

  constructor(options: StreamOptions, signal: AbortSignal) {
    this.#options = options;
    this.#signal = signal;
  }

  async run(): Promise<void> {
    const { org, position } = this.#options;
    const channel = org.context.config['salesforce.channel'];
    this.token = await org.session.token();
    await checkTopic(org, channel, this.#signal);
    const stream = org.vendor.stream<object, unknown>(rpcWith(org, RPC.subscribe, this.token, this.#signal));
    const stop = (): void => stream.cancel();
    this.#signal.addEventListener('abort', stop, { once: true });
    this.#watch(stream);
    try {
      const replayId = position.value?.replayId ?? null;
      const start = { preset: replayId === null ? 'LATEST' : 'CUSTOM', replayId } as const;
      send(stream, fetchRequest(channel, MOST_PENDING / FETCHES, start));
      for (let n = 1; n < FETCHES; n += 1) send(stream, fetchRequest(channel, MOST_PENDING / FETCHES, null));
      for await (const message of stream) await this.#receive(stream, channel, message);
    } finally {
      this.#cancelWatch();
      this.#signal.removeEventListener('abort', stop);
      stream.cancel();
    }
  }

  #watch(stream: Stream): void {
    this.#cancelWatch();
    this.#cancelWatch = this.#options.org.context.clock.after(LONGEST_SILENCE_MS, () => stream.cancel());
  }

  async #receive(stream: Stream, channel: string, message: unknown): Promise<void> {
    const { org } = this.#options;
    const response = parseFetchResponse(message);
    if (response === undefined) return;
    this.#watch(stream);
    if (!this.answered) org.context.telemetry.emit('streamConnected', { source: SOURCE, channel });
    await this.#keep(response);
    this.answered = true;
    if (response.events.length > 0) send(stream, fetchRequest(channel, response.events.length, null));
  }

  /** Hints first, then what is owed together with the position, so that neither can be passed by. */
  async #keep({ events, latestReplayId }: FetchResponse): Promise<void> {
    const { org, position, intake, onPlaced, onOwed } = this.#options;
    const { context } = org;
    const observedAtMicros = context.clock.nowMicros();
    const { hints, owed, committedMicros } = await intake.take(events, observedAtMicros);
    if (hints.length > 0) await context.publish('hint.salesforce', hints, 'power');
    const before = position.value;
    if (before === null) return;
    const replayId = events.at(-1)?.replayId ?? latestReplayId;
    const goodMicros = Math.max(before.goodMicros, committedMicros ?? (events.length === 0 ? observedAtMicros : 0));
    let next: Position = { ...before, goodMicros, replayId: replayId === '' ? before.replayId : replayId };
    if (next.replayId !== null && next.gap !== null)
      next = { ...owing(next, org.objects, before.goodMicros, next.gap), gap: null };
    for (const { object, sinceMicros } of owed) next = owing(next, [object], sinceMicros, 'overflow');
    const isDebt = next.owed !== before.owed;
    if (isDebt || before.replayId === null) await position.save(next);
    else position.note(next);
    if (isDebt) onOwed();
    if (next.replayId !== null) onPlaced();
    context.telemetry.emit('checkpointMoved', { source: SOURCE, checkpoint: next.replayId ?? '' });
  }
}

/** A request that cannot be sent any more shows as the stream's own end. */
function send(stream: Stream, message: object): void {
  stream.send(message).catch(() => undefined);
}
