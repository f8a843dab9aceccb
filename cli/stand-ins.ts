/** Google's services on this machine, for who chose them and has no project: the emulator, the simulator and the fake. */
import { join } from 'node:path';
import { Misconfigured } from '#core/errors.ts';
import { discoverServices } from '#runtime/discover.ts';
import type { Values } from '#runtime/settings.ts';
import { startChild, type Child } from './child.ts';
import { choosePlaces, type Places } from './places.ts';
import { givenValues, stateOf, type CommonOptions } from './settings.ts';

const MAIN = join(import.meta.dirname, '../tools/stand-ins/main.ts');
/** The emulator is a Java program, which takes its time to end. */
const STOP_WITHIN_MS = 3_000;

interface Addresses {
  readonly pubsub?: string;
  readonly bigquery?: { readonly restUrl: string; readonly grpcEndpoint: string };
  readonly gcs?: { readonly endpoint: string; readonly bucket: string };
}

export type StandInName = keyof Addresses;

export interface StandIns {
  readonly settings: Values;
  stop(): Promise<void>;
}

/** Undefined where none is needed. Throws `Transient` if one does not come up; which, and why, is on standard error. */
export async function standInsFor(places: Places, options: CommonOptions): Promise<StandIns | undefined> {
  const names = neededStandIns(places, givenValues(options, await discoverServices()));
  if (names.length === 0) return undefined;
  if (!options.json) console.log(`Starting stand-ins for Google's services on this machine: ${names.join(', ')}.`);
  return startStandIns(names, stateOf(options));
}

/** Throws `Misconfigured` where what a folder stands on ended with the pipeline that ran on it; of `which` if only that is used. */
export async function refuseWithoutStandIns(options: CommonOptions, which?: StandInName): Promise<void> {
  const needed = neededStandIns(await choosePlaces(options), givenValues(options, await discoverServices()));
  const names = needed.filter((name) => which === undefined || name === which);
  if (names.length > 0)
    throw new Misconfigured(
      'stand_ins_ended',
      `Nothing runs on ${stateOf(options)}, and its stand-ins (${names.join(', ')}) ended with it: run «npm start» with the same --state first.`,
    );
}

/** Which services were chosen and have neither a project nor an address of their own. */
export function neededStandIns(places: Places, values: Values): readonly StandInName[] {
  const given = (...names: string[]): boolean => names.some((name) => Boolean(values[name]));
  const needed: StandInName[] = [];
  if (places.broker === 'pubsub' && !given('google.project', 'pubsub.emulator')) needed.push('pubsub');
  if (places.warehouse === 'bigquery' && !given('google.project', 'bigquery.restUrl')) needed.push('bigquery');
  if (places.storage === 'gcs' && !given('gcs.bucket')) needed.push('gcs');
  return needed;
}

/** Throws `Transient` if one does not come up; which, and why, is on standard error. */
async function startStandIns(names: readonly StandInName[], folder: string): Promise<StandIns> {
  const flags = ['--state-dir', join(folder, 'stand-ins'), ...names.map((name) => `--${name}`)];
  // Google's clients look for a machine of Google's to get credentials from, unless told that there is none.
  process.env['METADATA_SERVER_DETECTION'] ??= 'none';
  const child: Child<Addresses> = await startChild("The stand-ins for Google's services", MAIN, flags);
  return { settings: settingsOf(child.addresses), stop: () => child.stop(STOP_WITHIN_MS) };
}

function settingsOf({ pubsub, bigquery, gcs }: Addresses): Values {
  return {
    ...(pubsub === undefined ? {} : { 'pubsub.emulator': pubsub }),
    ...(bigquery === undefined
      ? {}
      : { 'bigquery.restUrl': bigquery.restUrl, 'bigquery.grpcEndpoint': bigquery.grpcEndpoint }),
    ...(gcs === undefined ? {} : { 'gcs.endpoint': gcs.endpoint, 'gcs.bucket': gcs.bucket }),
  };
}
