/** Where configuration comes from: the environment, over a JSON file of the same names. Parsed once, all faults at once. */
import { readFileSync } from 'node:fs';
import { parseConfig, environmentName, type ConfigSpec } from '#core/config.ts';
import { messageOf, Misconfigured } from '#core/errors.ts';
import type { AnyService } from '#core/service.ts';
import { archives, placeFaults, RUNTIME_CONFIG, type RuntimeConfig } from './config.ts';

export { RUNTIME_CONFIG, type RuntimeConfig } from './config.ts';

export interface Settings {
  /** What they were parsed from. */
  readonly values: Values;
  readonly runtime: RuntimeConfig;
  readonly services: readonly { readonly service: AnyService; readonly config: Readonly<Record<string, unknown>> }[];
}

/** The one service that is on by a switch of the runtime: it stands on its own, and only what is stored for long is worth it. */
const ARCHIVER = 'archiver';

export type Values = Readonly<Record<string, string | undefined>>;

/** Reads by entry name: the environment first, then the file. Throws `Misconfigured` for a file that cannot be read or sets what there is not. */
export function valuesFrom(environment: Values, file: string | undefined, names: readonly string[]): Values {
  const fromFile = file === undefined ? {} : fileValues(file, new Set(names));
  return Object.fromEntries(names.map((name) => [name, environment[environmentName(name)] ?? fromFile[name]]));
}

function fileValues(file: string, names: ReadonlySet<string>): Readonly<Record<string, string>> {
  const values = parsed(file);
  const unknown = Object.keys(values).filter((name) => !names.has(name));
  if (unknown.length > 0)
    throw new Misconfigured('bad_configuration', `${file} sets what is no setting: ${unknown.join(', ')}.`);
  return values;
}

function parsed(file: string): Readonly<Record<string, string>> {
  try {
    return flatten(JSON.parse(readFileSync(file, 'utf8')));
  } catch (cause) {
    // The parser's message quotes the text, which may be a secret.
    const fault = cause instanceof SyntaxError ? 'it is not JSON' : messageOf(cause);
    throw new Misconfigured('bad_configuration', `The configuration file ${file} cannot be used: ${fault}.`, { cause });
  }
}

/** Whether anything of a source's own configuration is given. */
export function configuresSource(services: readonly AnyService[], values: Values): boolean {
  return services.some(({ declared: { source, config } }) => source !== null && isGiven(source, config, values));
}

/** Throws `Misconfigured` with every fault of every service that is on. */
export function parseSettings(services: readonly AnyService[], values: Values): Settings {
  const runtime = parseConfig(RUNTIME_CONFIG, values);
  const named = runtime.ok ? runtime.config.services : [];
  const hasArchive = runtime.ok && archives(runtime.config);
  const on = services.filter(
    ({ declared }) =>
      (named.length === 0 || named.includes(declared.name)) &&
      (declared.name !== ARCHIVER || hasArchive) &&
      (declared.source === null || isOn(declared.source, declared.config, values)),
  );
  const parsed = on.map((service) => ({ service, parsed: parseConfig(service.declared.config, values) }));
  const faults = [
    ...[runtime, ...parsed.map((entry) => entry.parsed)].flatMap((result) => (result.ok ? [] : result.faults)),
    ...(runtime.ok ? placeFaults(runtime.config) : []),
    ...unknownServices(services, runtime.ok ? runtime.config.services : []),
  ];
  if (faults.length > 0 || !runtime.ok)
    throw new Misconfigured(
      'bad_configuration',
      `The configuration has ${faults.length} faults:\n- ${faults.join('\n- ')}`,
    );
  return {
    values,
    runtime: runtime.config,
    services: parsed.flatMap(({ service, parsed: result }) => (result.ok ? [{ service, config: result.config }] : [])),
  };
}

function unknownServices(services: readonly AnyService[], named: readonly string[]): readonly string[] {
  const known = services.map(({ declared }) => declared.name);
  return named
    .filter((name) => !known.includes(name))
    .map((name) => `services names ${name}; known are ${known.join(', ')}.`);
}

export function configNames(services: readonly AnyService[]): readonly string[] {
  return [...Object.keys(RUNTIME_CONFIG), ...services.flatMap(({ declared }) => Object.keys(declared.config))];
}

/** A source is on if `sources` names it or, where that is empty, if anything of its own configuration is given. */
function isOn(source: string, spec: ConfigSpec, values: Values): boolean {
  const named = (values['sources'] ?? '')
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '');
  return named.length > 0 ? named.includes(source) : isGiven(source, spec, values);
}

function isGiven(source: string, spec: ConfigSpec, values: Values): boolean {
  return Object.keys(spec).some((name) => name.startsWith(`${source}.`) && Boolean(values[name]));
}

function flatten(value: unknown, prefix = ''): Record<string, string> {
  if (typeof value !== 'object' || value === null) return { [prefix]: String(value) };
  if (Array.isArray(value)) return { [prefix]: value.join(',') };
  return Object.fromEntries(
    Object.entries(value).flatMap(([name, inner]) =>
      Object.entries(flatten(inner, prefix === '' ? name : `${prefix}.${name}`)),
    ),
  );
}
