/** The simulated vendors, in a process of their own: started for those who have no credentials yet. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Transient } from '#core/errors.ts';
import type { Values } from '#runtime/settings.ts';
import { startChild, type Child } from './child.ts';

const MAIN = join(import.meta.dirname, '../tools/simulators/main.ts');
const STOP_WITHIN_MS = 1_000;

export interface SimulatorOptions {
  readonly folder: string;
  readonly seed: number;
  readonly contacts: number;
  readonly sources: readonly string[];
}

/** What the simulators print when they are ready: where they are, as the operator of a real org would be told. */
interface Addresses {
  readonly salesforce?: {
    readonly instanceUrl: string;
    readonly loginUrl: string;
    readonly grpcEndpoint: string;
    readonly caFile: string;
    readonly clientId: string;
    readonly clientSecret: string;
    readonly orgId: string;
  };
  readonly dialpad?: {
    readonly baseUrl: string;
    readonly apiKey: string;
    readonly companyId: string;
    readonly webhookSecret: string;
  };
  readonly control: string;
}

export interface ChangeProgress {
  readonly done: number;
  readonly total: number;
  readonly running: boolean;
}

export class Simulators {
  readonly settings: Values;
  readonly #control: string;
  readonly #child: Child<Addresses>;

  constructor(child: Child<Addresses>) {
    this.#child = child;
    this.#control = child.addresses.control;
    this.settings = settingsOf(child.addresses);
  }

  /** Registers our receiver with the simulated vendors, as an operator does once with the real ones. */
  async subscribe(webUrl: string | undefined): Promise<void> {
    if (webUrl !== undefined) await this.#post('/__control/webhooks', { url: `${webUrl}/webhooks/dialpad` });
  }

  /** Lets people at the simulated company work: `count` changes, `perSecond` of them a second. */
  async startChanges(changes: { readonly count: number; readonly perSecond: number }): Promise<void> {
    await this.#post('/__control/changes', changes);
  }

  async changes(): Promise<ChangeProgress> {
    const response = await fetch(`${this.#control}/__control/changes`);
    return (await response.json()) as ChangeProgress;
  }

  async untilChanged(signal?: AbortSignal): Promise<void> {
    for (;;) {
      if (!(await this.changes()).running) return;
      await sleep(100, undefined, signal === undefined ? {} : { signal });
    }
  }

  stop(): Promise<void> {
    return this.#child.stop(STOP_WITHIN_MS);
  }

  async #post(path: string, body: unknown): Promise<void> {
    const response = await fetch(`${this.#control}${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    if (!response.ok)
      throw new Transient('simulator_refused', `The simulators answered ${response.status} to ${path}.`);
  }
}

/** Throws `Transient` if they do not come up. */
export async function startSimulators(options: SimulatorOptions): Promise<Simulators> {
  const flags = [
    '--seed',
    String(options.seed),
    '--contacts',
    String(options.contacts),
    '--state-dir',
    options.folder,
    '--sources',
    options.sources.join(','),
  ];
  return new Simulators(await startChild<Addresses>('The simulated vendors', MAIN, flags));
}

/** The commands that come later find the same vendors, as long as they run. */
export function saveSettings(folder: string, values: Values): void {
  const known = Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined));
  writeFileSync(join(folder, 'settings.json'), `${JSON.stringify(known, null, 2)}\n`, { mode: 0o600 });
}

function settingsOf({ salesforce, dialpad }: Addresses): Values {
  return {
    ...(salesforce === undefined
      ? {}
      : {
          'salesforce.instanceUrl': salesforce.instanceUrl,
          'salesforce.loginUrl': salesforce.loginUrl,
          'salesforce.grpcEndpoint': salesforce.grpcEndpoint,
          'salesforce.clientId': salesforce.clientId,
          'salesforce.clientSecret': salesforce.clientSecret,
          'vendor.caFile': salesforce.caFile,
        }),
    ...(dialpad === undefined
      ? {}
      : {
          'dialpad.baseUrl': dialpad.baseUrl,
          'dialpad.apiKey': dialpad.apiKey,
          'dialpad.companyId': dialpad.companyId,
          'dialpad.webhookSecrets': dialpad.webhookSecret,
        }),
  };
}
