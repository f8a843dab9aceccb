import { Command } from 'commander';
import type { DeadLetterGroup } from '#runtime/dead-letters.ts';
import { InvalidMessage } from '#core/errors.ts';
import { perform, SILENT } from '../client.ts';
import { tableText } from '../print.ts';
import { withCommonOptions, type CommonOptions } from '../settings.ts';

interface FilterOptions extends CommonOptions {
  readonly service?: string;
  readonly code?: string;
  readonly id?: string;
  readonly all?: true;
  readonly dryRun?: true;
}

export function deadLettersCommand(): Command {
  return new Command('dead-letters')
    .description('Messages that could not be processed: list, show, replay, drop')
    .addCommand(list())
    .addCommand(show())
    .addCommand(replay())
    .addCommand(drop());
}

function list(): Command {
  return withCommonOptions(new Command('list'))
    .description('Group what is parked by service and code')
    .option('--service <name>', 'only of this service')
    .option('--code <code>', 'only of this code')
    .action(async (options: FilterOptions) => {
      const groups = (await perform(
        options,
        'dead-letters list',
        filter(options),
        SILENT,
      )) as readonly DeadLetterGroup[];
      console.log(
        options.json
          ? JSON.stringify(groups)
          : tableText(groups.map((group) => ({ ...group, examples: group.examples.join(' ') }))),
      );
    });
}

function show(): Command {
  return withCommonOptions(new Command('show'))
    .description('One dead letter: reason, stage, attempts, attributes, and its body decoded')
    .argument('<id>', 'see dead-letters list')
    .action(async (id: string, options: CommonOptions) => {
      const letter = await perform(options, 'dead-letters show', { id }, SILENT);
      console.log(JSON.stringify(letter, null, options.json ? undefined : 2));
    });
}

function replay(): Command {
  return selecting(new Command('replay'))
    .description('Send parked messages again, to the one service that failed; at most three times a message')
    .action(async (options: FilterOptions) => {
      const request = { ...selection(options), dryRun: options.dryRun === true };
      const result = (await perform(options, 'dead-letters replay', request, SILENT)) as {
        matched: number;
        replayed: number;
        refused: number;
      };
      if (options.json) return console.log(JSON.stringify(result));
      const refused = result.refused === 0 ? '' : `, ${result.refused} refused: they were replayed three times before`;
      console.log(`${result.matched} found, ${result.replayed} sent again${refused}.`);
      if (options.dryRun) console.log('Nothing was sent: this was a dry run.');
    });
}

function drop(): Command {
  return selecting(new Command('drop'))
    .description('Forget parked messages for good; the row in dead_letters stays')
    .action(async (options: FilterOptions) => {
      const result = (await perform(
        options,
        'dead-letters drop',
        { ...selection(options), dryRun: options.dryRun === true },
        SILENT,
      )) as {
        matched: number;
        dropped: number;
      };
      console.log(options.json ? JSON.stringify(result) : `${result.matched} found, ${result.dropped} dropped.`);
    });
}

function selecting(command: Command): Command {
  return withCommonOptions(command)
    .option('--all', 'all that is parked')
    .option('--service <name>', 'of this service')
    .option('--code <code>', 'of this code')
    .option('--id <id>', 'this one')
    .option('--dry-run', 'only count');
}

function selection(options: FilterOptions): ReturnType<typeof filter> {
  const chosen = filter(options);
  if (Object.keys(chosen).length === 0 && !options.all) {
    throw new InvalidMessage('nothing_selected', 'Say which: --all, --service, --code or --id.');
  }
  return chosen;
}

function filter({ service, code, id }: FilterOptions): { service?: string; code?: string; id?: string } {
  return {
    ...(service === undefined ? {} : { service }),
    ...(code === undefined ? {} : { code }),
    ...(id === undefined ? {} : { id }),
  };
}
