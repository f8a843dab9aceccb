/** Options that every command shares, and the settings they lead to. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { Option, type Command } from 'commander';
import { environmentName } from '#core/config.ts';
import type { AnyService } from '#core/service.ts';
import { discoverServices } from '#runtime/discover.ts';
import { configNames, parseSettings, valuesFrom, type Settings, type Values } from '#runtime/settings.ts';

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

/** Throws `Misconfigured` with all faults. `extra` goes before file and environment: what the command itself decides. */
export async function loadSettings(options: CommonOptions, extra: Values = {}): Promise<Loaded> {
  const services = await discoverServices();
  const file = options.config ?? savedSettings(options.state ?? '.tributary');
  const values: Values = {
    ...valuesFrom(process.env, file, configNames(services)),
    'state.folder': options.state,
    ...extra,
  };
  return { services, values, settings: parseSettings(services, values) };
}

/** A start against the simulators leaves their addresses in the state folder, without secrets of real systems. */
export function savedSettings(folder: string): string | undefined {
  const path = join(folder, 'settings.json');
  return existsSync(path) ? path : undefined;
}

export const stateOf = (options: CommonOptions): string => options.state ?? '.tributary';
