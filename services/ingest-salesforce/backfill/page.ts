/**
 * One result page: streamed, scanned, published batch by batch, so that memory does not grow with it. Its count must be
 * what the header promised, else it is read again from its start.
 */
import { Transient } from '#core/errors.ts';
import type { Message } from '#core/ports/broker.ts';
import type { VendorResponse } from '#core/ports/vendor.ts';
import type { CapturePath } from '#core/telemetry.ts';
import { floorMicros } from '#core/version.ts';
import { csvScanner } from '../decode/csv.ts';
import { fieldNames, type RecordPlan } from '../decode/plan.ts';
import { decodeCells } from '../decode/row.ts';
import type { Org } from '../org/org.ts';
import { hintTooLarge, publishRaw, untold } from '../publish.ts';
import { fits, rawMessage, UNIT_MICROS, type Origin } from '../raw-event.ts';
import type { Run } from '../run.ts';
import type { Job } from './job.ts';
import { PageIds } from './listing.ts';
import { nextLocator, type Locator } from './result-pages.ts';

export interface PageTask {
  readonly org: Org;
  readonly plan: RecordPlan;
  readonly job: Job;
  readonly origin: Omit<Origin, 'observedAtMicros'>;
  readonly path: CapturePath;
  readonly run: Run;
  readonly locator: Locator;
  /** Records asked for where the page's size is ours to say. */
  readonly maxRecords: number | null;
  /** Called with the next page's locator as soon as the headers are there. */
  readonly onNext: (next: Locator | null) => void;
}

export interface ReadPage {
  readonly records: number;
  readonly next: Locator | null;
  readonly ids: PageIds;
}

/** A publish of this many events: large enough to be cheap, small enough to let live changes in between. */
const BATCH_EVENTS = 1_000;
const BATCH_BYTES = 2_000_000;
const SILENCE_MS = 120_000;

export async function readPage(task: PageTask, signal: AbortSignal): Promise<ReadPage> {
  const { org, job, locator, maxRecords, run } = task;
  const query: Record<string, string> = {};
  if (locator !== '') query.locator = locator;
  if (maxRecords !== null) query.maxRecords = String(maxRecords);
  const path = org.client.data(`jobs/query/${job.id}/results`);
  const request = { path, query, accept: 'text/csv', purpose: 'backfill', timeoutMs: SILENCE_MS, signal } as const;
  return org.client.stream(request, async (response) => {
    run.called();
    const next = nextLocator(response.headers);
    task.onNext(next);
    const rows = new PageRows(task);
    try {
      await rows.readAll(response);
      const promised = Number(response.headers['sforce-numberofrecords'] ?? rows.records);
      if (promised !== rows.records)
        throw new Transient(
          'page_incomplete',
          `A page has ${rows.records} records where ${promised} were promised; read again.`,
        );
    } catch (error) {
      rows.forget();
      throw error;
    }
    return { records: rows.records, next, ids: rows.ids };
  });
}

class PageRows {
  records = 0;
  readonly ids = new PageIds();
  readonly #task: PageTask;
  readonly #observedAtMicros: number;
  #batch: Message[] = [];
  #batchBytes = 0;
  #tooLarge: string[] = [];
  #header = true;
  #told = 0;

  constructor(task: PageTask) {
    this.#task = task;
    this.#observedAtMicros = task.org.context.clock.nowMicros();
  }

  async readAll(response: VendorResponse): Promise<void> {
    const decoder = new TextDecoder();
    const scanner = csvScanner(this.#task.plan.fields.length);
    const onRow = (cells: readonly string[]): void => this.#take(cells);
    try {
      for await (const chunk of response.body) {
        scanner.push(decoder.decode(chunk, { stream: true }), onRow);
        if (this.#batch.length >= BATCH_EVENTS || this.#batchBytes >= BATCH_BYTES) await this.#publish();
      }
      scanner.push(decoder.decode(), onRow);
      scanner.end(onRow);
    } catch (error) {
      // A cut inside a row looks malformed: the same page, read again, tells whether it was.
      if (error instanceof Error && 'code' in error && String(error.code).endsWith('_csv'))
        throw new Transient('page_cut', 'A page of results was cut or is not CSV; read again.', { cause: error });
      throw error;
    }
    await this.#publish();
  }

  /** The attempt failed: what it counted is counted again by the next. */
  forget(): void {
    this.#task.run.read(-this.#told);
    this.#task.run.published(-this.#told);
  }

  #take(cells: readonly string[]): void {
    const { org, plan, job, origin } = this.#task;
    if (this.#header) return this.#takeHeader(cells);
    const { id, json, modifiedMicros, deleted } = decodeCells(plan, cells);
    this.ids.add(id);
    const version = {
      epoch: org.epoch,
      sourceSequence: floorMicros(modifiedMicros, UNIT_MICROS),
      issuedMicros: job.issuedMicros,
      generation: 0,
    };
    const verdict = deleted
      ? ({ kind: 'delete', version, deletedAtMicros: modifiedMicros } as const)
      : ({ kind: 'upsert', version } as const);
    const observed = { ...origin, observedAtMicros: this.#observedAtMicros };
    const message = rawMessage(org.context.codec, observed, id, verdict, json, untold(org.context));
    if (fits(message)) this.#batch.push(message);
    else this.#tooLarge.push(id);
    this.#batchBytes += message.body.byteLength;
    this.records += 1;
  }

  /** Every page repeats the header; one that names other columns is not ours to read. */
  #takeHeader(cells: readonly string[]): void {
    this.#header = false;
    const names = fieldNames(this.#task.plan);
    if (names.some((name, index) => name.toLowerCase() !== cells[index]?.toLowerCase()))
      throw new Transient('page_columns', 'A page of results has other columns than were asked for; read again.');
  }

  async #publish(): Promise<void> {
    const { org, origin, path, run } = this.#task;
    const [batch, tooLarge] = [this.#batch, this.#tooLarge];
    this.#batch = [];
    this.#tooLarge = [];
    this.#batchBytes = 0;
    await publishRaw(org.context, origin.object, path, batch, 'power');
    await hintTooLarge(org.context, { ...origin, observedAtMicros: this.#observedAtMicros }, org.epoch, tooLarge);
    const taken = batch.length + tooLarge.length;
    this.#told += taken;
    run.read(taken);
    run.published(taken);
  }
}
