/** `replay`: raw events through the stages again, from what the broker retains or from the archive. */
import { Command, Option } from 'commander';
import { archiveRequestOf, type Requests } from '#runtime/operations.ts';
import { replayArchive, type ArchiveReplay } from '#runtime/replay-archive.ts';
import { isoTime, sourceArgument, SOURCES } from '../arguments.ts';
import { perform, send, SILENT } from '../client.ts';
import { progressBar, tableText } from '../print.ts';
import { withCommonOptions, type CommonOptions } from '../settings.ts';

type Source = (typeof SOURCES)[number];

interface ReplayOptions extends CommonOptions {
  readonly since?: string;
  readonly object?: string;
  readonly from?: string;
  readonly to?: string;
  readonly source?: Source;
  readonly entity?: string;
  readonly dryRun?: true;
}

export function replayCommand(): Command {
  return withCommonOptions(new Command('replay'))
    .description(
      'Send raw events through the stages again; the source is not read. After a mapper was mended: replay <source> --since, from what the broker retains. For any longer, and to fill an empty warehouse: replay --from --to, from the archive',
    )
    .addArgument(sourceArgument('[source]'))
    .option('--since <time>', 'retained: ISO time; raw events are retained for 24 hours', isoTime)
    .option('--object <name>', 'retained: only this object of the source')
    .option('--from <time>', 'archive: ISO time of the first publish', isoTime)
    .option('--to <time>', 'archive: until before this time (default: now)', isoTime)
    .addOption(new Option('--source <name>', 'archive: only of this source').choices([...SOURCES]))
    .option('--entity <name>', 'archive: only this canonical entity (contact), or object of a source (Contact)')
    .option('--dry-run', 'archive: only count')
    .action(async (name: Source | undefined, options: ReplayOptions, command: Command) => {
      const wrong = misuse(name, options);
      if (wrong !== undefined) command.error(`error: ${wrong}`);
      if (options.since === undefined) await replayArchived(name, options);
      else await replayRetained(name as Source, options.since, options);
    });
}

/** What of one kind of replay was given with the other; undefined where all fits. */
function misuse(name: string | undefined, options: ReplayOptions): string | undefined {
  const { since, object, from, source } = options;
  const archived = (['from', 'to', 'source', 'entity', 'dryRun'] as const).filter((one) => options[one] !== undefined);
  const flags = archived.map((one) => (one === 'dryRun' ? '--dry-run' : `--${one}`)).join(', ');
  if (since !== undefined && archived.length > 0)
    return `--since replays what the broker retains, ${flags} the archive: give one or the other.`;
  if (since !== undefined && name === undefined) return 'replay --since wants a source: replay salesforce --since …';
  if (since !== undefined) return undefined;
  if (from === undefined)
    return 'say from when: replay <source> --since <time> for what the broker retains, or replay --from <time> for the archive.';
  if (object !== undefined) return '--object is for --since; of the archive say --entity, which takes objects too.';
  if (name !== undefined && source !== undefined && name !== source) return `${name} or ${source}: give one source.`;
  return undefined;
}

async function replayRetained(source: Source, since: string, { object, ...options }: ReplayOptions): Promise<void> {
  const request = { source, since, ...(object === undefined ? {} : { object }) };
  const result = (await perform(options, 'replay', request, SILENT, 'stages')) as {
    readonly replayed: number;
    readonly generation: number;
  };
  console.log(options.json ? JSON.stringify(result) : `replayed: ${result.replayed}\ngeneration: ${result.generation}`);
}

async function replayArchived(name: Source | undefined, options: ReplayOptions): Promise<void> {
  const { from = '', to = new Date().toISOString(), entity, dryRun = false } = options;
  const source = options.source ?? name;
  const request = {
    from,
    to,
    dryRun,
    ...(source === undefined ? {} : { source }),
    ...(entity === undefined ? {} : { entity }),
  };
  const bar = progressBar();
  const result = await run(options, request, bar.progress).finally(() => bar.done());
  console.log(options.json ? JSON.stringify(result) : textOf(result));
  if (result.damaged.length > 0) process.exitCode = 1;
}

async function run(
  options: CommonOptions,
  request: Requests['replay archive'],
  progress: ReturnType<typeof progressBar>['progress'],
): Promise<ArchiveReplay> {
  const io = { emit: () => undefined, progress };
  const signal = new AbortController().signal;
  return (await send(options, 'replay archive', request, io, (ports) =>
    replayArchive(ports, archiveRequestOf(request), { progress, signal }),
  )) as ArchiveReplay;
}

function textOf(result: ArchiveReplay): string {
  const { from, to, of, damaged, unmapped, undecodable } = result;
  const lines = [summary(result), `Published from ${from} until before ${to}.`];
  if (result.events === 0)
    lines.push(
      result.begins === null
        ? 'The archive holds nothing of what was asked for. Is archive.enabled on, and is this the right folder or bucket? What was just published is archived some seconds later.'
        : `The archive begins at ${result.begins}.`,
    );
  if (of.length > 0) lines.push(tableText(of.map((one) => ({ ...one }))));
  if (unmapped > 0) lines.push(`${unmapped} events are of objects that no mapper knows: left out.`);
  if (undecodable > 0) lines.push(`${undecodable} messages are read by no known schema: left out.`);
  if (damaged.length > 0) lines.push(`${damaged.length} files are damaged; what was whole of them was taken:`);
  return [...lines, ...damaged.map(({ name, reason }) => `  ${name}: ${reason}`)].join('\n');
}

function summary({ dryRun, generation, events, bytes, files, fileBytes }: ArchiveReplay): string {
  const counted = `${events} events (${bytes} bytes) of ${files} files (${fileBytes} bytes)`;
  if (dryRun) return `${counted} would be sent. Nothing was: this was a dry run.`;
  return generation === null
    ? 'Nothing is archived of that time: nothing was sent.'
    : `${counted} were sent again, with generation ${generation}.`;
}
