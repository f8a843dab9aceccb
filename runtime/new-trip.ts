/** What both kinds of replay share: a raw event sent again, and the number that lets it win over its earlier trips. */
import type { RawSource } from '#schemas/generated/types.ts';
import type { Codec, RawEvent } from '#core/codec.ts';
import { Transient } from '#core/errors.ts';
import type { Message } from '#core/ports/broker.ts';
import type { StorePort } from '#core/ports/store.ts';

const COUNTER = 'replay/generation';

/** Counted a replay, not an event: a second replay must win over the first. */
export async function nextGeneration(store: StorePort): Promise<number> {
  const stored = await store.get(COUNTER);
  const generation = Number(stored?.value ?? '0') + 1;
  if ((await store.put(COUNTER, String(generation), stored?.generation ?? null)) === undefined) {
    throw new Transient('replay_running', 'Another replay started at the same moment: run it again.');
  }
  return generation;
}

/** On its own topic, for the normalizer alone, in the bulk lane. */
export function newTrip(codec: Codec, source: RawSource, event: RawEvent, generation: number): Message {
  const version = { ...event.envelope.version, generation };
  const again = codec.encodeRaw(source, { ...event, envelope: { ...event.envelope, lane: 'bulk', version } });
  return { ...again, attributes: { ...again.attributes, to: 'normalizer' } };
}
