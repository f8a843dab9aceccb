/**
 * One command of one service as a process of its own, as a Cloud Run job runs it. The platform starts it again when it fails
 * or is stopped; who does long work does it under a lease, keeps a journal and goes on from there.
 */
import { systemClock, systemRandom } from '#adapters/clock/system.ts';
import { InvalidMessage, Misconfigured } from '#core/errors.ts';
import type { CommandArguments, CommandResult, CommandSpec, Declared, Progress } from '#core/service.ts';
import { ServiceHost } from '../host.ts';
import { meterUsage } from '../meter-usage.ts';
import { provide } from './provide.ts';
import { openAll, type CloudOptions } from './serve.ts';

export interface JobOptions extends CloudOptions {
  readonly command: string;
  /** As typed: `--name value …`. */
  readonly words: readonly string[];
  readonly progress: Progress;
}

const DRAIN_MS = 3_000;
const HOST_STOPS_WITHIN_MS = DRAIN_MS + 1_500;

/** Throws what the command throws, and `Misconfigured` or `InvalidMessage` for a command or arguments that are none. */
export async function runJob(options: JobOptions, signal: AbortSignal): Promise<CommandResult> {
  const { settings, telemetry, lifecycle, command, words, progress } = options;
  const [chosen] = settings.services;
  if (chosen === undefined) throw new Misconfigured('service_off', 'No service is named.');
  const { service, config } = chosen;
  const { declared } = service;
  const args = argumentsOf(commandOf(declared, command), words, systemClock.nowMicros());
  const ground = await openAll(options);
  const reaching = { clock: systemClock, random: systemRandom, signal, onWait: () => undefined };
  await provide({ ...options, ...reaching, config: settings.runtime, ground, running: [declared] });
  const host = new ServiceHost(service, config, ground.hostPorts, { part: 'commands' });
  lifecycle.onStop(declared.name, () => host.stop(DRAIN_MS), HOST_STOPS_WITHIN_MS);
  await host.start();
  meterUsage(telemetry, ground.hostPorts, lifecycle);
  signal.throwIfAborted();
  return host.command(command, args, progress, signal);
}

function commandOf({ name, commands }: Declared, command: string): CommandSpec {
  const spec = commands[command];
  const known = Object.keys(commands).join(', ') || 'none';
  if (spec === undefined)
    throw new InvalidMessage('unknown_command', `${name} has no command ${command}; it has ${known}.`);
  return spec;
}

/** `--since` may also be a time before now, e.g. `-26h`: a schedule always says the same words. */
export function argumentsOf(spec: CommandSpec, words: readonly string[], nowMicros: number): CommandArguments {
  const given = Object.fromEntries(pairs(words));
  const known = Object.keys(spec.arguments);
  const unknown = Object.keys(given).filter((name) => !known.includes(name));
  const missing = known.filter((name) => spec.arguments[name]?.required === true && !given[name]);
  if (unknown.length > 0 || missing.length > 0)
    throw new InvalidMessage(
      'bad_arguments',
      [
        ...unknown.map((name) => `There is no argument --${name}.`),
        ...missing.map((name) => `The argument --${name} is required.`),
        `Known are: ${known.map((name) => `--${name} (${spec.arguments[name]?.doc ?? ''})`).join(', ') || 'none'}.`,
      ].join(' '),
    );
  return 'since' in given ? { ...given, since: absolute(given['since'] ?? '', nowMicros) } : given;
}

function pairs(words: readonly string[]): readonly (readonly [string, string])[] {
  const found: [string, string][] = [];
  for (let at = 0; at < words.length; at += 1) {
    const [, name, value] = /^--([A-Za-z-]+)(?:=(.*))?$/s.exec(words[at] ?? '') ?? [];
    if (name === undefined) throw new InvalidMessage('bad_arguments', 'Arguments are given as --name value.');
    found.push([name, value ?? words[(at += 1)] ?? '']);
  }
  return found;
}

const SECONDS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3_600, d: 86_400 };

function absolute(since: string, nowMicros: number): string {
  const [, count, unit = ''] = /^-(\d+)([smhd])$/.exec(since) ?? [];
  if (count === undefined) return since;
  return new Date(nowMicros / 1_000 - Number(count) * (SECONDS[unit] ?? 0) * 1_000).toISOString();
}
