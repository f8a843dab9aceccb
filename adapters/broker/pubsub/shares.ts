/**
 * Flow limits of Pub/Sub's client are per subscription, and a service has many: what each asked for is cut so that all
 * open ones of the service together stay within its budget.
 */
import type { Flow } from '#core/ports/broker.ts';
import type { Budget } from './options.ts';

/** Each flow's part, in proportion to what it asked for; unchanged if all fit. */
export function shares(flows: readonly Flow[], budget: Budget): readonly Flow[] {
  const asked = (what: 'outstandingBytes' | 'outstandingMessages'): number =>
    flows.reduce((sum, flow) => sum + flow[what], 0);
  const bytes = Math.min(1, budget.outstandingBytesTotal / asked('outstandingBytes'));
  const messages = Math.min(1, budget.outstandingMessagesTotal / asked('outstandingMessages'));
  return flows.map((flow) => (bytes === 1 && messages === 1 ? flow : cut(flow, bytes, messages)));
}

/**
 * A batch is due when it is full, so it must not be larger than what may be held, or every batch would linger; half of
 * it lets one batch gather while another is worked on.
 */
function cut(flow: Flow, bytes: number, messages: number): Flow {
  const outstandingBytes = atLeastOne(flow.outstandingBytes * bytes);
  const outstandingMessages = atLeastOne(flow.outstandingMessages * messages);
  return {
    ...flow,
    outstandingBytes,
    outstandingMessages,
    batchBytes: Math.min(flow.batchBytes, atLeastOne(outstandingBytes / 2)),
    batchMessages: Math.min(flow.batchMessages, atLeastOne(outstandingMessages / 2)),
  };
}

function atLeastOne(value: number): number {
  return Math.max(1, Math.floor(value));
}
