/** `tributary serve <service…>`: services as a process of their own, as a container runs them; settings from the environment. */
import { Command, Option } from 'commander';
import { TelemetryHub } from '#core/telemetry.ts';
import { aborted, cloudLifecycle, END_WITHIN_MS, tellHanging, untilDone } from '#runtime/cloud/process.ts';
import { refuseAbsent, serve } from '#runtime/cloud/serve.ts';
import { discoverServices } from '#runtime/discover.ts';
import { stdoutListener } from '#runtime/logging.ts';
import { cloudSettings } from '../cloud-settings.ts';
import { stopOnSignal } from '../stopping.ts';

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
    .action(run);
}

async function run(names: readonly string[], { part, config }: ServeFlags): Promise<void> {
  const [lifecycle, telemetry] = [cloudLifecycle(), new TelemetryHub()];
  const leave = (): never => {
    tellHanging(lifecycle, telemetry);
    process.exit(1);
  };
  const signal = stopOnSignal({ withinMs: END_WITHIN_MS, leave });
  const services = await discoverServices();
  const settings = cloudSettings(services, names, config);
  refuseAbsent(names, part, settings);
  telemetry.listen(stdoutListener(settings.runtime['log.level']));
  const options = { settings, services, part, telemetry, lifecycle };
  const work = (): Promise<undefined> => serve(options, signal).then(() => aborted(signal));
  const { isClean } = await untilDone(work, options, signal);
  process.exitCode = isClean ? 0 : 1;
  // All is closed: what a library still waits for keeps no container.
  setTimeout(() => process.exit(), 100).unref();
}
