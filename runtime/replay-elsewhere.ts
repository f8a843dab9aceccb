/** A replay from the archive where the stages run in other processes: only what it needs is open, and nothing is made. */
import { TelemetryHub } from '#core/telemetry.ts';
import { noWarehouse } from './cloud/no-warehouse.ts';
import { openGround } from './ground.ts';
import { Lifecycle } from './lifecycle.ts';
import {
  replayArchive,
  type ArchiveReplay,
  type ArchiveReplayIo,
  type ArchiveReplayRequest,
} from './replay-archive.ts';
import type { Settings } from './settings.ts';

export async function replayElsewhere(
  settings: Settings,
  request: ArchiveReplayRequest,
  io: ArchiveReplayIo,
): Promise<ArchiveReplay> {
  const lifecycle = new Lifecycle();
  try {
    const options = { settings, telemetry: new TelemetryHub(), provision: false, warehouse: noWarehouse() };
    const { hostPorts } = await openGround(options, lifecycle);
    return await replayArchive({ ...hostPorts, ...hostPorts.ports }, request, io);
  } finally {
    await lifecycle.stop();
  }
}
