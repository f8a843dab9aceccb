/** Errors across threads: class and code survive, so that who must act is still known on the other side. */
import {
  codeOf,
  DependencyDown,
  InvalidMessage,
  messageOf,
  Misconfigured,
  Stale,
  Transient,
  Unauthorized,
} from '#core/errors.ts';
import type { SerializedError } from './protocol.ts';

export function serialize(error: unknown): SerializedError {
  return { name: error instanceof Error ? error.name : 'Error', code: codeOf(error), message: messageOf(error) };
}

const CLASSES = { Transient, InvalidMessage, Unauthorized, Misconfigured, Stale };

export function revive({ name, code, message }: SerializedError): Error {
  if (name === 'DependencyDown') return new DependencyDown('warehouse', message);
  const known = CLASSES[name as keyof typeof CLASSES] as (typeof CLASSES)[keyof typeof CLASSES] | undefined;
  return known === undefined ? new Error(message) : new known(code, message);
}
