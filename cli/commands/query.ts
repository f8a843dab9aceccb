import { Command, InvalidArgumentError } from 'commander';
import { perform } from '../client.ts';
import { tableText, type Cells } from '../print.ts';
import { withCommonOptions, type CommonOptions } from '../settings.ts';

interface QueryOptions extends CommonOptions {
  readonly rows: number;
  readonly timeout: number;
}

export function queryCommand(): Command {
  return withCommonOptions(new Command('query'))
    .description('Run one read-only SQL statement on the warehouse, e.g. tributary query "SELECT * FROM dialpad_calls"')
    .argument('<sql>', 'a SELECT; tables and views are those of the schema sales_intelligence')
    .option('--rows <n>', 'print at most so many rows', positive, 1_000)
    .option('--timeout <seconds>', 'give up after so long', positive, 60)
    .action(async (sql: string, options: QueryOptions) => {
      const rows: Cells[] = [];
      const result = (await perform(
        options,
        'query',
        { sql, rows: options.rows, timeoutMs: options.timeout * 1_000 },
        {
          emit: (chunk) => void rows.push(...(chunk as Cells[])),
          progress: () => undefined,
        },
      )) as { readonly limited: boolean };
      console.log(options.json ? JSON.stringify(rows) : tableText(rows));
      if (result.limited) console.error(`Only the first ${options.rows} rows: ask for more with --rows.`);
    });
}

export function positive(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 1) throw new InvalidArgumentError('It must be a whole number from 1.');
  return value;
}
