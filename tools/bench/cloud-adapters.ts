/**
 * What our adapters cost over Google's own clients, in one run against the same servers on this machine: messages a second
 * through Pub/Sub (the official emulator) and rows a second through the Storage Write API (the simulator). Both ways take
 * turns, and the median of the rounds counts: each is bounded by the server, which shares the cores.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startStandIns, type StandIns } from './cloud/stand-ins.ts';
import { comparePubsub } from './cloud/pubsub.ts';
import type { Comparison } from './cloud/rounds.ts';
import { compareStorageWrite } from './cloud/storage-write.ts';

interface Options {
  readonly messages: number;
  readonly rows: number;
  readonly rounds: number;
  readonly json?: true;
}

export async function benchCloudAdapters(options: Options): Promise<void> {
  process.env['METADATA_SERVER_DETECTION'] = 'none';
  const folder = mkdtempSync(join(tmpdir(), 'tributary-bench-'));
  let standIns: StandIns | undefined;
  try {
    standIns = await startStandIns(folder);
    const comparisons = [
      ...(await comparePubsub(standIns.addresses.pubsub, options)),
      ...(await compareStorageWrite(standIns.addresses.bigquery, options)),
    ];
    if (options.json) console.log(JSON.stringify(comparisons.map((one) => ({ ...one, ratio: one.ours / one.raw }))));
    else for (const one of comparisons) console.log(lineOf(one));
  } finally {
    await standIns?.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

function lineOf({ what, unit, ours, raw }: Comparison): string {
  const figure = (value: number): string => Math.round(value).toLocaleString('en');
  return `${what.padEnd(44)} ours ${figure(ours).padStart(9)} ${unit}/s, raw client ${figure(raw).padStart(9)} ${unit}/s: ratio ${(ours / raw).toFixed(2)}`;
}
