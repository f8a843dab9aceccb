/**
 * The verb `read`: takes hints, has the coalescer say when which records are read, reads and publishes them, and answers
 * each hint once the read that settles it is published. While Salesforce cannot be read, hints are held and tried again;
 * when that lasts, the service says that its dependency is down, and none is lost.
 */
import { coalescer } from '#core/capture/coalesce.ts';
import { COALESCE_DEFAULTS, type Coalescer, type ReadBatch, type ReadItem } from '#core/capture/read-plan.ts';
import { MICROS_PER_MS } from '#core/clock.ts';
import type { RawEvent } from '#core/codec.ts';
import { ack, deadLetter, discard, retry, type Disposition } from '#core/disposition.ts';
import { codeOf, DependencyDown, messageOf, Transient, Unauthorized, type InvalidMessage } from '#core/errors.ts';
import type { BatchHandler, Delivered } from '#core/ports/broker.ts';
import type { EventDecoder } from '../cdc/event.ts';
import { hintOf, UNDECODABLE } from '../hint.ts';
import { isObject, type ObjectName } from '../objects.ts';
import type { Org } from '../org/org.ts';
import { SOURCE } from '../raw-event.ts';
import { isId } from '../soql.ts';
import { firstSights } from './first-sight.ts';
import { readBatch } from './read-batch.ts';
import { openBatch, Traces, type OpenBatch, type Ticket } from './tickets.ts';
import { retryUndecoded } from './undecoded.ts';

export interface Reader {
  readonly handle: BatchHandler;
  /** Hints are held. */
  busy(): boolean;
}

const CALLS_AT_ONCE = 8;
const BATCH_IDS = 500;
const MAX_HINTS = 20_000;
const FULL_RETRY_MS = 2_000;
const FAILED_RETRY_MS = 1_000;
/** Failures in a row, each after the wrapper's own retries, until the source counts as down. */
const DOWN_AFTER_FAILURES = 3;
const FIRST_REFUSAL = new Transient(
  'read_refused',
  'A read was refused; tried once more with the fields described anew.',
);
const RECORD_TOO_LARGE = deadLetter('record_too_large', 'The record is larger than a message may be.');

export function hintReader(org: Org, decoder: EventDecoder): Reader {
  const { context } = org;
  const { clock, codec } = context;
  const settleMs = context.config['salesforce.settleMs'];
  const fresh = (): Coalescer<Ticket> =>
    coalescer<Ticket>({
      ...COALESCE_DEFAULTS,
      settleMs,
      batchIds: BATCH_IDS,
      maxHints: MAX_HINTS,
      mixesObjects: true,
    });
  const sights = firstSights();
  const open = new Set<OpenBatch>();
  const refusedOnce = new Set<ObjectName>();
  let held = fresh();
  let traces = new Traces();
  let calls = 0;
  let failures = 0;
  let cancelTimer = (): void => undefined;

  const handle: BatchHandler = async (batch) => {
    const answers = openBatch(batch.length);
    open.add(answers);
    batch.forEach((message, index) => accept(message, answers, index));
    pump();
    return answers.answer.finally(() => open.delete(answers));
  };

  function accept(message: Delivered, batch: OpenBatch, index: number): void {
    let event: RawEvent;
    try {
      event = codec.decodeRaw(SOURCE, message);
    } catch (error) {
      return batch.settle(index, deadLetter(codeOf(error), messageOf(error)));
    }
    const { object, id, trace } = event.envelope;
    if (event.envelope.hint?.kind === UNDECODABLE) {
      retryUndecoded(org, decoder, event).then((answer) => batch.settle(index, answer), batch.fail);
      return;
    }
    if (!isObject(object) || !org.objects.includes(object)) return batch.settle(index, discard('object_not_read'));
    if (!isId(id)) return batch.settle(index, deadLetter('bad_id', 'A hint names a record with an id that is none.'));
    const key = `${object}/${id}`;
    if (!held.offer(hintOf(event), { batch, index, key, object }, clock.nowMicros()))
      return batch.settle(index, retry(FULL_RETRY_MS, 'hints_full'));
    traces.hold(key, trace);
  }

  /** Starts the calls that are due, and sees to being called when the next one is. */
  function pump(): void {
    cancelTimer();
    const now = clock.nowMicros();
    for (const batch of held.due(now, CALLS_AT_ONCE - calls)) void perform(batch);
    const next = calls < CALLS_AT_ONCE ? held.nextDueMicros() : null;
    if (next !== null) cancelTimer = clock.after(Math.max(0, (next - now) / MICROS_PER_MS), pump);
  }

  async function perform(batch: ReadBatch): Promise<void> {
    const holder = held;
    const traceOf = ({ object, id }: ReadItem): string => traces.of(`${object}/${id}`) ?? context.random.id();
    calls += 1;
    try {
      const { issuedMicros, tooLarge, refused } = await readBatch(org, batch, traceOf, sights, context.signal);
      failures = 0;
      if (isFirstRefusal(refused)) return failed(holder, batch, FIRST_REFUSAL);
      const large = new Set(tooLarge);
      const done = holder.completed(batch, { kind: 'published', issuedMicros }, clock.nowMicros());
      release(done, ({ key, object }) => {
        const error = refused.get(object);
        if (error !== undefined) return deadLetter(error.code, error.message);
        return large.has(key) ? RECORD_TOO_LARGE : ack;
      });
    } catch (error) {
      failed(holder, batch, error);
    } finally {
      calls -= 1;
      pump();
    }
  }

  /** A refused read is tried once more with the fields described anew (one may be gone); then its hints are parked. */
  function isFirstRefusal(refused: ReadonlyMap<ObjectName, InvalidMessage>): boolean {
    let first = false;
    for (const object of refused.keys()) {
      org.catalogue.forget(object);
      first ||= !refusedOnce.has(object);
      refusedOnce.add(object);
    }
    if (!first) for (const object of refused.keys()) refusedOnce.delete(object);
    return first;
  }

  function failed(holder: Coalescer<Ticket>, batch: ReadBatch, error: unknown): void {
    if (error !== FIRST_REFUSAL) failures += 1;
    const retryAtMicros = clock.nowMicros() + FAILED_RETRY_MS * MICROS_PER_MS * Math.max(1, failures);
    holder.completed(batch, { kind: 'failed', retryAtMicros }, clock.nowMicros());
    if (failures >= DOWN_AFTER_FAILURES || error instanceof Unauthorized) giveBack(error);
  }

  function release(tickets: readonly Ticket[], dispositionOf: (ticket: Ticket) => Disposition): void {
    for (const ticket of tickets) {
      traces.release(ticket.key);
      ticket.batch.settle(ticket.index, dispositionOf(ticket));
    }
  }

  /** All hints go back to the broker: the runtime pauses the service and asks again once a probe succeeds, or stops. */
  function giveBack(cause: unknown): void {
    cancelTimer();
    held = fresh();
    traces = new Traces();
    failures = 0;
    const down = new DependencyDown(
      'salesforce',
      `Salesforce cannot be read (${codeOf(cause)}): hints wait in the broker.`,
      { cause },
    );
    for (const batch of open) batch.fail(down);
    open.clear();
  }

  context.signal.addEventListener('abort', () => giveBack(context.signal.reason), { once: true });
  return { handle, busy: () => held.size > 0 };
}
