/** `tributary serve <service…>`: services as a process of their own, as a container runs them; settings from the environment. */
import { Command, Option } from 'commander';
import { aborted } from '#runtime/cloud/process.ts';
import { serve } from '#runtime/cloud/serve.ts';
import { inCloud } from '../cloud-process.ts';

interface ServeFlags {
  readonly part: 'all' | 'routes' | 'work';
  readonly config?: string;
}

export function serveCommand(): Command {
  return new Command('serve')
    .description('Run services as a process of their own, as a container does; SIGTERM drains and ends it')
    .argument('<service...>', 'which services')
    .addOption(
      new Option('--part <part>', 'only what answers pushes, or only all else')
        .choices(['all', 'routes', 'work'])
        .default('all'),
    )
    .option('--config <file>', 'JSON file of settings; the environment goes before it')
    .action((names: readonly string[], { part, config }: ServeFlags) =>
      inCloud(
        names,
        config,
        async (process) => {
          await serve({ ...process, part }, process.signal);
          return aborted(process.signal);
        },
        ({ isClean }) => (isClean ? 0 : 1),
      ),
    );
}
