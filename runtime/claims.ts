/** Claim checks at the runtime's edges: stored before a publish, fetched before a handler sees the message. */
import { checkIn, claimOf, LARGEST_BODY_BYTES, needsClaim, redeem } from '#core/claim.ts';
import type { Clock } from '#core/clock.ts';
import { deadLetter, type Disposition } from '#core/disposition.ts';
import { InvalidMessage } from '#core/errors.ts';
import type { BatchHandler, Delivered, Message } from '#core/ports/broker.ts';
import type { ObjectsPort } from '#core/ports/objects.ts';

/**
 * The messages as the broker can carry them; the bodies that were too large are durable by then. What is there already is
 * put again, or it might be taken for its age while the message waits. Throws `InvalidMessage` beyond what is carried at all.
 */
export async function checkInLarge(
  topic: string,
  messages: readonly Message[],
  { objects, clock }: { readonly objects: ObjectsPort; readonly clock: Clock },
): Promise<readonly Message[]> {
  if (!messages.some(needsClaim)) return messages;
  const carried: Message[] = [];
  for (const message of messages) {
    if (!needsClaim(message)) {
      carried.push(message);
      continue;
    }
    if (message.body.byteLength > LARGEST_BODY_BYTES) throw tooLarge(message);
    const checked = checkIn(topic, message, clock.nowMicros());
    await objects.put(checked.claim.name, message.body);
    carried.push(checked.message);
  }
  return carried;
}

/** Bodies fetched for one call of a handler, beyond the first. */
const AT_ONCE_BYTES = 24_000_000;

/**
 * Fetches what messages claim before `handler` sees them; who claims what is not there is a dead letter alone. Flow limits
 * count the small bodies, so batches with claims go one at a time and in parts: what they fetch is bounded here.
 */
export function withClaims(handler: BatchHandler, objects: ObjectsPort): BatchHandler {
  let last: Promise<unknown> = Promise.resolve();
  return async (batch, signal) => {
    if (!batch.some((message) => claimOf(message) !== undefined)) return handler(batch, signal);
    const answered = last.then(() => inParts(batch, signal, handler, objects));
    last = answered.catch(() => undefined);
    return answered;
  };
}

async function inParts(
  batch: readonly Delivered[],
  signal: AbortSignal,
  handler: BatchHandler,
  objects: ObjectsPort,
): Promise<readonly Disposition[]> {
  const answers: Disposition[] = [];
  for (const part of partsOf(batch)) {
    signal.throwIfAborted();
    answers.push(...(await handlePart(part, signal, handler, objects)));
  }
  return answers;
}

async function handlePart(
  part: readonly Delivered[],
  signal: AbortSignal,
  handler: BatchHandler,
  objects: ObjectsPort,
): Promise<readonly Disposition[]> {
  const opened: (Delivered | Disposition)[] = [];
  for (const message of part) opened.push(await openClaim(message, objects));
  const whole = opened.filter((one) => 'body' in one);
  const answers = whole.length === 0 ? [] : await handler(whole, signal);
  if (answers.length !== whole.length) return answers;
  let next = 0;
  return opened.map((one) => ('body' in one ? (answers[next++] as Disposition) : one));
}

/** The message whole, or the dead letter that it is where its body cannot be fetched. */
export async function openClaim(message: Delivered, objects: ObjectsPort): Promise<Delivered | Disposition> {
  try {
    return await whole(message, objects);
  } catch (error) {
    if (!(error instanceof InvalidMessage)) throw error;
    return deadLetter(error.code, error.message);
  }
}

async function whole(message: Delivered, objects: ObjectsPort): Promise<Delivered> {
  const claim = claimOf(message);
  return claim === undefined ? message : redeem(message, claim, await objects.get(claim.name));
}

function partsOf(batch: readonly Delivered[]): readonly (readonly Delivered[])[] {
  const parts: Delivered[][] = [[]];
  let bytes = 0;
  for (const message of batch) {
    const more = claimOf(message)?.bytes ?? 0;
    if (more > 0 && bytes > 0 && bytes + more > AT_ONCE_BYTES) {
      parts.push([]);
      bytes = 0;
    }
    bytes += more;
    parts.at(-1)?.push(message);
  }
  return parts;
}

function tooLarge({ body, attributes }: Message): InvalidMessage {
  return new InvalidMessage(
    'message_too_large',
    `The body of ${attributes['key'] ?? 'a message'} has ${body.byteLength} bytes; at most ${LARGEST_BODY_BYTES} are carried.`,
  );
}
