import { Command } from 'commander';
import type { Status } from '#runtime/operations.ts';
import { perform, SILENT } from '../client.ts';
import { statusText } from '../live-view.ts';
import { withCommonOptions, type CommonOptions } from '../settings.ts';

export function statusCommand(): Command {
  return withCommonOptions(new Command('status'))
    .description('What flows: events, rows, matches, dead letters, backlog and lag')
    .action(async (options: CommonOptions) => {
      const status = (await perform(options, 'status', {}, SILENT)) as Status;
      console.log(options.json ? JSON.stringify(status) : statusText(status, process.stdout.columns));
    });
}
