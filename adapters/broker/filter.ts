/**
 * Which messages a subscription takes, in the two forms a broker needs: a function, applied everywhere, and Pub/Sub's
 * filter text. Both say: of my lane, and addressed to nobody or to my service.
 */
import { InvalidMessage } from '#core/errors.ts';
import type { Lane, Message, SubscriptionSpec } from '#core/ports/broker.ts';

export type Wanted = Pick<SubscriptionSpec, 'lane' | 'service'>;

/** Pub/Sub's limit on the text of a filter. */
const FILTER_BYTES = 256;

export function wants(spec: Wanted, attributes: Message['attributes']): boolean {
  return wantsPartition(spec, attributes.lane ?? '', attributes.to ?? '');
}

/** The same for messages that share lane and addressee; empty text stands for a missing attribute. */
export function wantsPartition(spec: Wanted, lane: string, addressee: string): boolean {
  return (spec.lane === 'any' || spec.lane === lane) && (addressee === '' || addressee === spec.service);
}

/** The lane a message is worked in. Without the attribute it counts as live: nothing says that it may wait. */
export function laneOf(lane: string | undefined): Lane {
  return lane === 'bulk' ? 'bulk' : 'live';
}

export function filterText(spec: Wanted): string {
  const addressed = `(NOT attributes:to OR attributes.to="${spec.service}")`;
  const text = spec.lane === 'any' ? addressed : `attributes.lane="${spec.lane}" AND ${addressed}`;
  if (Buffer.byteLength(text) > FILTER_BYTES) {
    throw new InvalidMessage(
      'filter_too_long',
      `The filter for service ${spec.service} has more than ${FILTER_BYTES} bytes.`,
    );
  }
  return text;
}
