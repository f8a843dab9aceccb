/** `erase`: records of a person who asked for it, out of the warehouse for good. */
import { Argument, Command } from 'commander';
import { erase, type Erased } from '#runtime/erase.ts';
import { sourceArgument, SOURCES } from '../arguments.ts';
import { send, SILENT } from '../client.ts';
import { withCommonOptions, type CommonOptions } from '../settings.ts';

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
        const request = { source, instance, object, ids, dryRun };
        const result = (await send(options, 'erase', request, SILENT, (ports) => erase(ports, request))) as Erased;
        console.log(options.json ? JSON.stringify(result) : textOf(result));
      },
    );
}

function textOf({ records, deadLetters, dryRun }: Erased): string {
  const [some, letters] = [counted(records, 'record'), counted(deadLetters, 'dead letter')];
  if (dryRun) return `To be erased: ${some} and ${letters}. Nothing was: this was a dry run.`;
  return `Erased: ${some}, whose rows follow within seconds, and ${letters}. What else may hold their values: docs/guides/erase.md`;
}

function counted(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? '' : 's'}`;
}
