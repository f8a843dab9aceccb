/** What only publishes, where the stages run in other processes: only what it needs is open, and nothing is made. */
import { TelemetryHub } from '#core/telemetry.ts';
import { noWarehouse } from './cloud/no-warehouse.ts';
import { openGround } from './ground.ts';
import type { HostPorts } from './host-ports.ts';
import { Lifecycle } from './lifecycle.ts';
import type { Settings } from './settings.ts';

export type ElsewherePorts = HostPorts & HostPorts['ports'];

/** Closes all when `work` has ended, however it did. */
export async function elsewhere<T>(settings: Settings, work: (ports: ElsewherePorts) => Promise<T>): Promise<T> {
  const lifecycle = new Lifecycle();
  try {
    const options = { settings, telemetry: new TelemetryHub(), provision: false, warehouse: noWarehouse() };
    const { hostPorts } = await openGround(options, lifecycle);
    return await work({ ...hostPorts, ...hostPorts.ports });
  } finally {
    await lifecycle.stop();
  }
}
