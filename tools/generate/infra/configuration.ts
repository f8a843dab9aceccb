/** Which settings a workload can be given, and under which variable; those that are secret come from Secret Manager. */
import { environmentName, type ConfigSpec } from '#core/config.ts';

/** Entry name → environment variable. */
export function settingsOf(spec: ConfigSpec): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(spec)
      .filter(([, { secret }]) => secret !== true)
      .map(([name]) => [name, environmentName(name)]),
  );
}

export function secretsOf(spec: ConfigSpec) {
  return Object.fromEntries(
    Object.entries(spec)
      .filter(([, { secret }]) => secret === true)
      .map(([name, { doc }]) => [name, { variable: environmentName(name), id: secretId(name), doc }]),
  );
}

/** `salesforce.clientSecret` is kept in the secret `salesforce-client-secret`. */
export function secretId(name: string): string {
  return name
    .replaceAll('.', '-')
    .replaceAll(/([a-z0-9])([A-Z])/g, '$1-$2')
    .toLowerCase();
}
