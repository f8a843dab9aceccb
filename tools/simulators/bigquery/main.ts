/**
 * The simulated BigQuery as a process of its own. Prints one line of JSON with its addresses when both doors are open; ends
 * on SIGTERM, SIGINT, or when standard input closes.
 */
import { Command, InvalidArgumentError } from 'commander';
import { startBigquerySimulator } from './index.ts';

interface Flags {
  readonly file?: string;
  readonly restPort: number;
  readonly grpcPort: number;
  readonly memory: string;
}

function port(text: string): number {
  if (!/^\d{1,5}$/.test(text)) throw new InvalidArgumentError('It must be a port.');
  return Number(text);
}

async function main(): Promise<void> {
  const { file, restPort, grpcPort, memory } = new Command('bigquery')
    .description('Google BigQuery on loopback')
    .option('--file <path>', 'a DuckDB file that keeps tables and rows; otherwise they are in memory')
    .option('--rest-port <n>', 'port of REST; 0: any', port, 0)
    .option('--grpc-port <n>', 'port of the Storage Write API; 0: any', port, 0)
    .option('--memory <size>', "DuckDB's memory", '512MB')
    .parse()
    .opts<Flags>();
  const simulator = await startBigquerySimulator({
    ...(file === undefined ? {} : { file }),
    restPort,
    grpcPort,
    memoryLimit: memory,
  });
  const { restUrl, grpcEndpoint } = simulator;
  console.log(JSON.stringify({ bigquery: { restUrl, grpcEndpoint }, restUrl, grpcEndpoint }));
  await new Promise<void>((resolve) => {
    process.once('SIGTERM', resolve).once('SIGINT', resolve);
    process.stdin.once('end', resolve).once('error', resolve).resume();
  });
  await simulator.stop();
  process.exit(0);
}

await main();
