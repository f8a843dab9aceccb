/** `tributary doctor`: looks at everything an installation needs, and says for each what to do. Exit code 0 without failures. */
import { Command, InvalidArgumentError, Option } from 'commander';
import type { AnyService } from '#core/service.ts';
import { discoverServices } from '#runtime/discover.ts';
import { examineAll, examineFaults, readConfiguration, type Described, type Reported, type StandIn, type Subject } from '#runtime/doctor/index.ts'; // prettier-ignore
import type { Values } from '#runtime/settings.ts';
import { isRunning } from '#runtime/socket.ts';
import { cloudValues, secretsAmong } from '../cloud-settings.ts';
import { EXIT } from '../exit.ts';
import { DEFAULT_PLACES, placesFrom } from '../places.ts';
import { givenValues, savedSettings, stateOf, withCommonOptions, type CommonOptions } from '../settings.ts';
import { neededStandIns } from '../stand-ins.ts';
import { positive } from './query.ts';

interface DoctorOptions extends CommonOptions {
  readonly runtime: Subject['runtime'];
  readonly receiver?: string;
  readonly within?: number;
}

export function doctorCommand(): Command {
  return withCommonOptions(new Command('doctor'))
    .description(
      'Look at configuration, reachability, rights, topics, tables and secrets; exit code 1 if anything fails',
    )
    .addOption(
      new Option('--runtime <name>', 'what start needs here, or what serve needs in the cloud')
        .choices(['embedded', 'cloud'])
        .default('embedded'),
    )
    .option('--receiver <url>', 'public address of the receiver of pushes, to be looked at too', address)
    .option('--within <seconds>', 'give up a check after so long', positive)
    .action(doctor);
}

function address(text: string): string {
  if (!URL.canParse(text)) throw new InvalidArgumentError('It must be an absolute URL.');
  return text;
}

async function doctor(options: DoctorOptions): Promise<void> {
  const services = await discoverServices();
  const isCloud = options.runtime === 'cloud';
  const values = isCloud
    ? { ...cloudValues(services, [], options.config), 'state.folder': stateOf(options) }
    : givenValues(options, services);
  const standIns = isCloud ? [] : neededStandIns(placesFrom(values, DEFAULT_PLACES), values);
  const said = saying(options, services, values);
  const read = readConfiguration(services, { ...values, ...standIn(standIns) });
  const examined =
    'faults' in read
      ? await examineFaults(read.faults, said.tell)
      : await examineAll(await subjectOf(options, services, values, read.settings, standIns), said.tell);
  if (examined.reported.some(({ verdict }) => verdict === 'failed')) process.exitCode = EXIT.failed;
  said.end(examined.reported);
  // What still waits for an answer would keep the process.
  if (examined.hanging.length > 0) setTimeout(() => process.exit(), LEAVE_AFTER_MS).unref();
}

const LEAVE_AFTER_MS = 500;

async function subjectOf(
  options: DoctorOptions,
  services: readonly AnyService[],
  values: Values,
  settings: Subject['settings'],
  standIns: readonly StandIn[],
): Promise<Described> {
  const isCloud = options.runtime === 'cloud';
  const folder = stateOf(options);
  return {
    runtime: options.runtime,
    services,
    values,
    settings,
    standIns: new Set(standIns),
    isRunning: !isCloud && (await isRunning(folder)),
    isSimulated: !isCloud && savedSettings(folder) !== undefined,
    receiver: options.receiver ?? null,
    withinMs: options.within === undefined ? undefined : options.within * 1_000,
  };
}

/** What `start` fills in when it has started them. */
function standIn(names: readonly StandIn[]): Values {
  const at = 'stand-in.invalid';
  const values: Readonly<Record<StandIn, Values>> = {
    pubsub: { 'pubsub.emulator': at },
    bigquery: { 'bigquery.restUrl': `http://${at}`, 'bigquery.grpcEndpoint': at },
    gcs: { 'gcs.bucket': at },
  };
  return Object.assign({}, ...names.map((name) => values[name])) as Values;
}

/** What is shorter is part of many words, and no secret. */
const SHORTEST_SECRET = 6;

interface Saying {
  readonly tell: (found: Reported) => void;
  readonly end: (all: readonly Reported[]) => void;
}

/** As it is found for people, at the end for programs; never with a secret in it. */
function saying({ json }: CommonOptions, services: readonly AnyService[], values: Values): Saying {
  const secrets = secretsAmong(services, values).filter(({ length }) => length >= SHORTEST_SECRET);
  const hidden = (text: string): string => secrets.reduce((safe, secret) => safe.replaceAll(secret, '…'), text);
  return {
    tell: (found) => (json ? undefined : console.log(hidden(lineOf(found)))),
    end: (all) => console.log(json ? hidden(JSON.stringify(all)) : summaryOf(all)),
  };
}

const VERDICT_WIDTH = 8;
const NAME_WIDTH = 20;

function lineOf({ verdict, check, what, todo }: Reported): string {
  const head = `${verdict.padEnd(VERDICT_WIDTH)}${check.padEnd(NAME_WIDTH)} ${printable(what)}`;
  return todo === null ? head : `${head}\n${' '.repeat(VERDICT_WIDTH + NAME_WIDTH)} → ${printable(todo)}`;
}

/** Part of it may be another's words. */
function printable(text: string): string {
  // eslint-disable-next-line no-control-regex
  return text.replaceAll(/[\u0000-\u001f\u007f-\u009f]/g, ' ');
}

function summaryOf(all: readonly Reported[]): string {
  const counts = (['failed', 'warning', 'skipped', 'ok'] as const).map(
    (verdict) => `${all.filter((found) => found.verdict === verdict).length} ${verdict}`,
  );
  return `\n${counts.join(', ')}.`;
}
