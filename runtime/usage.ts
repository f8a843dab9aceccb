/** Each call to a source is a row: counted by minute, purpose and operation, and published as `api_call` facts. */
import type { Entities } from '#schemas/generated/types.ts';
import type { Clock } from '#core/clock.ts';
import type { Fact } from '#core/facts.ts';
import type { TelemetryEvents, TelemetryListener } from '#core/telemetry.ts';

const MINUTE_MICROS = 60_000_000;

interface Window {
  record: Entities['api_call'];
  /** Grows with every publish of this window: the row's state number. */
  state: number;
  changed: boolean;
}

export class UsageMeter {
  readonly #windows = new Map<string, Window>();
  readonly #clock: Clock;
  readonly #publish: (fact: Fact<'api_call'>) => Promise<void>;
  readonly #process: string;

  /** `process` keeps two processes, or a restart within the minute, from writing the same row. */
  constructor(clock: Clock, process: string, publish: (fact: Fact<'api_call'>) => Promise<void>) {
    this.#clock = clock;
    this.#process = process;
    this.#publish = publish;
  }

  readonly listener: TelemetryListener = (name, fields) => {
    if (name === 'vendorCalled') this.#count(fields as TelemetryEvents['vendorCalled']);
  };

  /** Publishes the windows that changed; finished ones are forgotten. What a rejected call did not publish the next one does. */
  async flush(): Promise<void> {
    const now = this.#clock.nowMicros();
    for (const [id, window] of this.#windows) {
      if (window.changed) await this.#tell(id, window, now);
      if (window.record.minute_at + MINUTE_MICROS <= now) this.#windows.delete(id);
    }
  }

  async #tell(id: string, window: Window, atMicros: number): Promise<void> {
    window.changed = false;
    window.state += 1;
    const { state, record } = window;
    try {
      await this.#publish({ entity: 'api_call', id, state, atMicros, trace: id, record });
    } catch (error) {
      window.changed = true;
      throw error;
    }
  }

  #count(call: TelemetryEvents['vendorCalled']): void {
    const minute = Math.floor(this.#clock.nowMicros() / MINUTE_MICROS) * MINUTE_MICROS;
    const id = `${call.source}/${call.purpose}/${call.operation}/${minute / MINUTE_MICROS}/${this.#process}`;
    const window = this.#windows.get(id) ?? { record: emptyRecord(call, minute), state: 0, changed: false };
    const failed = call.status === 0 || call.status >= 400;
    window.record = {
      ...window.record,
      calls: window.record.calls + 1,
      failures: window.record.failures + (failed ? 1 : 0),
      rate_limited: window.record.rate_limited + (call.status === 429 ? 1 : 0),
      allowance_used: call.allowanceUsed ?? window.record.allowance_used,
      allowance_max: call.allowanceMax ?? window.record.allowance_max,
    };
    window.changed = true;
    this.#windows.set(id, window);
  }
}

function emptyRecord(call: TelemetryEvents['vendorCalled'], minute: number): Entities['api_call'] {
  return {
    call_source: call.source,
    purpose: call.purpose,
    operation: call.operation,
    minute_at: minute,
    calls: 0,
    failures: 0,
    rate_limited: 0,
    allowance_used: null,
    allowance_max: null,
  };
}
