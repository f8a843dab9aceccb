/** What the main thread and the sink thread say to each other. */
import type { TelemetryEvents, TelemetryName } from '#core/telemetry.ts';
import type { QueryLimits } from '#core/ports/warehouse.ts';
import type { RecordKey } from '#core/key.ts';
import type { HostView } from '../host.ts';
import type { Values } from '../settings.ts';

export interface SinkThreadData {
  /** The same settings as the main thread's, as text: services are functions and cannot be sent. */
  readonly values: Values;
}

export interface HostState {
  readonly name: string;
  readonly state: HostView['state'];
  readonly busy: boolean;
}

export type ReadRequest =
  | { readonly kind: 'query'; readonly sql: string; readonly limits: QueryLimits }
  | {
      readonly kind: 'liveIds';
      readonly table: string;
      readonly object: Omit<RecordKey, 'id'>;
      readonly beforeSequence: number;
    };

export type ToSink =
  | { readonly kind: 'read'; readonly id: number; readonly request: ReadRequest }
  /** Asks for the next chunk: one at a time, so that a slow reader is not flooded. */
  | { readonly kind: 'more'; readonly id: number }
  | { readonly kind: 'cancel'; readonly id: number }
  | { readonly kind: 'stop' };

export type SerializedError = { readonly name: string; readonly code: string; readonly message: string };

export type FromSink =
  | { readonly kind: 'started' }
  | { readonly kind: 'hosts'; readonly hosts: readonly HostState[] }
  | {
      readonly kind: 'telemetry';
      readonly events: readonly (readonly [TelemetryName, TelemetryEvents[TelemetryName]])[];
    }
  | { readonly kind: 'chunk'; readonly id: number; readonly chunk: unknown }
  | { readonly kind: 'end'; readonly id: number }
  | { readonly kind: 'failed'; readonly id: number; readonly error: SerializedError }
  | { readonly kind: 'stopped'; readonly error: SerializedError | null };
