/** Every folder of `services/` is a service: its `service.ts` exports the value, and the folder's name is its name. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { Misconfigured } from '#core/errors.ts';
import type { AnyService } from '#core/service.ts';

const SERVICES = join(import.meta.dirname, '../services');

/** In alphabetical order. Throws `Misconfigured` where a folder does not hold the service it is named after. */
export async function discoverServices(folder: string = SERVICES): Promise<readonly AnyService[]> {
  const names = readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => entry.name)
    .sort();
  return Promise.all(names.map((name) => load(folder, name)));
}

async function load(folder: string, name: string): Promise<AnyService> {
  const module = (await import(pathToFileURL(join(folder, name, 'service.ts')).href)) as Record<string, unknown>;
  const service = Object.values(module).find(isService);
  if (service?.declared.name !== name) {
    throw new Misconfigured('not_a_service', `services/${name}/service.ts must export a service named «${name}».`);
  }
  return service;
}

function isService(value: unknown): value is AnyService {
  return typeof value === 'object' && value !== null && 'declared' in value && 'start' in value;
}
