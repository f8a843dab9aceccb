/** Options that every command shares, and the settings they lead to. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { Option, type Command } from 'commander';
import { environmentName } from '#core/config.ts';
import { Misconfigured } from '#core/errors.ts';
import type { AnyService } from '#core/service.ts';
import { discoverServices } from '#runtime/discover.ts';
import { resolveSecrets } from '#runtime/secrets.ts';
import {
  configNames,
  configuresSource,
  parseSettings,
  valuesFrom,
  type Settings,
  type Values,
} from '#runtime/settings.ts';

export interface CommonOptions {
  readonly json?: true;
  readonly state?: string;
  readonly config?: string;
}

export function withCommonOptions(command: Command): Command {
  return command
    .addOption(
      new Option('--state <folder>', 'folder of the broker, warehouse and checkpoints')
        .env(environmentName('state.folder'))
        .default('.tributary'),
    )
    .option('--config <file>', 'JSON file of settings; the environment goes before it')
    .option('--json', 'print JSON, for programs');
}

export interface Loaded {
  readonly services: readonly AnyService[];
  readonly values: Values;
  readonly settings: Settings;
}

/**
 * Throws `Misconfigured` with all faults. `extra` goes before file and environment: what the command itself decides. On a
 * folder of simulated vendors their addresses go before the environment, so that no real credential is sent to one of
 * them and none of theirs completes a real source's.
 */
export async function loadSettings(options: CommonOptions, extra: Values = {}): Promise<Loaded> {
  const services = await discoverServices();
  const given = { ...givenValues(options, services), ...extra };
  const values = await resolveSecrets(services, given, new AbortController().signal);
  return { services, values, settings: parseSettings(services, values) };
}

/** What environment, file and state folder say, before anything is checked. */
export function givenValues(options: CommonOptions, services: readonly AnyService[]): Values {
  const names = configNames(services);
  const saved = options.config === undefined ? savedSettings(stateOf(options)) : undefined;
  return {
    ...(saved === undefined
      ? valuesFrom(environment(), options.config, names)
      : valuesFrom(ownEnvironment(services), saved, names)),
    'state.folder': options.state,
  };
}

/** Google's own name for the emulator's address counts as our setting. */
export function environment(): Values {
  const name = environmentName('pubsub.emulator');
  const host = process.env['PUBSUB_EMULATOR_HOST'];
  return host === undefined || process.env[name] !== undefined ? process.env : { ...process.env, [name]: host };
}

/** Throws `Misconfigured` where the folder is of the other kind: a simulated company among real rows could not be told apart. */
export async function wantsSimulators(options: CommonOptions): Promise<boolean> {
  const services = await discoverServices();
  const isReal = configuresSource(services, valuesFrom(environment(), options.config, configNames(services)));
  const folder = stateOf(options);
  const isSimulated = savedSettings(folder) !== undefined;
  if (isReal && isSimulated)
    throw new Misconfigured(
      'simulated_state',
      `${folder} holds a simulated company, and a real source is configured: give another folder with --state.`,
    );
  if (!isReal && !isSimulated && existsSync(join(folder, 'broker.sqlite')))
    throw new Misconfigured(
      'real_state',
      `${folder} holds data of real sources, and none is configured: give their configuration, or another folder with --state for a simulated company.`,
    );
  return !isReal;
}

/** Without what configures a source. */
function ownEnvironment(services: readonly AnyService[]): Values {
  const sources = services.flatMap(({ declared }) => (declared.source === null ? [] : [`${declared.source}.`]));
  const hidden = new Set(
    configNames(services)
      .filter((name) => sources.some((source) => name.startsWith(source)))
      .map(environmentName),
  );
  return Object.fromEntries(Object.entries(environment()).filter(([name]) => !hidden.has(name)));
}

/** A start against the simulators leaves their addresses in the state folder. */
export function savedSettings(folder: string): string | undefined {
  const path = join(folder, 'settings.json');
  return existsSync(path) ? path : undefined;
}

export const stateOf = (options: CommonOptions): string => options.state ?? '.tributary';
