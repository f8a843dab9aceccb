/**
 * Settings whose value is in Secret Manager: `secret://projects/<project>/secrets/<secret>/versions/<version>`, or short
 * `secret://<secret>` for the newest version in the project of the settings. Resolved once, at the start.
 */
import { systemClock, systemRandom } from '#adapters/clock/system.ts';
import type { Secrets } from '#adapters/secrets/google.ts';
import { environmentName, type ConfigEntry } from '#core/config.ts';
import { Misconfigured } from '#core/errors.ts';
import { withRetry } from '#core/retry.ts';
import type { AnyService } from '#core/service.ts';
import { RUNTIME_CONFIG } from './config.ts';
import type { Values } from './settings.ts';

const SCHEME = 'secret://';
const WHOLE = /^projects\/[^/]+\/secrets\/[\w-]+\/versions\/\w+$/;
const SHORT = /^[\w-]{1,255}$/;
/** About half a minute: who waits longer is started again by its platform. */
const TRIES = { attempts: 3, baseMs: 500, ceilingMs: 2_000 };

/**
 * `values` with what they refer to. Throws `Misconfigured` for references that are none or are in a setting that is not
 * secret, all at once, and what Secret Manager answers otherwise. Without references nothing is opened or loaded.
 */
export async function resolveSecrets(
  services: readonly AnyService[],
  values: Values,
  signal: AbortSignal,
  open: () => Promise<Secrets> = () => google(values),
): Promise<Values> {
  const references = referencesIn(services, values);
  if (references.length === 0) return values;
  const secrets = await open();
  try {
    const texts = new Map<string, string>();
    for (const name of new Set(references.flatMap(({ parts }) => parts.flatMap(({ secret }) => secret ?? []))))
      texts.set(name, await accessed(secrets, name, signal));
    const resolved = references.map(
      ({ entry, parts }) =>
        [entry, parts.map(({ text, secret }) => texts.get(secret ?? '') ?? text).join(',')] as const,
    );
    return { ...values, ...Object.fromEntries(resolved) };
  } finally {
    await secrets.close();
  }
}

function accessed(secrets: Secrets, name: string, signal: AbortSignal): Promise<string> {
  const waiting = { policy: TRIES, clock: systemClock, random: systemRandom, signal };
  return withRetry(() => secrets.access(name), waiting);
}

async function google(values: Values): Promise<Secrets> {
  const { openGoogleSecrets } = await import('#adapters/secrets/google.ts');
  const endpoint = values['secrets.endpoint'];
  return openGoogleSecrets({ clock: systemClock, ...(endpoint ? { endpoint } : {}) });
}

interface Reference {
  readonly entry: string;
  readonly parts: readonly { readonly text: string; readonly secret: string | undefined }[];
}

function referencesIn(services: readonly AnyService[], values: Values): readonly Reference[] {
  const specs: readonly Readonly<Record<string, ConfigEntry>>[] = [
    RUNTIME_CONFIG,
    ...services.map(({ declared }) => declared.config),
  ];
  const entries = new Map(specs.flatMap((spec) => Object.entries(spec)));
  const faults: string[] = [];
  const references: Reference[] = [];
  for (const [entry, spec] of entries) {
    const value = values[entry];
    if (value?.includes(SCHEME) !== true) continue;
    const label = `${entry} (${environmentName(entry)})`;
    if (spec.secret !== true) faults.push(`${label} is no secret setting: give its value itself.`);
    const texts = spec.kind === 'list' ? value.split(',').map((part) => part.trim()) : [value];
    const parts = texts.map((text) => ({ text, secret: secretOf(text, values['google.project']) }));
    if (parts.some(({ text, secret }) => text.startsWith(SCHEME) && secret === undefined))
      faults.push(`${label} refers to no secret: ${SHAPES}.`);
    references.push({ entry, parts });
  }
  if (faults.length > 0)
    throw new Misconfigured(
      'bad_configuration',
      `The configuration has ${faults.length} faults:\n- ${faults.join('\n- ')}`,
    );
  return references;
}

const SHAPES =
  'it must be secret://projects/<project>/secrets/<secret>/versions/<version>, or secret://<secret> with google.project';

function secretOf(text: string, project: string | undefined): string | undefined {
  if (!text.startsWith(SCHEME)) return undefined;
  const name = text.slice(SCHEME.length);
  if (WHOLE.test(name)) return name;
  return SHORT.test(name) && project ? `projects/${project}/secrets/${name}/versions/latest` : undefined;
}
