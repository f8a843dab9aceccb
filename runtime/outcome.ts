/**
 * What stands between a broker and a service's handler: one poison message blocks only itself.
 *
 *     batch ──▶ handler answers one disposition a message ──▶ park the dead letters, count the retries
 *       └ throws DependencyDown ──▶ out: the whole service pauses, no message is blamed
 *       └ throws anything else  ──▶ each message once more, alone; who throws then is retried, at last parked
 *
 * A message delivered unusually often may have killed the process: the oftener, the smaller the company it is handled in,
 * at last alone, so that after a few restarts thousands of innocent ones do not go one by one. Deliveries that ended with a
 * dependency down, or a pause, say nothing against a message and do not count.
 */
import type { Clock } from '#core/clock.ts';
import { deadLetter, retry, type Disposition } from '#core/disposition.ts';
import { codeOf, DependencyDown, InvalidMessage, messageOf } from '#core/errors.ts';
import type { BatchHandler, Delivered, SubscriptionSpec } from '#core/ports/broker.ts';
import type { Ports } from '#core/service.ts';
import type { Telemetry } from '#core/telemetry.ts';
import { withClaims } from './claims.ts';
import type { Parking } from './park.ts';

export interface OutcomeOptions {
  readonly spec: SubscriptionSpec;
  readonly clock: Clock;
  readonly telemetry: Telemetry;
  readonly parking: Parking;
  /** Where bodies are that were too large for their message. */
  readonly ports: Pick<Ports, 'objects'>;
  readonly onDependencyDown: (error: DependencyDown) => void;
}

/** Answers of `retry`, or failures when handled alone, until a message is parked. */
const RETRY_BUDGET = 8;
const SUSPICIOUS_DELIVERIES = 5;
const HOPELESS_DELIVERIES = 25;
/** What is forgiven is forgotten beyond this many messages: others may have acked them. */
const MOST_FORGIVEN = 100_000;

export function withOutcomes(handler: BatchHandler, options: OutcomeOptions): BatchHandler {
  return new Outcomes(withClaims(handler, options.ports.objects), options).handle;
}

interface Failing {
  failures: number;
  readonly firstFailedAtMicros: number;
}

class Outcomes {
  readonly #handler: BatchHandler;
  readonly #options: OutcomeOptions;
  readonly #failing = new Map<string, Failing>();
  /** Deliveries that do not count, by message. */
  readonly #forgiven = new Map<string, number>();

  constructor(handler: BatchHandler, options: OutcomeOptions) {
    this.#handler = handler;
    this.#options = options;
  }

  readonly handle: BatchHandler = async (batch, signal) => {
    const startedMs = this.#options.clock.monotonicMs();
    try {
      const answers = await this.#answers(batch, signal);
      const settled = await Promise.all(
        answers.map((answer, index) => this.#settle(batch[index] as Delivered, answer)),
      );
      // Too late for a batch that was released meanwhile: it comes again.
      if (signal.aborted) this.#forgive(batch);
      this.#report(batch.length, settled, startedMs);
      return settled;
    } catch (error) {
      if (error instanceof DependencyDown || signal.aborted) this.#forgive(batch);
      this.#failed(batch.length, error);
      throw error;
    }
  };

  async #answers(batch: readonly Delivered[], signal: AbortSignal): Promise<readonly Disposition[]> {
    const most = Math.max(...batch.map((message) => this.#deliveries(message)));
    if (batch.length === 1 || most < SUSPICIOUS_DELIVERIES) return this.#together(batch, signal);
    const size = Math.max(1, batch.length >> (most - SUSPICIOUS_DELIVERIES + 1));
    if (size === 1 || most >= HOPELESS_DELIVERIES) return this.#oneByOne(batch, signal);
    const answers: Disposition[] = [];
    for (let at = 0; at < batch.length; at += size)
      answers.push(...(await this.#together(batch.slice(at, at + size), signal)));
    return answers;
  }

  async #together(batch: readonly Delivered[], signal: AbortSignal): Promise<readonly Disposition[]> {
    if (batch.length === 1) return this.#oneByOne(batch, signal);
    try {
      return checked(await this.#handler(batch, signal), batch.length);
    } catch (error) {
      if (error instanceof DependencyDown || signal.aborted) throw error;
      return this.#oneByOne(batch, signal);
    }
  }

  async #oneByOne(batch: readonly Delivered[], signal: AbortSignal): Promise<readonly Disposition[]> {
    const answers: Disposition[] = [];
    for (const message of batch) answers.push(await this.#alone(message, signal));
    return answers;
  }

  #deliveries({ messageId, deliveryAttempts }: Delivered): number {
    return deliveryAttempts - (this.#forgiven.get(messageId) ?? 0);
  }

  #forgive(batch: readonly Delivered[]): void {
    if (this.#forgiven.size > MOST_FORGIVEN) this.#forgiven.clear();
    for (const { messageId } of batch) this.#forgiven.set(messageId, (this.#forgiven.get(messageId) ?? 0) + 1);
  }

  async #alone(message: Delivered, signal: AbortSignal): Promise<Disposition> {
    if (this.#deliveries(message) >= HOPELESS_DELIVERIES) {
      return deadLetter('delivered_too_often', `It was delivered ${message.deliveryAttempts} times without an answer.`);
    }
    try {
      return checked(await this.#handler([message], signal), 1)[0] as Disposition;
    } catch (error) {
      if (error instanceof DependencyDown || signal.aborted) throw error;
      return blame(error);
    }
  }

  async #settle(message: Delivered, answer: Disposition): Promise<Disposition> {
    const { telemetry, spec } = this.#options;
    if (answer.kind === 'ack') return this.#forget(message, answer);
    if (answer.kind === 'discard') {
      telemetry.emit('messageDiscarded', { service: spec.service, subscription: spec.name, reason: answer.reason });
      return this.#forget(message, answer);
    }
    if (answer.kind === 'deadLetter') return this.#park(message, answer.code, answer.reason);
    const failing = this.#count(message);
    if (failing.failures > RETRY_BUDGET) return this.#park(message, 'retries_exhausted', answer.reason);
    telemetry.emit('messageRetried', { service: spec.service, subscription: spec.name, reason: answer.reason });
    return answer;
  }

  async #park(message: Delivered, code: string, reason: string): Promise<Disposition> {
    const { spec, clock, parking, telemetry } = this.#options;
    const parkedAtMicros = clock.nowMicros();
    const firstFailedAtMicros = this.#failing.get(message.messageId)?.firstFailedAtMicros ?? parkedAtMicros;
    await parking.park(message, {
      service: spec.service,
      subscription: spec.name,
      topic: spec.topic,
      code,
      reason,
      firstFailedAtMicros,
      parkedAtMicros,
    });
    telemetry.emit('messageDeadLettered', { service: spec.service, subscription: spec.name, code });
    return this.#forget(message, deadLetter(code, reason));
  }

  #count(message: Delivered): Failing {
    const failing = this.#failing.get(message.messageId) ?? {
      failures: 0,
      firstFailedAtMicros: this.#options.clock.nowMicros(),
    };
    failing.failures += 1;
    this.#failing.set(message.messageId, failing);
    return failing;
  }

  #forget(message: Delivered, answer: Disposition): Disposition {
    if (this.#failing.size > 0) this.#failing.delete(message.messageId);
    if (this.#forgiven.size > 0) this.#forgiven.delete(message.messageId);
    return answer;
  }

  #report(messages: number, settled: readonly Disposition[], startedMs: number): void {
    const { telemetry, spec, clock } = this.#options;
    telemetry.emit('batchHandled', {
      service: spec.service,
      subscription: spec.name,
      lane: spec.lane,
      messages,
      acked: settled.filter((answer) => answer.kind === 'ack').length,
      durationMs: clock.monotonicMs() - startedMs,
    });
  }

  #failed(messages: number, error: unknown): void {
    const { telemetry, spec, onDependencyDown } = this.#options;
    telemetry.emit('batchFailed', { service: spec.service, subscription: spec.name, messages, code: codeOf(error) });
    if (error instanceof DependencyDown) onDependencyDown(error);
  }
}

function checked(answers: readonly Disposition[], expected: number): readonly Disposition[] {
  if (answers.length !== expected) {
    throw new InvalidMessage('wrong_answer_count', `The handler answered ${answers.length} of ${expected} messages.`);
  }
  return answers;
}

/** What the sender must change will not get better by itself; all else may. */
function blame(error: unknown): Disposition {
  return error instanceof InvalidMessage
    ? deadLetter(error.code, error.message)
    : retry(1_000, `${codeOf(error)}: ${messageOf(error)}`);
}
