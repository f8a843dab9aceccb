/** Rows of the broker's file, as read. */
import type { Lane, SubscriptionSpec } from '#core/ports/broker.ts';

export interface SubscriptionRow {
  readonly id: number;
  readonly name: string;
  readonly topic: number;
  readonly lane: Lane | 'any';
  readonly service: string;
  readonly sharing: SubscriptionSpec['sharing'];
  /** Raised by every seek: what an older generation acked no longer counts. */
  generation: number;
}

/** As stored in `cursors`. */
export interface CursorRow {
  readonly frame: number;
  readonly handedTo: number;
  readonly messagesDone: number;
  readonly bytesDone: number;
}

export interface ExceptionRow {
  readonly frame: number;
  readonly acked: Uint8Array | null;
  readonly crashes: number;
}
