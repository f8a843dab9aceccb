/** `npm run bench <scenario>`: figures of this machine at this moment. Dated ones are kept in docs/benchmarks.md. */
import { Command } from 'commander';
import { benchCloudAdapters } from './cloud-adapters.ts';
import { benchRiver } from './river/scenario.ts';

const program = new Command('bench').description('Measures; never judges.');
program
  .command('river')
  .description(
    'The whole river on one machine: first full sync, the same again as an update, latency alone and during a sync',
  )
  .option('--contacts <n>', 'contacts of the simulated company', Number, 600_000)
  .option('--columns <n>', 'columns of a contact: 24, or up to 64 with custom fields', Number, 24)
  .option('--per-second <n>', 'live changes a second while latency is measured', Number, 50)
  .option('--seconds <n>', 'how long latency is measured alone', Number, 30)
  .option('--threads <n>', 'threads of the pipeline', Number, 1)
  .option('--json', 'print JSON')
  .action(benchRiver);

program
  .command('cloud-adapters')
  .description("Our Pub/Sub and Storage Write adapters beside Google's raw clients, on emulator and simulator")
  .option('--messages <n>', 'messages of a round', Number, 20_000)
  .option('--rows <n>', 'rows of a round', Number, 20_000)
  .option('--rounds <n>', 'rounds that count, after one that warms up', Number, 5)
  .option('--json', 'print JSON')
  .action(benchCloudAdapters);

await program.parseAsync();
