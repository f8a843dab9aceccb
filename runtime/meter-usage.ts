/** Publishes now and then how often this process called which source, and once more when it stops. */
import { codeOf, messageOf } from '#core/errors.ts';
import type { TelemetryHub } from '#core/telemetry.ts';
import type { HostPorts } from './host-ports.ts';
import type { Lifecycle } from './lifecycle.ts';
import { UsageMeter } from './usage.ts';

const EVERY_MS = 10_000;

export function meterUsage(telemetry: TelemetryHub, ports: HostPorts, lifecycle: Lifecycle): void {
  const meter = new UsageMeter(ports.clock, ports.owner.slice(0, 8), ports.factPublisher);
  telemetry.listen(meter.listener);
  const stopping = new AbortController();
  const failed = (error: unknown): void =>
    telemetry.emit('faultSeen', { service: 'usage', code: codeOf(error), message: messageOf(error) });
  const loop = (async () => {
    while (!stopping.signal.aborted) {
      await ports.clock.sleep(EVERY_MS, stopping.signal).catch(() => undefined);
      await meter.flush().catch(failed);
    }
  })();
  lifecycle.onStop('usage', async () => {
    stopping.abort();
    await loop;
  });
}
