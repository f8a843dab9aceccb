/**
 * A span for each batch that a service handles. It belongs to the trace of the batch's first event, which is the same from
 * the source to the row, and links to the traces of the others. No span knows another: the envelope carries the trace only,
 * so a trace is a row of spans, one a stage, in the order of their times.
 */
import { SpanKind, SpanStatusCode, type Link, type Tracer } from '@opentelemetry/api';
import { RandomIdGenerator, type IdGenerator } from '@opentelemetry/sdk-trace';
import type { Disposition } from '#core/disposition.ts';
import { codeOf } from '#core/errors.ts';

export interface BatchFacts {
  readonly service: string;
  readonly subscription: string;
  readonly topic: string;
  readonly lane: string;
  readonly messages: number;
  /** Since the oldest was published. */
  readonly oldestAgeMs: number;
  /** 32 hexadecimal digits each, the first event's first, without repetition. */
  readonly traces: readonly string[];
}

/** A span begins a trace of its own unless it is told which; spans begin synchronously, so a field will do. */
export class GivenTraces implements IdGenerator {
  readonly #random = new RandomIdGenerator();
  #next: string | undefined;

  during<T>(trace: string | undefined, start: () => T): T {
    this.#next = trace;
    try {
      return start();
    } finally {
      this.#next = undefined;
    }
  }

  generateTraceId(): string {
    return this.#next ?? this.#random.generateTraceId();
  }

  generateSpanId(): string {
    return this.#random.generateSpanId();
  }
}

export async function spanOf(
  tracer: Tracer,
  ids: GivenTraces,
  facts: BatchFacts,
  work: () => Promise<readonly Disposition[]>,
): Promise<readonly Disposition[]> {
  const [own, ...others] = facts.traces;
  const span = ids.during(own, () =>
    tracer.startSpan(`${facts.subscription} process`, {
      root: true,
      kind: SpanKind.CONSUMER,
      links: others.map(linkTo),
      attributes: attributesOf(facts),
    }),
  );
  try {
    const answers = await work();
    span.setAttribute('tributary.acked', answers.filter(({ kind }) => kind === 'ack').length);
    return answers;
  } catch (error) {
    span.setAttribute('error.type', codeOf(error));
    span.setStatus({ code: SpanStatusCode.ERROR, message: codeOf(error) });
    throw error;
  } finally {
    span.end();
  }
}

function attributesOf(facts: BatchFacts) {
  return {
    'messaging.operation.type': 'process',
    'messaging.destination.name': facts.topic,
    'messaging.destination.subscription.name': facts.subscription,
    'messaging.batch.message_count': facts.messages,
    'tributary.service': facts.service,
    'tributary.lane': facts.lane,
    'tributary.oldest_age_ms': facts.oldestAgeMs,
  };
}

/** A link names a span; which one it was is not known, so it is one that stands for the trace. */
function linkTo(traceId: string): Link {
  return { context: { traceId, spanId: traceId.slice(0, 16), traceFlags: 1, isRemote: true } };
}
