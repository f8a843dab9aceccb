/** One operation on a state folder, in the pipeline that runs on it or, where none runs, on the files themselves. */
import { existsSync } from 'node:fs';
import { Misconfigured } from '#core/errors.ts';
import type { Progress } from '#core/service.ts';
import { TelemetryHub } from '#core/telemetry.ts';
import { discoverServices } from '#runtime/discover.ts';
import { elsewhere, type ElsewherePorts } from '#runtime/elsewhere.ts';
import { startEmbedded, type EmbeddedRuntime } from '#runtime/embedded.ts';
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

/**
 * What an operation needs besides what is stored: `everything` that is configured, the `stages` after the sources, or
 * nothing. Where no pipeline runs it is started for the operation, and stopped when all has arrived.
 */
export type Needs = 'everything' | 'stages' | 'nothing';

export async function perform<N extends OperationName>(
  options: CommonOptions,
  name: N,
  request: Requests[N],
  io: Io,
  needs: Needs = 'nothing',
): Promise<unknown> {
  const folder = stateOf(options);
  if (await isRunning(folder)) return operateRemotely(folder, name, request, io);
  const flowing = needs !== 'nothing';
  if (!flowing) refuseWithoutState(folder);
  await refuseWithoutStandIns(options);
  const { settings } = await loadSettings(options, needs === 'stages' ? { services: await stageNames() } : {});
  const runtime = await startEmbedded({ settings, telemetry: new TelemetryHub(), flowing });
  try {
    const result = await operate(runtime, name, request, { ...io, signal: new AbortController().signal });
    if (flowing) await untilIdle({ metrics: runtime.metrics, isIdle: () => isIdle(runtime) });
    return result;
  } finally {
    await runtime.stop();
  }
}

/**
 * An operation that only publishes: in the pipeline that runs; where none does and the broker is a file here, with stages of
 * its own; else, as a dry run, which needs none, by `alone` beside those elsewhere.
 */
export async function send<N extends OperationName>(
  options: CommonOptions,
  name: N,
  request: Requests[N] & { readonly dryRun: boolean },
  io: Io,
  alone: (ports: ElsewherePorts) => Promise<unknown>,
): Promise<unknown> {
  if (!(await isRunning(stateOf(options)))) {
    await refuseWithoutStandIns(options);
    const { settings } = await loadSettings(options);
    if (settings.runtime.storage === 'files') refuseWithoutState(stateOf(options));
    if (request.dryRun || settings.runtime.broker !== 'embedded') return elsewhere(settings, alone);
  }
  return perform(options, name, request, io, 'stages');
}

/** Throws `Misconfigured` where there is no such folder. */
export function refuseWithoutState(folder: string): void {
  if (!existsSync(folder))
    throw new Misconfigured('no_state', `There is nothing at ${folder} yet: run «npm start» first, or give --state.`);
}

/** Asks no source, whether or not one is configured. */
async function stageNames(): Promise<string> {
  const stages = (await discoverServices()).filter(({ declared }) => declared.source === null);
  return stages.map(({ declared }) => declared.name).join(',');
}

/** Of what runs here: what waits for a service that does not would wait for ever. */
function isIdle(runtime: EmbeddedRuntime): boolean {
  const { hosts, broker } = runtime;
  const backlog = broker.backlog();
  if (backlog === null) return runtime.isIdle();
  const waits = backlog.some(
    ({ name, unackedMessages }) =>
      unackedMessages > 0 && hosts.some(({ declared }) => name.startsWith(`${declared.name}.`)),
  );
  return !waits && hosts.every((host) => !host.busy && !host.paused);
}
