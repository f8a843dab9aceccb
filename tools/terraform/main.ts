/** `node tools/terraform/main.ts`: checks `infra/*.tf`; each fault is a line, and the exit code says whether there is one. */
import { join } from 'node:path';
import { faultsOf } from './check.ts';
import { readConfiguration, readFiles } from './configuration.ts';
import { missingTypes } from './library.ts';

const INFRA = join(import.meta.dirname, '../../infra');

async function main(): Promise<number> {
  const missing = missingTypes();
  if (missing !== null) {
    console.error(`Not checked: ${missing}.`);
    return 0;
  }
  const configuration = await readConfiguration(readFiles(INFRA));
  const faults = faultsOf(configuration);
  for (const fault of faults) console.error(fault);
  console.log(`${configuration.blocks.length} resources, ${faults.length} faults.`);
  return faults.length === 0 ? 0 : 1;
}

if (import.meta.main) process.exitCode = await main();
