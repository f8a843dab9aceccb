/** Configuration: every fault at once, before anything is asked. */
import { Misconfigured } from '#core/errors.ts';
import type { AnyService } from '#core/service.ts';
import { usesFolder } from '../config.ts';
import { parseSettings, type Settings, type Values } from '../settings.ts';
import { failed, ok, warning, type Check, type Finding } from './check.ts';
import { isCloud, type Subject } from './subject.ts';

export type Read = { readonly settings: Settings } | { readonly faults: readonly string[] };

/** Secrets that are references count as given. */
export function readConfiguration(services: readonly AnyService[], values: Values): Read {
  try {
    return { settings: parseSettings(services, values) };
  } catch (error) {
    if (!(error instanceof Misconfigured)) throw error;
    const [first = '', ...faults] = error.message.split('\n- ');
    return { faults: faults.length > 0 ? faults : [first] };
  }
}

const MANUAL = 'All settings are in docs/configuration.md.';

export function faultsCheck(faults: readonly string[]): Check {
  return check(async () => faults.map((fault) => failed(fault, MANUAL)));
}

export function configurationCheck(subject: Subject): Check {
  return check(async () => [summary(subject), ...warnings(subject)]);
}

function check(run: Check['run']): Check {
  return { name: 'configuration', otherwise: MANUAL, run };
}

function summary({ settings: { runtime, services } }: Subject): Finding {
  const { broker, warehouse, storage } = runtime;
  const sources = services.flatMap(({ service: { declared } }) => declared.source ?? []);
  const from = sources.length === 0 ? 'no source' : [...new Set(sources)].join(', ');
  return ok(`${from} → ${broker}, ${warehouse}, ${storage}; ${services.length} services.`);
}

function warnings(subject: Subject): readonly Finding[] {
  const { runtime } = subject.settings;
  if (!isCloud(subject) || !usesFolder(runtime)) return [];
  const own = [
    runtime.broker === 'embedded' ? 'broker=pubsub' : '',
    runtime.warehouse === 'duckdb' ? 'warehouse=bigquery' : '',
    runtime.storage === 'files' ? 'storage=gcs' : '',
  ].filter((text) => text !== '');
  const what = 'Something durable is in the state folder, which a container forgets when it ends.';
  return [warning(what, `Set ${own.join(', ')}, or keep the folder on a disk that stays.`)];
}
