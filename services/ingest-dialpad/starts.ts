import type { CallPage } from './call-list.ts';
import { decodeCall } from './decode.ts';

/** When the calls of a page started, in milliseconds, as far as it says. */
export function* startsOf(page: CallPage): Generator<number> {
  for (const item of page.items) {
    const decoded = decodeCall(item);
    const start = decoded.kind === 'call' ? Number(decoded.image.json['date_started'] ?? Number.NaN) : Number.NaN;
    if (Number.isSafeInteger(start) && start > 0) yield start;
  }
}
