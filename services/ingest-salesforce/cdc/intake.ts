/**
 * From pushed events to hints, and to what they owe: an event that names no records (an overflow, a wildcard) asks for a
 * reconcile of its object. Events of objects that are not read are counted, not hidden.
 */
import { MICROS_PER_MS } from '#core/clock.ts';
import { InvalidMessage } from '#core/errors.ts';
import type { Message } from '#core/ports/broker.ts';
import { factsOf, hintMessage, UNDECODABLE } from '../hint.ts';
import type { ObjectName } from '../objects.ts';
import type { Org } from '../org/org.ts';
import { SOURCE } from '../raw-event.ts';
import { isId } from '../soql.ts';
import type { ChangeEvent, EventDecoder } from './event.ts';
import type { PushedEvent } from './protocol.ts';

export interface Taken {
  readonly hints: readonly Message[];
  /** Objects to reconcile, and since when. */
  readonly owed: readonly { readonly object: ObjectName; readonly sinceMicros: number }[];
  /** The latest commit among the events; null if none was told. */
  readonly committedMicros: number | null;
}

export interface Intake {
  take(events: readonly PushedEvent[], observedAtMicros: number): Promise<Taken>;
}

export function intake(org: Org, instance: string, topic: string, decoder: EventDecoder): Intake {
  const { codec, random, telemetry } = org.context;

  function hintsOf(event: ChangeEvent, replayId: string, observedAtMicros: number): readonly Message[] {
    const { changeType, changedFields, commitUser, changeOrigin, transactionKey } = event;
    const facts = {
      kind: changeType,
      changedFields,
      user: commitUser,
      origin: changeOrigin,
      transaction: transactionKey,
    };
    const changedAtMicros = event.commitMs * MICROS_PER_MS;
    return event.recordIds.map((id) =>
      hintMessage(codec, {
        instance,
        epoch: org.epoch,
        object: event.entity,
        id,
        changedAtMicros,
        observedAtMicros,
        trace: random.id(),
        facts,
        body: { replayId },
      }),
    );
  }

  function undecodableHint({ schemaId, payload, replayId }: PushedEvent, observedAtMicros: number): Message {
    return hintMessage(codec, {
      instance,
      epoch: org.epoch,
      object: UNDECODABLE,
      id: replayId === '' ? random.id() : replayId,
      changedAtMicros: observedAtMicros,
      observedAtMicros,
      trace: random.id(),
      facts: factsOf(UNDECODABLE),
      body: { schemaId, replayId, topic, payloadBase64: Buffer.from(payload).toString('base64') },
    });
  }

  function takeOne(event: ChangeEvent, replayId: string, observedAtMicros: number): Taken {
    const committedMicros = event.commitMs * MICROS_PER_MS;
    const object = org.objects.find((name) => name === event.entity);
    if (object === undefined) {
      telemetry.emit('messageDiscarded', {
        service: 'ingest-salesforce',
        subscription: topic,
        reason: 'object_not_read',
      });
      return { hints: [], owed: [], committedMicros };
    }
    if (event.changeType === 'GAP_OVERFLOW' || event.recordIds.length === 0 || !event.recordIds.every(isRecordId))
      return { hints: [], owed: [{ object, sinceMicros: committedMicros }], committedMicros };
    const hints = hintsOf(event, replayId, observedAtMicros);
    telemetry.emit('hintsReceived', { source: SOURCE, object, hints: hints.length });
    return { hints, owed: [], committedMicros };
  }

  async function takeEvent(event: PushedEvent, observedAtMicros: number): Promise<Taken> {
    try {
      return takeOne(await decoder.decode(event.schemaId, event.payload), event.replayId, observedAtMicros);
    } catch (error) {
      if (!(error instanceof InvalidMessage)) throw error;
      return { hints: [undecodableHint(event, observedAtMicros)], owed: [], committedMicros: null };
    }
  }

  return {
    async take(events, observedAtMicros) {
      const taken = await Promise.all(events.map((event) => takeEvent(event, observedAtMicros)));
      const commits = taken.flatMap(({ committedMicros }) => committedMicros ?? []);
      return {
        hints: taken.flatMap(({ hints }) => hints),
        owed: taken.flatMap(({ owed }) => owed),
        committedMicros: commits.length === 0 ? null : Math.max(...commits),
      };
    },
  };
}

/** An overflow has an id of zeros, a wildcard one such as `001*`: neither names a record. */
function isRecordId(id: string): boolean {
  return isId(id) && !id.startsWith('000000000000000');
}
