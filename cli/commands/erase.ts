/** `erase`: records of a person who asked for it, out of the warehouse for good. */
import { Argument, Command } from 'commander';
import { elsewhere } from '#runtime/elsewhere.ts';
import { erase, type Erased, type EraseRequest } from '#runtime/erase.ts';
import { isRunning } from '#runtime/socket.ts';
import { sourceArgument, SOURCES } from '../arguments.ts';
import { perform, refuseWithoutState, SILENT } from '../client.ts';
import { loadSettings, stateOf, withCommonOptions, type CommonOptions } from '../settings.ts';
import { refuseWithoutStandIns } from '../stand-ins.ts';

interface EraseOptions extends CommonOptions {
  readonly instance: string;
  readonly dryRun?: true;
  readonly yes?: true;
}

export function eraseCommand(): Command {
  return withCommonOptions(new Command('erase'))
    .description(
      'Erase records for good: their values leave the warehouse and the matches, what is parked of them is dropped, and nothing that is read or replayed later brings them back. Erase them in the source first. docs/guides/erase.md',
    )
    .addArgument(sourceArgument('<source>'))
    .addArgument(new Argument('<object>', 'as the source calls it: Contact, call'))
    .addArgument(new Argument('<ids...>', "the source's ids of the records"))
    .requiredOption('--instance <name>', 'the org or company: the column «instance» of the rows')
    .option('--dry-run', 'only count')
    .option('--yes', 'do it: it cannot be undone')
    .action(
      async (
        source: (typeof SOURCES)[number],
        object: string,
        ids: readonly string[],
        options: EraseOptions,
        command: Command,
      ) => {
        const { instance, dryRun = false, yes = false } = options;
        if (dryRun === yes) command.error('error: give --dry-run to count, or --yes to erase, which cannot be undone.');
        const result = await run(options, { source, instance, object, ids, dryRun });
        console.log(options.json ? JSON.stringify(result) : textOf(result));
      },
    );
}

/** In the pipeline that runs; where none does and the broker is a file here, with stages of its own; else beside those elsewhere. */
async function run(options: CommonOptions, request: EraseRequest): Promise<Erased> {
  if (!(await isRunning(stateOf(options)))) {
    await refuseWithoutStandIns(options);
    const { settings } = await loadSettings(options);
    if (settings.runtime.storage === 'files') refuseWithoutState(stateOf(options));
    if (request.dryRun || settings.runtime.broker !== 'embedded')
      return elsewhere(settings, (ports) => erase(ports, request));
  }
  return (await perform(options, 'erase', request, SILENT, 'stages')) as Erased;
}

function textOf({ records, deadLetters, dryRun }: Erased): string {
  const [some, letters] = [counted(records, 'record'), counted(deadLetters, 'dead letter')];
  if (dryRun) return `To be erased: ${some} and ${letters}. Nothing was: this was a dry run.`;
  return `Erased: ${some}, whose rows follow within seconds, and ${letters}. What else may hold their values: docs/guides/erase.md`;
}

function counted(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? '' : 's'}`;
}
