/**
 * Two runs on fresh state. First: full sync alone, then live changes alone, then every contact once more as an update.
 * Second: the same full sync with live changes during it. The vendors' process shares the machine's cores.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { cpus, tmpdir, totalmem } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Status } from '#runtime/operations.ts';
import { isRunning, operateRemotely } from '#runtime/socket.ts';
import { cpuSeconds, peakBytes, startPipeline, startVendors, type Pipeline, type Vendors } from './processes.ts';

export interface RiverOptions {
  readonly contacts: number;
  readonly columns: number;
  readonly perSecond: number;
  readonly seconds: number;
  readonly threads: number;
  readonly json?: true;
}

type Figures = Record<string, number | string | null>;

const STANDARD_COLUMNS = 24;
const SILENT = { emit: () => undefined, progress: () => undefined };

export async function benchRiver(options: RiverOptions): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'tributary-bench-'));
  try {
    const figures: Figures = {
      machine: `${cpus().length} × ${cpus()[0]?.model ?? 'unknown'}, ${Math.round(totalmem() / 2 ** 30)} GiB, Node ${process.version}`,
      dataset: `${options.contacts} contacts of ${options.columns} columns`,
      threads: options.threads,
      ...(await alone(join(folder, 'alone'), options)),
      ...(await during(join(folder, 'during'), options)),
    };
    console.log(options.json ? JSON.stringify(figures) : table(figures));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

async function alone(folder: string, options: RiverOptions): Promise<Figures> {
  return withRiver(folder, options, async ({ pipeline, vendors, status, untilIdle }) => {
    const sync = await timed(untilIdle);
    const synced = await status();
    const figures: Figures = {
      'first sync, s': round(sync.seconds),
      'first sync, rows/s': Math.round(options.contacts / sync.seconds),
      rows: synced.tables['sf_contacts'] ?? 0,
      'pipeline CPU of the sync, s': round(cpuSeconds(pipeline.pid)),
      'vendors CPU of the sync, s': round(cpuSeconds(vendors.pid)),
      'peak memory of the pipeline after the sync, MB': megabytes(peakBytes(pipeline.pid)),
      ...Object.fromEntries(
        Object.entries(synced.metrics.stageMs).map(([stage, ms]) => [`time in ${stage}, s`, round(ms / 1_000)]),
      ),
    };
    const callsBefore = calls(synced);
    const changes = await change(vendors, options.perSecond * options.seconds, options.perSecond);
    await untilIdle();
    const changed = await status();
    const update = await timed(async () => {
      await operateRemotely(
        folder,
        'command',
        { service: 'ingest-salesforce', command: 'backfill', args: { object: 'Contact' } },
        SILENT,
      );
      await untilIdle();
    });
    return {
      ...figures,
      'change to row alone, p50 ms': changed.metrics.changeToRowMs.p50,
      'change to row alone, p99 ms': changed.metrics.changeToRowMs.p99,
      'changes measured alone': changed.metrics.changeToRowMs.samples,
      'API calls per 1,000 changes': Math.round(((calls(changed) - callsBefore) / changes) * 1_000),
      'update of every contact, s': round(update.seconds),
      'update of every contact, rows/s': Math.round(options.contacts / update.seconds),
      'update / first sync': round(update.seconds / sync.seconds),
      'peak memory of the pipeline, MB': megabytes(peakBytes(pipeline.pid)),
    };
  });
}

async function during(folder: string, options: RiverOptions): Promise<Figures> {
  return withRiver(folder, options, async ({ vendors, status, untilIdle, pipeline }) => {
    const running = change(vendors, Number.MAX_SAFE_INTEGER, options.perSecond);
    const sync = await timed(async () => {
      while (
        (await status()).metrics.runs.some(({ state }) => state === 'running') ||
        (await status()).metrics.runs.length === 0
      )
        await sleep(500);
    });
    const { changeToRowMs } = (await status()).metrics;
    await post(vendors, '/__control/changes', { count: 0, perSecond: options.perSecond });
    await running;
    await untilIdle();
    return {
      'first sync with changes, reading, s': round(sync.seconds),
      'change to row during the sync, p50 ms': changeToRowMs.p50,
      'change to row during the sync, p99 ms': changeToRowMs.p99,
      'changes measured during the sync': changeToRowMs.samples,
      'peak memory of the pipeline with changes, MB': megabytes(peakBytes(pipeline.pid)),
    };
  });
}

interface River {
  readonly vendors: Vendors;
  readonly pipeline: Pipeline;
  readonly status: () => Promise<Status>;
  readonly untilIdle: () => Promise<void>;
}

async function withRiver(
  folder: string,
  options: RiverOptions,
  work: (river: River) => Promise<Figures>,
): Promise<Figures> {
  const vendors = await startVendors(folder, options.contacts, Math.max(0, options.columns - STANDARD_COLUMNS));
  const pipeline = startPipeline(folder, {
    ...vendors.settings,
    ...extraFields(options),
    TRIBUTARY_THREADS: String(options.threads),
  });
  const status = async (): Promise<Status> => (await operateRemotely(folder, 'status', {}, SILENT)) as Status;
  try {
    while (!(await isRunning(folder))) await sleep(50);
    return await work({ vendors, pipeline, status, untilIdle: () => untilIdle(status) });
  } finally {
    await pipeline.stop();
    await vendors.stop();
  }
}

function extraFields({ columns }: RiverOptions): Record<string, string> {
  const count = Math.max(0, columns - STANDARD_COLUMNS);
  const names = Array.from({ length: count }, (_, index) => `Contact.Field_${String(index + 1).padStart(2, '0')}__c`);
  return names.length === 0 ? {} : { TRIBUTARY_SALESFORCE_EXTRA_FIELDS: names.join(',') };
}

/** Idle at three looks in a row. The looks' own time is in the figures: at most a second. */
async function untilIdle(status: () => Promise<Status>): Promise<void> {
  for (let looks = 0; looks < 3;) {
    await sleep(250);
    const { idle, metrics } = await status();
    looks = idle && metrics.runs.every(({ state }) => state !== 'running') && metrics.runs.length > 0 ? looks + 1 : 0;
  }
}

async function timed(work: () => Promise<void>): Promise<{ readonly seconds: number }> {
  const startedMs = performance.now();
  await work();
  return { seconds: (performance.now() - startedMs) / 1_000 };
}

/** Resolves when the changes were made. */
async function change(vendors: Vendors, count: number, perSecond: number): Promise<number> {
  await post(vendors, '/__control/changes', { count, perSecond });
  for (;;) {
    const progress = (await (await fetch(`${vendors.control}/__control/changes`)).json()) as {
      readonly done: number;
      readonly running: boolean;
    };
    if (!progress.running) return progress.done;
    await sleep(200);
  }
}

async function post(vendors: Vendors, path: string, body: unknown): Promise<void> {
  const response = await fetch(`${vendors.control}${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  if (!response.ok) throw new Error(`The vendors answered ${response.status} to ${path}.`);
}

function calls({ metrics }: Status): number {
  return ['salesforce prompt', 'salesforce settled'].reduce((sum, name) => sum + (metrics.apiCalls[name] ?? 0), 0);
}

const round = (value: number): number => Math.round(value * 100) / 100;
const megabytes = (bytes: number): number => Math.round(bytes / 1e6);

function table(figures: Figures): string {
  return Object.entries(figures)
    .map(
      ([name, value]) => `${name.padEnd(48)} ${typeof value === 'number' ? value.toLocaleString('en') : (value ?? '')}`,
    )
    .join('\n');
}
