/**
 * Publishes what was found about records of one object. What is too large for a message is handed to `read` as a hint,
 * which parks it with its reason: so nothing is lost and nothing else waits for it.
 */
import type { Sighting, Verdict } from '#core/capture/verdict.ts';
import type { Message, Survives } from '#core/ports/broker.ts';
import type { CapturePath } from '#core/telemetry.ts';
import type { SalesforceContext } from './declared.ts';
import type { DecodedRecord } from './decode/plan.ts';
import { factsOf, hintMessage, TOO_LARGE } from './hint.ts';
import { fits, rawMessage, SOURCE, type Origin, type Told } from './raw-event.ts';

export interface Finding {
  readonly id: string;
  readonly verdict: Verdict;
  /** Null: a deletion without an image. */
  readonly json: string | null;
  readonly told: Told;
}

export function sightingOf(record: DecodedRecord | undefined): Sighting {
  if (record === undefined) return { kind: 'missing' };
  return { kind: record.deleted ? 'deleted' : 'live', modifiedMicros: record.modifiedMicros };
}

export function untold(context: SalesforceContext): Told {
  return { trace: context.random.id(), changedAtMicros: null, hint: null };
}

export interface Published {
  readonly events: number;
  /** Ids of records that are too large for a message. */
  readonly tooLarge: readonly string[];
}

export async function publishFindings(
  context: SalesforceContext,
  origin: Origin,
  path: CapturePath,
  findings: readonly Finding[],
  survives: Survives,
): Promise<Published> {
  const messages: Message[] = [];
  const tooLarge: string[] = [];
  for (const { id, verdict, json, told } of findings) {
    if (verdict.kind === 'unknown') continue;
    const message = rawMessage(context.codec, origin, id, verdict, json, told);
    if (fits(message)) messages.push(message);
    else tooLarge.push(id);
  }
  await publishRaw(context, origin.object, path, messages, survives);
  return { events: messages.length, tooLarge };
}

export async function publishRaw(
  context: SalesforceContext,
  object: string,
  path: CapturePath,
  messages: readonly Message[],
  survives: Survives,
): Promise<void> {
  if (messages.length === 0) return;
  await context.publish('raw.salesforce', messages, survives);
  context.telemetry.emit('eventsIngested', { source: SOURCE, object, path, events: messages.length });
}

/** For the ways that have no hint to park. */
export async function hintTooLarge(
  context: SalesforceContext,
  origin: Origin,
  epoch: number,
  ids: readonly string[],
): Promise<void> {
  if (ids.length === 0) return;
  const messages = ids.map((id) =>
    hintMessage(context.codec, {
      instance: origin.instance,
      epoch,
      object: origin.object,
      id,
      changedAtMicros: origin.observedAtMicros,
      observedAtMicros: origin.observedAtMicros,
      trace: context.random.id(),
      facts: factsOf(TOO_LARGE),
      body: {},
    }),
  );
  await context.publish('hint.salesforce', messages, 'power');
}
