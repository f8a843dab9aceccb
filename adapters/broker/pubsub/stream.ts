/** How a streaming pull is opened: the client's options, each of which has a default that does harm here. */
import { Duration, SubscriptionCloseBehaviors, type SubscriptionOptions } from '@google-cloud/pubsub';
import type { Flow, SubscriptionSpec } from '#core/ports/broker.ts';

/** The client extends leases up to this; then the message is delivered again, and `Intake` gives its batch up. */
const LONGEST_LEASE = Duration.from({ minutes: 60 });
/** Closing sends the acks and nacks that wait; without a limit it waits an hour for a server that is silent. */
const CLOSE_WITHIN = Duration.from({ seconds: 2 });
/** Acked messages count as held until the ack was sent. */
const ACK_LINGER_MS = 20;

/**
 * One stream, not five. No message beyond the limits. A lease is never longer than the subscription's deadline, however
 * slow earlier acks were: it is what a killed process makes others wait.
 */
export function streamOptions(spec: SubscriptionSpec, flow: Flow): SubscriptionOptions {
  return {
    flowControl: {
      maxMessages: flow.outstandingMessages,
      maxBytes: flow.outstandingBytes,
      allowExcessMessages: false,
    },
    streamingOptions: { maxStreams: 1 },
    batching: { maxMilliseconds: ACK_LINGER_MS },
    maxExtensionTime: LONGEST_LEASE,
    maxAckDeadline: Duration.from({ seconds: spec.ackDeadlineSeconds }),
    closeOptions: { behavior: SubscriptionCloseBehaviors.NackImmediately, timeout: CLOSE_WITHIN },
  };
}
