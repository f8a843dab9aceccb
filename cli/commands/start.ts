/** `tributary start`: the whole river in one process, until it is told to stop or, with --until-idle, until all is done. */
import { accessSync, constants, mkdirSync } from 'node:fs';
import { Command, InvalidArgumentError, Option } from 'commander';
import { pinoListener } from '#runtime/logging.ts';
import { messageOf, Misconfigured, Stale } from '#core/errors.ts';
import { TelemetryHub } from '#core/telemetry.ts';
import { startEmbedded, type EmbeddedRuntime } from '#runtime/embedded.ts';
import { operate, type Status } from '#runtime/operations.ts';
import { alreadyRunning, isRunning, serveSocket } from '#runtime/socket.ts';
import { environmentName } from '#core/config.ts';
import { RUNTIME_CONFIG } from '#runtime/config.ts';
import { liveView } from '../live-view.ts';
import { choosePlaces, DEFAULT_PLACES, type Places } from '../places.ts';
import { loadSettings, stateOf, wantsSimulators, withCommonOptions, type CommonOptions } from '../settings.ts';
import { saveSettings, startSimulators, type Simulators } from '../simulators.ts';
import { standInsFor, type StandIns } from '../stand-ins.ts';
import { stopOnSignal } from '../stopping.ts';
import { summaryOf } from '../summary.ts';
import { untilIdle } from '../until-idle.ts';
import { positive } from './query.ts';

interface StartOptions extends CommonOptions, Partial<Places> {
  readonly untilIdle?: true;
  readonly contacts: number;
  readonly changes: number;
  readonly perSecond: number;
  readonly seed: number;
  readonly sources: readonly string[];
}

const SHOW_EVERY_MS = 500;
const SOURCES: readonly string[] = ['salesforce', 'dialpad'];

export function startCommand(): Command {
  return withCommonOptions(new Command('start'))
    .description('Run every stage; without credentials against simulated vendors')
    .option('--until-idle', 'stop after the first full sync and a fixed number of live changes, and print a summary')
    .addOption(
      new Option('--sources <list>', 'sources to run, with commas between')
        .env(environmentName('sources'))
        .argParser(sourceNames)
        .default([], 'all that are configured'),
    )
    .addOption(placeOption('--broker <name>', 'what carries events', 'broker'))
    .addOption(placeOption('--warehouse <name>', 'where rows end', 'warehouse'))
    .addOption(placeOption('--storage <name>', 'where checkpoints and parked messages are', 'storage'))
    .option('--contacts <n>', 'contacts of the simulated company', positive, 2_000)
    .option('--changes <n>', 'live changes with --until-idle', positive, 200)
    .option('--per-second <n>', 'live changes a second', positive, 20)
    .option('--seed <n>', 'seed of the simulated company', positive, 7)
    .action(start);
}

/** Beside each choice of Google's, a stand-in on this machine where no project or address is configured. */
function placeOption(flags: string, what: string, name: keyof Places): Option {
  const { choices } = RUNTIME_CONFIG[name];
  return new Option(flags, `${what} (default: ${DEFAULT_PLACES[name]})`)
    .choices([...choices])
    .env(environmentName(name));
}

async function start(options: StartOptions): Promise<void> {
  const startedMs = performance.now();
  const stopping = stopOnSignal();
  const folder = stateOf(options);
  await makeFolder(folder);
  const isSimulated = await wantsSimulators(options);
  const places = await choosePlaces(options);
  if (isSimulated && !options.json)
    console.log(`Starting simulated vendors with ${options.contacts.toLocaleString('en')} contacts.`);
  const simulators = isSimulated
    ? await startSimulators({ ...options, folder, sources: options.sources.length > 0 ? options.sources : SOURCES })
    : undefined;
  let standIns: StandIns | undefined;
  try {
    standIns = await standInsFor(places, options);
    if (!stopping.aborted) await flow({ options, folder, simulators, places, standIns, startedMs, stopping });
  } finally {
    await Promise.all([simulators?.stop(), standIns?.stop()]);
  }
  if (options.untilIdle && stopping.aborted)
    throw new Stale('stopping', 'It was stopped before the end, so there is no summary: the next start goes on.');
}

/** Throws `Misconfigured` if the folder cannot hold state or another pipeline runs on it, before anything is started. */
async function makeFolder(folder: string): Promise<void> {
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    accessSync(folder, constants.R_OK | constants.W_OK | constants.X_OK);
  } catch (error) {
    throw new Misconfigured(
      'state_folder',
      `The state folder ${folder} cannot be made or written (${messageOf(error)}): give another with --state.`,
    );
  }
  if (await isRunning(folder)) throw alreadyRunning(folder);
}

interface Flow {
  readonly options: StartOptions;
  readonly folder: string;
  readonly simulators: Simulators | undefined;
  readonly places: Places;
  readonly standIns: StandIns | undefined;
  readonly startedMs: number;
  readonly stopping: AbortSignal;
}

async function flow({ options, folder, simulators, places, standIns, startedMs, stopping }: Flow): Promise<void> {
  if (simulators !== undefined) saveSettings(folder, { ...simulators.settings, ...places });
  const { settings } = await loadSettings(options, {
    ...simulators?.settings,
    ...places,
    ...standIns?.settings,
    ...(options.sources.length === 0 ? {} : { sources: options.sources.join(',') }),
    ...(simulators === undefined ? {} : { 'web.port': process.env[environmentName('web.port')] ?? '0' }),
  });
  const telemetry = new TelemetryHub();
  telemetry.listen(pinoListener(folder, settings.runtime['log.level']));
  const runtime = await startEmbedded({ settings, telemetry, flowing: true });
  const closeSocket = await serveSocket(folder, runtime).catch(async (error: unknown) => {
    await runtime.stop();
    throw error;
  });
  try {
    await simulators?.subscribe(runtime.webUrl);
    if (!options.json) announce(folder, runtime, simulators !== undefined);
    await watch(options, runtime, simulators, stopping);
    if (options.untilIdle && !stopping.aborted) await printSummary(options, runtime, startedMs);
  } finally {
    await closeSocket();
    await runtime.stop();
  }
}

async function watch(
  options: StartOptions,
  runtime: EmbeddedRuntime,
  simulators: Simulators | undefined,
  signal: AbortSignal,
): Promise<void> {
  const view = options.json ? undefined : liveView(process.stdout);
  const show = async (): Promise<void> => view?.show(await statusOf(runtime));
  let isLooking = false;
  const look = async (): Promise<void> => {
    if (view === undefined || isLooking) return;
    isLooking = true;
    await show().catch(() => undefined);
    isLooking = false;
  };
  const timer = setInterval(() => void look(), SHOW_EVERY_MS);
  try {
    await firstSync(runtime, signal);
    if (options.untilIdle) await fixedChanges(options, runtime, simulators, signal);
    else await endlessChanges(options, simulators, signal);
    await show();
  } catch (error) {
    if (!signal.aborted) throw error;
  } finally {
    clearInterval(timer);
    view?.done();
  }
}

async function firstSync(runtime: EmbeddedRuntime, signal: AbortSignal): Promise<void> {
  await untilIdle(runtime, 1_000, signal);
}

async function fixedChanges(
  options: StartOptions,
  runtime: EmbeddedRuntime,
  simulators: Simulators | undefined,
  signal: AbortSignal,
): Promise<void> {
  if (simulators === undefined) return;
  await simulators.startChanges({ count: options.changes, perSecond: options.perSecond });
  await simulators.untilChanged(signal);
  await untilIdle(runtime, 3_000, signal);
}

async function endlessChanges(
  options: StartOptions,
  simulators: Simulators | undefined,
  signal: AbortSignal,
): Promise<void> {
  await simulators?.startChanges({ count: Number.MAX_SAFE_INTEGER, perSecond: Math.min(options.perSecond, 2) });
  await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
}

async function printSummary(options: StartOptions, runtime: EmbeddedRuntime, startedMs: number): Promise<void> {
  const summary = summaryOf(await statusOf(runtime), performance.now() - startedMs);
  console.log(options.json ? JSON.stringify(summary) : JSON.stringify(summary, null, 2));
}

function statusOf(runtime: EmbeddedRuntime): Promise<Status> {
  const io = { emit: () => undefined, progress: () => undefined, signal: new AbortController().signal };
  return operate(runtime, 'status', {}, io) as Promise<Status>;
}

function announce(folder: string, runtime: EmbeddedRuntime, simulated: boolean): void {
  console.log(
    `Tributary runs ${runtime.hosts.length} services on ${folder}${simulated ? ', against simulated vendors' : ''}. Ctrl-C drains and stops; the next start resumes.`,
  );
  if (runtime.webUrl !== undefined)
    console.log(`Webhooks are received at ${runtime.webUrl}. Logs: ${folder}/tributary.log`);
}

function sourceNames(text: string): readonly string[] {
  const names = text
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '');
  const unknown = names.find((name) => !SOURCES.includes(name));
  if (unknown !== undefined) throw new InvalidArgumentError(`There is no ${unknown}; known are ${SOURCES.join(', ')}.`);
  return names;
}
