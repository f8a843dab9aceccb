/**
 * Stand-ins for Google's services on loopback, as a process of their own, for those who have no project yet: the official
 * Pub/Sub emulator, the BigQuery simulator, a Cloud Storage fake. Prints one line of JSON with their addresses when all
 * are up. Ends on SIGTERM, SIGINT, or when standard input closes; exit code 3 says that a program is missing here.
 */
import { Command } from 'commander';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';

interface Flags {
  readonly stateDir: string;
  readonly pubsub?: true;
  readonly bigquery?: true;
  readonly gcs?: true;
}

interface StandIn {
  readonly address: unknown;
  stop(): Promise<void>;
}

const EXIT_MISSING = 3;
const BUCKET = 'tributary';

class Missing extends Error {}

async function pubsub(): Promise<StandIn> {
  const { findPubsubEmulator, startPubsubEmulator } = await import('../emulators/pubsub.ts');
  const found = await findPubsubEmulator();
  if ('missing' in found)
    throw new Missing(
      `The Pub/Sub emulator cannot be started: ${found.missing}. Install the Google Cloud CLI with its component pubsub-emulator, or give PUBSUB_EMULATOR_HOST, or a project.`,
    );
  const emulator = await startPubsubEmulator(found.launcher);
  return { address: emulator.address, stop: () => emulator.stop() };
}

async function bigquery(folder: string): Promise<StandIn> {
  const { startBigquerySimulator } = await import('../simulators/bigquery/index.ts');
  const simulator = await startBigquerySimulator({ file: join(folder, 'bigquery.duckdb') });
  const { restUrl, grpcEndpoint } = simulator;
  return { address: { restUrl, grpcEndpoint }, stop: () => simulator.stop() };
}

async function gcs(folder: string): Promise<StandIn> {
  const { findFakeGcs, startFakeGcs } = await import('../emulators/gcs.ts');
  const found = await findFakeGcs();
  if ('missing' in found)
    throw new Missing(
      `The Cloud Storage fake cannot be started: ${found.missing}. Install Go, or give gcs.bucket of a project.`,
    );
  const fake = await startFakeGcs(found.binary, { folder: join(folder, 'gcs'), buckets: [BUCKET] });
  return { address: { endpoint: fake.endpoint, bucket: BUCKET }, stop: () => fake.stop() };
}

const STARTS = { pubsub, bigquery, gcs } as const;

async function main(): Promise<void> {
  const flags = new Command('stand-ins')
    .description("Stand-ins for Google's services on loopback")
    .requiredOption('--state-dir <folder>', 'where those that can keep their state keep it')
    .option('--pubsub', 'the official Pub/Sub emulator (in memory)')
    .option('--bigquery', 'the BigQuery simulator')
    .option('--gcs', 'a Cloud Storage fake')
    .parse()
    .opts<Flags>();
  mkdirSync(flags.stateDir, { recursive: true });
  const ending = new Promise<void>((resolve) => {
    process.once('SIGTERM', resolve).once('SIGINT', resolve);
    process.stdin.once('end', resolve).once('error', resolve).resume();
  });
  const started = new Map<string, StandIn>();
  try {
    for (const [name, start] of Object.entries(STARTS))
      if (flags[name as keyof typeof STARTS] === true) started.set(name, await start(flags.stateDir));
    console.log(JSON.stringify(Object.fromEntries([...started].map(([name, { address }]) => [name, address]))));
    await ending;
  } finally {
    await Promise.all([...started.values()].map((standIn) => standIn.stop()));
  }
}

try {
  await main();
  process.exit(0);
} catch (error) {
  console.error(error instanceof Missing ? error.message : error);
  process.exit(error instanceof Missing ? EXIT_MISSING : 1);
}
