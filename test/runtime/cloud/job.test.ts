import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Transient } from '#core/errors.ts';
import type { AnyService, CommandArguments, CommandSpec } from '#core/service.ts';
import { TelemetryHub } from '#core/telemetry.ts';
import { argumentsOf, runJob } from '#runtime/cloud/job.ts';
import { cloudLifecycle, untilDone, type Done } from '#runtime/cloud/process.ts';
import { openTraces } from '#runtime/cloud/traces.ts';
import { parseSettings } from '#runtime/settings.ts';
import { freshFolder } from '#test/flow/kit.ts';
import { living, service } from './kit.ts';

let folder: string;
let remove: () => void;
beforeEach(() => ({ folder, remove } = freshFolder()));
afterEach(() => remove());

const COMMAND: CommandSpec = {
  doc: 'Reads all.',
  arguments: { since: { doc: 'A time.', required: true }, object: { doc: 'One object.', required: false } },
};
const NOW = Date.parse('2026-03-02T12:00:00Z') * 1_000;

describe('the arguments of a command', () => {
  it.each<[string, string[], CommandArguments]>([
    ['pairs', ['--since', '2026-01-01', '--object', 'Contact'], { since: '2026-01-01', object: 'Contact' }],
    ['with an equals sign', ['--since=2026-01-01'], { since: '2026-01-01' }],
    ['a time of hours ago', ['--since', '-26h'], { since: '2026-03-01T10:00:00.000Z' }],
    ['a time of days ago', ['--since=-2d'], { since: '2026-02-28T12:00:00.000Z' }],
  ])('are taken as %s', (_, words, args) => expect(argumentsOf(COMMAND, words, NOW)).toEqual(args));

  it.each<[string, string[], RegExp]>([
    ['one that is none', ['--since', '-1h', '--objekt', 'Contact'], /no argument --objekt.*--object/],
    ['one that is required and missing', ['--object', 'Contact'], /--since is required/],
    ['one without a value', ['--since'], /--since is required/],
    ['a word without a name', ['Contact'], /--name value/],
  ])('%s is refused, and those that there are named', (_, words, text) =>
    expect(() => argumentsOf(COMMAND, words, NOW)).toThrow(text),
  );
});

interface Job {
  readonly done: Promise<Done<unknown>>;
  terminate(): void;
}

function job(one: AnyService, command: string, words: readonly string[] = []): Job {
  const [telemetry, lifecycle, stopping] = [new TelemetryHub(), cloudLifecycle(), new AbortController()];
  const settings = parseSettings([one], { 'state.folder': folder });
  const ports = { telemetry, lifecycle, traces: openTraces(), version: 'test' };
  const options = { settings, services: [one], ...ports, command, words, progress: () => undefined };
  const done = untilDone(() => runJob(options, stopping.signal), options, stopping.signal);
  done.catch(() => undefined);
  return { done, terminate: () => stopping.abort(new Error('SIGTERM')) };
}

const COMMANDS = { read: { doc: '', arguments: {} } };

describe('a job', () => {
  it('answers what its command answers, and consumes and repeats nothing beside it', async () => {
    const log: string[] = [];
    const one = service(
      { commands: COMMANDS, schedules: { poll: { everySeconds: 1, doc: '' } }, singletons: { hold: { doc: '' } } },
      async () =>
        living({
          commands: { read: async () => ({ records: 3 }) },
          schedules: { poll: async () => void log.push('polled') },
          singletons: { hold: async () => void log.push('held') },
        }),
    );
    expect(await job(one, 'read').done).toEqual({ result: { records: 3 }, isClean: true });
    expect(log).toEqual([]);
  });

  it('that fails throws, so that the platform tries again', async () => {
    const read = async (): Promise<never> => {
      throw new Transient('http_503', 'The source is down.');
    };
    const one = service({ commands: COMMANDS }, async () => living({ commands: { read } }));
    await expect(job(one, 'read').done).rejects.toMatchObject({ code: 'http_503' });
  });

  it('of a command that is none says which there are', async () => {
    const one = service({ commands: COMMANDS }, async () => living({ commands: { read: async () => ({}) } }));
    await expect(job(one, 'write').done).rejects.toThrow('tester has no command write; it has read.');
  });

  it('that is stopped ends its command by its signal, and has no result', async () => {
    const begun = Promise.withResolvers<void>();
    let ended = false;
    const read = (_args: unknown, _progress: unknown, signal: AbortSignal): Promise<never> => {
      begun.resolve();
      return new Promise((_, reject) =>
        signal.addEventListener('abort', () => {
          ended = true;
          reject(signal.reason as Error);
        }),
      );
    };
    const one = job(
      service({ commands: COMMANDS }, async () => living({ commands: { read } })),
      'read',
    );
    await begun.promise;
    one.terminate();
    expect(await one.done).toEqual({ result: undefined, isClean: true });
    expect(ended).toBe(true);
  });

  it('waits while another process does the same work, and then does it', async () => {
    const gate = Promise.withResolvers<void>();
    const first = Promise.withResolvers<void>();
    const log: string[] = [];
    const one = service({ commands: COMMANDS }, async (context) =>
      living({
        commands: {
          read: (_args, _progress, signal) =>
            context.exclusively('all', signal, async () => {
              log.push('begins');
              first.resolve();
              await gate.promise;
              log.push('ends');
              return {};
            }),
        },
      }),
    );
    const jobs = [job(one, 'read')];
    await first.promise;
    jobs.push(job(one, 'read'));
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(log).toEqual(['begins']);
    gate.resolve();
    await Promise.all(jobs.map(({ done }) => done));
    expect(log).toEqual(['begins', 'ends', 'begins', 'ends']);
  });
});
