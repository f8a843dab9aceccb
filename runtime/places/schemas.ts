/** Which Avro schema the bodies of a topic have, for brokers that check them. */
import { BODIES } from '#schemas/generated/bodies.ts';

/** Undefined for topics whose bodies are of several schemas (`ops.event`) or of none (hints, dead letters). */
export function definitionOf(topic: string): string | undefined {
  const body = BODIES[topic === 'resolved.match' ? 'canonical.match' : topic];
  return body === undefined ? undefined : JSON.stringify(body.schema);
}
