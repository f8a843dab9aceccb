/** `backfill` and `reconcile`, which ingest services declare, and `replay` of raw events: by source. */
import { Argument, Command, InvalidArgumentError } from 'commander';
import { perform, SILENT } from '../client.ts';
import { progressBar } from '../print.ts';
import { withCommonOptions, type CommonOptions } from '../settings.ts';

interface CaptureOptions extends CommonOptions {
  readonly object?: string;
  readonly since?: string;
}

const source = (): Argument => new Argument('<source>', 'which source').choices(['salesforce', 'dialpad']);

export function backfillCommand(): Command {
  return withCommonOptions(new Command('backfill'))
    .description('Read everything of a source once more; live changes are not delayed')
    .addArgument(source())
    .option('--object <name>', 'only this object, e.g. Contact')
    .action(run('backfill'));
}

export function reconcileCommand(): Command {
  return withCommonOptions(new Command('reconcile'))
    .description('Read what changed or was deleted since a time, e.g. after an outage')
    .addArgument(source())
    .requiredOption('--since <time>', 'ISO time, e.g. 2026-11-20T00:00:00Z', isoTime)
    .option('--object <name>', 'only this object')
    .action(run('reconcile'));
}

export function replayCommand(): Command {
  return withCommonOptions(new Command('replay'))
    .description('Send retained raw events through the stages again, after a mapper was mended; the source is not read')
    .addArgument(source())
    .requiredOption('--since <time>', 'ISO time; raw events are retained for 24 hours', isoTime)
    .option('--object <name>', 'only this object')
    .action(async (name: 'salesforce' | 'dialpad', { since = '', object, ...options }: CaptureOptions) => {
      const request = { source: name, since, ...(object === undefined ? {} : { object }) };
      print(await perform(options, 'replay', request, SILENT, true), options);
    });
}

/** Looked at before anything is opened: a wrong time is wrong usage, whether or not the source is on. */
function isoTime(text: string): string {
  if (!/^\d{4}-\d\d-\d\d/.test(text) || Number.isNaN(Date.parse(text)))
    throw new InvalidArgumentError('It must be a time such as 2026-11-20T00:00:00Z.');
  return text;
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
    const result = await perform(options, 'command', { service: `ingest-${name}`, command, args }, io, true).finally(
      () => bar.done(),
    );
    print(result, options);
  };
}
