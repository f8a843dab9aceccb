/** Which side of each port `start` uses: a flag or the environment says, else what the state folder was started with. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { Misconfigured } from '#core/errors.ts';
import { discoverServices } from '#runtime/discover.ts';
import { givenValues, savedSettings, stateOf, type CommonOptions } from './settings.ts';

export interface Places {
  readonly broker: string;
  readonly warehouse: string;
  readonly storage: string;
}

export const DEFAULT_PLACES: Places = { broker: 'embedded', warehouse: 'duckdb', storage: 'files' };

const NAMES = ['broker', 'warehouse', 'storage'] as const;

/** Throws `Misconfigured` where the folder was started otherwise: what is at the other place would be missing without a word. */
export async function choosePlaces(options: CommonOptions & Partial<Places>): Promise<Places> {
  const folder = stateOf(options);
  const given = givenValues(options, await discoverServices());
  const before = placesFrom(given, DEFAULT_PLACES);
  const chosen = placesFrom(options, before);
  const other = NAMES.find((name) => chosen[name] !== before[name]);
  if (other !== undefined && isUsed(folder))
    throw new Misconfigured(
      'other_place',
      `${folder} was started with ${other} ${before[other]}: give another folder with --state for ${other} ${chosen[other]}.`,
    );
  return chosen;
}

export function placesFrom(
  values: Readonly<Partial<Record<keyof Places, string | undefined>>>,
  otherwise: Places,
): Places {
  const { broker, warehouse, storage } = values;
  return {
    broker: broker || otherwise.broker,
    warehouse: warehouse || otherwise.warehouse,
    storage: storage || otherwise.storage,
  };
}

function isUsed(folder: string): boolean {
  return savedSettings(folder) !== undefined || existsSync(join(folder, 'broker.sqlite'));
}
