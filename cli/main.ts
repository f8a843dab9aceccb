/** The command line: `tributary <command>`. Exit codes: `exit.ts`. */
import { Command, CommanderError } from 'commander';
import { TributaryError } from '#core/errors.ts';
import { OperationFailed } from '#runtime/socket.ts';
import { backfillCommand, reconcileCommand } from './commands/capture.ts';
import { deadLettersCommand } from './commands/dead-letters.ts';
import { doctorCommand } from './commands/doctor.ts';
import { eraseCommand } from './commands/erase.ts';
import { jobCommand } from './commands/job.ts';
import { queryCommand } from './commands/query.ts';
import { replayCommand } from './commands/replay.ts';
import { serveCommand } from './commands/serve.ts';
import { startCommand } from './commands/start.ts';
import { statusCommand } from './commands/status.ts';
import { topologyCommand } from './commands/topology.ts';
import { warehouseCommand } from './commands/warehouse.ts';
import { EXIT, exitCodeOf } from './exit.ts';

function program(): Command {
  const root = new Command('tributary')
    .description('Brings sales activity from its sources into the warehouse, seconds after it changed.')
    .version('0.1.0')
    .showHelpAfterError('(see --help)')
    .exitOverride();
  const commands = [
    startCommand(),
    serveCommand(),
    jobCommand(),
    backfillCommand(),
    reconcileCommand(),
    replayCommand(),
    deadLettersCommand(),
    eraseCommand(),
    queryCommand(),
    statusCommand(),
    doctorCommand(),
    topologyCommand(),
    warehouseCommand(),
  ];
  for (const command of commands) root.addCommand(inherit(command));
  return root;
}

/** Commander copies neither setting to commands that are added. */
function inherit(command: Command): Command {
  command.exitOverride().showHelpAfterError('(see --help)');
  command.commands.forEach(inherit);
  return command;
}

export async function main(argv: readonly string[]): Promise<number> {
  try {
    await program().parseAsync([...argv], { from: 'user' });
    return typeof process.exitCode === 'number' ? process.exitCode : EXIT.done;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.done : EXIT.usage;
    if (error instanceof TributaryError || error instanceof OperationFailed) {
      console.error(`tributary: ${error.message} [${error.code}]`);
      return exitCodeOf(error);
    }
    console.error(error);
    return EXIT.failed;
  }
}

if (import.meta.main) {
  // A reader that went away (`| head`) is no failure of ours.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(EXIT.done);
  });
  process.exitCode = await main(process.argv.slice(2));
}
