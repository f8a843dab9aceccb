/** What Pub/Sub's gRPC statuses mean for whoever called, https://cloud.google.com/pubsub/docs/reference/error-codes */
import { DependencyDown, InvalidMessage, Misconfigured, TributaryError, Unauthorized } from '#core/errors.ts';

const INVALID_ARGUMENT = 3;
export const NOT_FOUND = 5;
export const ALREADY_EXISTS = 6;
export const PERMISSION_DENIED = 7;
export const RESOURCE_EXHAUSTED = 8;
const UNAUTHENTICATED = 16;

/** The client closes a stream that fails with one of these, and opening it again would not help. */
export const GONE: ReadonlySet<number | undefined> = new Set([NOT_FOUND, PERMISSION_DENIED]);

export function statusOf(error: unknown): number | undefined {
  if (typeof error !== 'object' || error === null || !('code' in error)) return undefined;
  return typeof error.code === 'number' ? error.code : undefined;
}

export function pubsubError(error: unknown, resource: string): TributaryError {
  if (error instanceof TributaryError) return error;
  const options = { cause: error };
  switch (statusOf(error)) {
    case NOT_FOUND:
      return new Misconfigured('broker_resource_missing', `Pub/Sub has no ${resource}: apply the topology.`, options);
    case PERMISSION_DENIED:
    case UNAUTHENTICATED:
      return new Unauthorized(
        'broker_denied',
        `Pub/Sub denies access to ${resource}: grant the service its role.`,
        options,
      );
    case INVALID_ARGUMENT:
      return new InvalidMessage(
        'broker_refused',
        `Pub/Sub refused what was sent to ${resource}: see the cause.`,
        options,
      );
    default:
      return new DependencyDown('broker', `Pub/Sub failed for ${resource}: it is tried again.`, options);
  }
}
