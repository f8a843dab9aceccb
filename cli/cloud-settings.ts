/** The settings of a process in the cloud: from the environment, over a file if one is given; never from a state folder. */
import type { AnyService } from '#core/service.ts';
import { configNames, parseSettings, valuesFrom, type Settings, type Values } from '#runtime/settings.ts';
import { refuseOff } from '#runtime/cloud/serve.ts';
import { environment } from './settings.ts';

/** The platform says the port (`PORT`), and reaches the container from outside. */
export function cloudValues(
  services: readonly AnyService[],
  names: readonly string[],
  file: string | undefined,
): Values {
  const given = valuesFrom(environment(), file, configNames(services));
  return {
    ...given,
    services: names.join(','),
    'web.host': given['web.host'] || '0.0.0.0',
    'web.port': process.env['PORT'] || given['web.port'],
  };
}

/** Throws `Misconfigured` with all faults, and for a service that is off. */
export function settingsFor(services: readonly AnyService[], names: readonly string[], values: Values): Settings {
  const settings = parseSettings(services, values);
  refuseOff(names, settings);
  return settings;
}

/** What must not be in a log. Lists are taken apart, as services take them. */
export function secretsAmong(services: readonly AnyService[], values: Values): readonly string[] {
  const names = services.flatMap(({ declared: { config } }) =>
    Object.entries(config).flatMap(([name, { secret }]) => (secret === true ? [name] : [])),
  );
  return names
    .flatMap((name) => [values[name] ?? '', ...(values[name] ?? '').split(',').map((part) => part.trim())])
    .filter((text) => !text.startsWith('secret://'));
}
