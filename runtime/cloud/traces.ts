/** Which trace is being worked on: of a batch the first event's, for spans and for log lines. */
import { AsyncLocalStorage } from 'node:async_hooks';
import { typeFor } from '#core/codec.ts';
import { BODIES } from '#schemas/generated/bodies.ts';
import type { Message } from '#core/ports/broker.ts';

export interface Traces {
  current(): string | undefined;
  during<T>(trace: string | undefined, work: () => T): T;
}

export function openTraces(): Traces {
  const storage = new AsyncLocalStorage<string>();
  return {
    current: () => storage.getStore(),
    during: (trace, work) => (trace === undefined ? storage.exit(work) : storage.run(trace, work)),
  };
}

/** More would be looked at for each batch than a span can usefully link to. */
const MOST_TRACES = 16;
const TRACE = /^[0-9a-f]{32}$/;

/**
 * Reads traces out of bodies, of which the envelope is the first field, without decoding the rest. What has no envelope (a
 * claim, a dead letter) or one of another time has no trace here.
 */
export function traceReader(): (messages: readonly Message[]) => readonly string[] {
  const envelope = typeFor(prefixOf(BODIES['canonical.call']?.schema));
  const of = ({ body, attributes }: Message): string | undefined => {
    if (attributes['ce-type'] === undefined) return undefined;
    try {
      const read = envelope.decode(Buffer.from(body.buffer, body.byteOffset, body.byteLength), 0) as Prefix;
      const { trace } = read.value.envelope;
      const digits = trace.replaceAll('-', '').toLowerCase();
      return TRACE.test(digits) ? digits : undefined;
    } catch {
      return undefined;
    }
  };
  return (messages) => {
    const found = new Set<string>();
    for (const message of messages.slice(0, MOST_TRACES)) {
      const trace = of(message);
      if (trace !== undefined) found.add(trace);
    }
    return [...found];
  };
}

interface Prefix {
  readonly value: { readonly envelope: { readonly trace: string } };
}

function prefixOf(schema: unknown): unknown {
  const { fields } = schema as { readonly fields: readonly unknown[] };
  return { type: 'record', name: 'Prefix', fields: fields.slice(0, 1) };
}
