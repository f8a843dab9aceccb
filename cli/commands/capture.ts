/** `backfill` and `reconcile`, which ingest services declare: by source. */
import { Command } from 'commander';
import { perform } from '../client.ts';
import { progressBar } from '../print.ts';
import { withCommonOptions, type CommonOptions } from '../settings.ts';
import { isoTime, sourceArgument } from '../arguments.ts';

interface CaptureOptions extends CommonOptions {
  readonly object?: string;
  readonly since?: string;
}

export function backfillCommand(): Command {
  return withCommonOptions(new Command('backfill'))
    .description('Read everything of a source once more; live changes are not delayed')
    .addArgument(sourceArgument('<source>'))
    .option('--object <name>', 'only this object, e.g. Contact')
    .action(run('backfill'));
}

export function reconcileCommand(): Command {
  return withCommonOptions(new Command('reconcile'))
    .description('Read what changed or was deleted since a time, e.g. after an outage')
    .addArgument(sourceArgument('<source>'))
    .requiredOption('--since <time>', 'ISO time, e.g. 2026-11-20T00:00:00Z', isoTime)
    .option('--object <name>', 'only this object')
    .action(run('reconcile'));
}

function print(result: unknown, options: CommonOptions): void {
  const lines = Object.entries(result as object).map(([key, value]) => `${key}: ${JSON.stringify(value)}`);
  console.log(options.json ? JSON.stringify(result) : lines.join('\n'));
}

function run(command: string) {
  return async (name: string, options: CaptureOptions): Promise<void> => {
    const { object, since } = options;
    const args = { ...(object === undefined ? {} : { object }), ...(since === undefined ? {} : { since }) };
    const bar = progressBar();
    const io = { emit: () => undefined, progress: bar.progress };
    const result = await perform(
      options,
      'command',
      { service: `ingest-${name}`, command, args },
      io,
      'everything',
    ).finally(() => bar.done());
    print(result, options);
  };
}
