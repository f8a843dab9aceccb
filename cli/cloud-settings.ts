/** The settings of a process in the cloud: from the environment, over a file if one is given; never from a state folder. */
import type { AnyService } from '#core/service.ts';
import { configNames, parseSettings, valuesFrom, type Settings } from '#runtime/settings.ts';
import { environment } from './settings.ts';

/** The platform says the port (`PORT`), and reaches the container from outside. Throws `Misconfigured` with all faults. */
export function cloudSettings(
  services: readonly AnyService[],
  names: readonly string[],
  file: string | undefined,
): Settings {
  const given = valuesFrom(environment(), file, configNames(services));
  return parseSettings(services, {
    ...given,
    services: names.join(','),
    'web.host': given['web.host'] || '0.0.0.0',
    'web.port': process.env['PORT'] || given['web.port'],
  });
}
