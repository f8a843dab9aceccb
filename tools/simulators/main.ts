/**
 * The simulated vendors as a process of their own. Prints one line of JSON when all doors are open: per vendor what an
 * operator of the real thing would be told, and `control`. Ends on SIGTERM, SIGINT, or when standard input closes.
 */
import { Command, InvalidArgumentError, Option } from 'commander';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { startControl } from './control/server.ts';
import { VENDORS, type Vendor } from './vendors.ts';
import { createWorld, keepJournal } from './world/index.ts';

interface Flags {
  readonly seed: number;
  readonly contacts: number;
  readonly contactCustomFields: number;
  readonly stateDir: string;
  readonly sources: readonly string[];
  readonly readLagMs: number;
  readonly commitDelayMs: number;
  readonly journal: boolean;
  readonly resultPages: 'resultPages' | 'resultChunks' | 'none';
  readonly resultRows: number;
  readonly controlPort: number;
}

function whole(text: string): number {
  if (!/^\d+$/.test(text)) throw new InvalidArgumentError('It must be a whole number.');
  return Number(text);
}

function vendorNames(text: string): readonly string[] {
  const names = text.split(',').filter((name) => name !== '');
  const unknown = names.find((name) => !Object.hasOwn(VENDORS, name));
  if (unknown !== undefined)
    throw new InvalidArgumentError(`There is no ${unknown}; known are ${Object.keys(VENDORS).join(', ')}.`);
  return names;
}

function flags(): Flags {
  const command = new Command('simulators')
    .description('Vendors on loopback, over one seeded company')
    .requiredOption('--state-dir <folder>', 'for the certificate clients must trust, and the journal of what happened')
    .option('--seed <n>', 'seed of the company', whole, 7)
    .option('--contacts <n>', 'contacts of the company', whole, 2_000)
    .option('--contact-custom-fields <n>', 'custom fields of a contact beyond the usual ones, up to 40', whole, 0)
    .option('--sources <names>', 'vendors, with commas between', vendorNames, Object.keys(VENDORS))
    .option('--read-lag-ms <n>', 'a committed change shows in reads this much later', whole, 0)
    .option('--commit-delay-ms <n>', 'a commit follows its modification stamp by up to this', whole, 0)
    .option('--no-journal', 'forget what happened when the process ends')
    .addOption(
      new Option('--result-pages <shape>', 'how Bulk lists result pages')
        .choices(['resultPages', 'resultChunks', 'none'])
        .default('resultPages'),
    ) // prettier-ignore
    .option('--result-rows <n>', 'rows of a page of Bulk results', whole, 50_000)
    .option('--control-port <n>', 'port of the control door; 0: any', whole, 0);
  return command.parse().opts<Flags>();
}

async function main(): Promise<void> {
  const { stateDir, sources, journal, resultPages, resultRows, controlPort, ...size } = flags();
  mkdirSync(stateDir, { recursive: true });
  const world = createWorld(size);
  const vendors = new Map<string, Vendor>();
  for (const name of sources)
    vendors.set(name, await VENDORS[name]!(world, { stateDir, salesforce: { resultPages, resultRows } }));
  if (journal) keepJournal(world, join(stateDir, 'company.ndjson'));
  const control = await startControl(world, [...vendors.values()].map(({ controlled }) => controlled), controlPort); // prettier-ignore
  const addresses = Object.fromEntries([...vendors].map(([name, vendor]) => [name, vendor.addresses]));
  console.log(JSON.stringify({ ...addresses, control: control.url }));
  await new Promise<void>((resolve) => {
    process.once('SIGTERM', resolve).once('SIGINT', resolve);
    process.stdin.once('end', resolve).once('error', resolve).resume();
  });
  await Promise.all([control.close(), ...[...vendors.values()].map((vendor) => vendor.close())]);
  process.exit(0);
}

await main();
