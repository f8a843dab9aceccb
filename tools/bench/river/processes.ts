/** The simulated vendors and the pipeline as processes of their own, as they are run. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

const ROOT = join(import.meta.dirname, '../../..');

export interface Vendors {
  readonly settings: Readonly<Record<string, string>>;
  readonly control: string;
  readonly pid: number;
  stop(): Promise<void>;
}

interface Addresses {
  readonly salesforce: {
    readonly instanceUrl: string;
    readonly loginUrl: string;
    readonly grpcEndpoint: string;
    readonly caFile: string;
    readonly clientId: string;
    readonly clientSecret: string;
  };
  readonly control: string;
}

export async function startVendors(folder: string, contacts: number, customFields: number): Promise<Vendors> {
  const flags = [
    '--contacts',
    String(contacts),
    '--contact-custom-fields',
    String(customFields),
    '--state-dir',
    folder,
    '--sources',
    'salesforce',
    '--seed',
    '7',
  ];
  const child = spawn(process.execPath, [join(ROOT, 'tools/simulators/main.ts'), ...flags], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const line = await firstLine(child);
  const { salesforce, control } = JSON.parse(line) as Addresses;
  return {
    control,
    pid: child.pid ?? 0,
    settings: {
      TRIBUTARY_SALESFORCE_INSTANCE_URL: salesforce.instanceUrl,
      TRIBUTARY_SALESFORCE_LOGIN_URL: salesforce.loginUrl,
      TRIBUTARY_SALESFORCE_GRPC_ENDPOINT: salesforce.grpcEndpoint,
      TRIBUTARY_SALESFORCE_CLIENT_ID: salesforce.clientId,
      TRIBUTARY_SALESFORCE_CLIENT_SECRET: salesforce.clientSecret,
      TRIBUTARY_SALESFORCE_OBJECTS: 'Contact',
      TRIBUTARY_VENDOR_CA_FILE: salesforce.caFile,
    },
    stop: () => stop(child),
  };
}

export interface Pipeline {
  readonly pid: number;
  stop(): Promise<void>;
}

export function startPipeline(folder: string, settings: Readonly<Record<string, string>>): Pipeline {
  const child = spawn(
    process.execPath,
    ['--max-semi-space-size=32', join(ROOT, 'cli/main.ts'), 'start', '--state', folder, '--json'],
    {
      stdio: ['ignore', 'inherit', 'inherit'],
      env: { ...process.env, TRIBUTARY_WEB_PORT: '0', TRIBUTARY_LOG_LEVEL: 'warn', ...settings },
    },
  );
  return { pid: child.pid ?? 0, stop: () => stop(child) };
}

/** Peak resident memory, in bytes. */
export function peakBytes(pid: number): number {
  const kilobytes = /VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  return Number(kilobytes) * 1_024;
}

/** Processor time used so far, user and system, in seconds. */
export function cpuSeconds(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

async function firstLine(child: ChildProcess): Promise<string> {
  if (child.stdout === null) throw new Error('The vendors have no output.');
  for await (const line of createInterface({ input: child.stdout })) return line;
  throw new Error('The simulated vendors did not start.');
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null) return;
  const exited = once(child, 'exit');
  child.kill('SIGTERM');
  await exited;
}
