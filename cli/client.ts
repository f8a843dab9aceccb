/** One operation on a state folder, in the pipeline that runs on it or, where none runs, on the files themselves. */
import { existsSync } from 'node:fs';
import { Misconfigured } from '#core/errors.ts';
import type { Progress } from '#core/service.ts';
import { TelemetryHub } from '#core/telemetry.ts';
import { startEmbedded } from '#runtime/embedded.ts';
import { operate, type Emit, type OperationName, type Requests } from '#runtime/operations.ts';
import { isRunning, operateRemotely } from '#runtime/socket.ts';
import { loadSettings, stateOf, type CommonOptions } from './settings.ts';
import { refuseWithoutStandIns } from './stand-ins.ts';
import { untilIdle } from './until-idle.ts';

export interface Io {
  readonly emit: Emit;
  readonly progress: Progress;
}

export const SILENT: Io = { emit: () => undefined, progress: () => undefined };

/** `flowing` operations need the stages: where no pipeline runs, one is started for them and stopped when all has arrived. */
export async function perform<N extends OperationName>(
  options: CommonOptions,
  name: N,
  request: Requests[N],
  io: Io,
  flowing = false,
): Promise<unknown> {
  const folder = stateOf(options);
  if (await isRunning(folder)) return operateRemotely(folder, name, request, io);
  if (!flowing && !existsSync(folder))
    throw new Misconfigured('no_state', `There is nothing at ${folder} yet: run «npm start» first, or give --state.`);
  await refuseWithoutStandIns(options);
  const { settings } = await loadSettings(options);
  const runtime = await startEmbedded({ settings, telemetry: new TelemetryHub(), flowing });
  try {
    const result = await operate(runtime, name, request, { ...io, signal: new AbortController().signal });
    if (flowing) await untilIdle(runtime);
    return result;
  } finally {
    await runtime.stop();
  }
}
