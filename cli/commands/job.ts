/** `tributary job <service> <command> [--name value …]`: one command as a process of its own, as a Cloud Run job runs it. */
import { Command } from 'commander';
import type { Progress } from '#core/service.ts';
import { runJob } from '#runtime/cloud/job.ts';
import type { Log } from '#runtime/logging.ts';
import { inCloud } from '../cloud-process.ts';

const SAY_EVERY_MS = 10_000;

export function jobCommand(): Command {
  return new Command('job')
    .description("Run one of a service's commands to its end, e.g. job ingest-salesforce backfill --object Contact")
    .argument('<service>', 'which service')
    .argument('<command>', 'which of its commands')
    .argument('[arguments...]', "the command's own, each --name value; a time may be -26h")
    .option('--config <file>', 'JSON file of settings; the environment goes before it')
    .allowUnknownOption()
    .action((service: string, command: string, words: readonly string[], { config }: { readonly config?: string }) =>
      inCloud(
        [service],
        config,
        (process) => runJob({ ...process, command, words, progress: saying(process.log) }, process.signal),
        // What did not close in time is told; the work is done all the same, and must not be begun again for it.
        ({ result }, log) => {
          if (result !== undefined) log.say('info', `The job ${service} ${command} is done.`, { result });
          else log.say('warn', `The job ${service} ${command} was stopped before its end; its next attempt goes on.`);
          return result === undefined ? 1 : 0;
        },
      ),
    );
}

/** A line now and then; the last always. */
function saying(log: Log): Progress {
  let saidMs = Number.NEGATIVE_INFINITY;
  return (done, total, what) => {
    const nowMs = performance.now();
    if (nowMs - saidMs < SAY_EVERY_MS && done !== total) return;
    saidMs = nowMs;
    log.say('info', 'The job goes on.', { what, done, total });
  };
}
