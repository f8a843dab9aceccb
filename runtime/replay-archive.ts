/**
 * Sends archived raw events on a new trip, as far back as the archive goes: to their raw topic, addressed to the normalizer,
 * in the bulk lane, with the next generation.
 *
 *     files of an hour ──▶ rows in the range ──▶ new trip ──▶ publish ──▶ next hour
 *       └ damaged: named, what was read of it sent, the rest goes on
 *
 * Nothing is remembered of how far it came: who runs it again sends again with a greater generation, which changes no row
 * but its generation. What stops it says from which hour to go on. A few files are held at a time, whatever the range.
 */
import { archivedRows, eventOf, type ArchivedRow } from '#core/archive.ts';
import type { TimeRange } from '#core/archive-range.ts';
import { MICROS_PER_MS, type Clock } from '#core/clock.ts';
import type { Codec, RawEvent } from '#core/codec.ts';
import { InvalidMessage, messageOf, Misconfigured, Transient } from '#core/errors.ts';
import type { ObjectsPort } from '#core/ports/objects.ts';
import type { StorePort } from '#core/ports/store.ts';
import type { Progress } from '#core/service.ts';
import type { RawSource } from '#schemas/generated/types.ts';
import { archivedFiles, firstHour, type ArchivedFile } from './archived-files.ts';
import { newTrip, nextGeneration } from './new-trip.ts';
import type { Publisher } from './publisher.ts';
import { ReplayOutbox, type ReplayedObject } from './replay-outbox.ts';
import { isMapped, selectionOf, type Selection } from './replay-selection.ts';

export interface ArchiveReplayOptions {
  readonly publisher: Publisher;
  readonly store: StorePort;
  readonly objects: ObjectsPort;
  readonly codec: Codec;
  readonly clock: Clock;
}

/** Times are those of the first publish. */
export interface ArchiveReplayRequest extends TimeRange {
  readonly source?: RawSource;
  /** A canonical entity or a source's object; all where absent. */
  readonly entity?: string;
  /** Reads and counts all, sends nothing. */
  readonly dryRun: boolean;
}

export interface ArchiveReplayIo {
  readonly progress: Progress;
  readonly signal: AbortSignal;
}

export interface ArchiveReplay {
  readonly dryRun: boolean;
  readonly from: string;
  readonly to: string;
  /** Null where nothing was sent. */
  readonly generation: number | null;
  /** Of the archive, whole, though some of what they hold may lie outside the range. */
  readonly files: number;
  readonly fileBytes: number;
  readonly events: number;
  /** Of the messages' bodies. */
  readonly bytes: number;
  readonly of: readonly ReplayedObject[];
  /** Events of objects that no mapper knows: left out. */
  readonly unmapped: number;
  /** Messages that no known schema reads: left out. */
  readonly undecodable: number;
  readonly damaged: readonly { readonly name: string; readonly reason: string }[];
  /** The oldest hour that is archived of the sources asked for; null: the archive holds nothing of them. */
  readonly begins: string | null;
}

/** Throws `Misconfigured` (`bad_time`, `unknown_object`), and `Transient` (`replay_stopped`) with the hour to go on from. */
export async function replayArchive(
  options: ArchiveReplayOptions,
  request: ArchiveReplayRequest,
  io: ArchiveReplayIo,
): Promise<ArchiveReplay> {
  const range = rangeOf(request, options.clock);
  const selection = selectionOf(request);
  const sources = [...selection.keys()];
  const trip = new Trip(options, range, selection, request.dryRun);
  try {
    for await (const file of archivedFiles(options.objects, sources, range)) {
      io.signal.throwIfAborted();
      io.progress(trip.events, null, `${request.dryRun ? 'Counting' : 'Replaying'} ${isoHour(file.hour)}`);
      await trip.take(file);
    }
    await trip.end();
  } catch (error) {
    throw trip.hour === undefined ? error : stopped(error, trip.hour);
  }
  const begins = await firstHour(options.objects, sources);
  return {
    dryRun: request.dryRun,
    from: range.from.toISOString(),
    to: range.to.toISOString(),
    ...trip.counts(),
    begins: begins === undefined ? null : isoHour(begins),
  };
}

class Trip {
  readonly #options: ArchiveReplayOptions;
  readonly #range: TimeRange;
  readonly #selection: Selection;
  readonly #isDry: boolean;
  readonly #outbox: ReplayOutbox;
  readonly #damaged: { readonly name: string; readonly reason: string }[] = [];
  #generation: number | null = null;
  #files = 0;
  #fileBytes = 0;
  #unmapped = 0;
  #undecodable = 0;
  /** All of the hours before it is the broker's. */
  hour: string | undefined;

  constructor(options: ArchiveReplayOptions, range: TimeRange, selection: Selection, isDry: boolean) {
    this.#options = options;
    this.#range = range;
    this.#selection = selection;
    this.#isDry = isDry;
    this.#outbox = new ReplayOutbox(isDry ? undefined : options.publisher);
  }

  get events(): number {
    return this.#outbox.events;
  }

  async take({ source, name, hour, bytes }: ArchivedFile): Promise<void> {
    if (hour !== this.hour) await this.#outbox.flush();
    this.hour = hour;
    if (bytes === undefined) return void this.#damaged.push({ name, reason: 'It is not there any more.' });
    this.#files += 1;
    this.#fileBytes += bytes.byteLength;
    try {
      for (const rows of archivedRows(source, { name, bytes })) for (const row of rows) await this.#row(source, row);
    } catch (error) {
      if (!(error instanceof InvalidMessage) || error.code !== 'avro_damaged') throw error;
      this.#damaged.push({ name, reason: error.message });
    }
  }

  end(): Promise<void> {
    return this.#outbox.flush();
  }

  counts() {
    const { events, bytes, of } = this.#outbox;
    return {
      generation: this.#generation,
      files: this.#files,
      fileBytes: this.#fileBytes,
      events,
      bytes,
      of,
      unmapped: this.#unmapped,
      undecodable: this.#undecodable,
      damaged: this.#damaged,
    };
  }

  async #row(source: RawSource, row: ArchivedRow): Promise<void> {
    const atMs = row.publishedAt / MICROS_PER_MS;
    if (atMs < this.#range.from.getTime() || atMs >= this.#range.to.getTime()) return;
    const event = this.#eventOf(source, row);
    if (event === undefined) return;
    const { object } = event.envelope;
    if (this.#selection.get(source)?.has(object) !== true) {
      if (!isMapped(source, object)) this.#unmapped += 1;
      return;
    }
    // Taken with the first event that is sent: what sends nothing needs no number.
    if (!this.#isDry) this.#generation ??= await nextGeneration(this.#options.store);
    const message = newTrip(this.#options.codec, source, event, this.#generation ?? 0);
    await this.#outbox.add(source, object, message);
  }

  #eventOf(source: RawSource, row: ArchivedRow): RawEvent | undefined {
    try {
      return eventOf(this.#options.codec, source, row);
    } catch (error) {
      if (!(error instanceof InvalidMessage)) throw error;
      this.#undecodable += 1;
      return undefined;
    }
  }
}

/** Not into the future: what is archived while it runs was mapped by the stages of today. */
function rangeOf({ from, to }: TimeRange, clock: Clock): TimeRange {
  const now = new Date(clock.nowMicros() / MICROS_PER_MS);
  const until = to < now ? to : now;
  if (from >= until)
    throw new Misconfigured(
      'bad_time',
      `Nothing is between ${from.toISOString()} and ${until.toISOString()}: give a «from» before «to», and before now.`,
    );
  return { from, to: until };
}

/** `yyyy/mm/dd/hh` as a time that `--from` takes. */
function isoHour(hour: string): string {
  return `${hour.slice(0, 10).replaceAll('/', '-')}T${hour.slice(11)}:00Z`;
}

function stopped(cause: unknown, hour: string): Transient {
  return new Transient(
    'replay_stopped',
    `The replay stopped: ${messageOf(cause)} What was published before ${isoHour(hour)} was sent: go on with --from ${isoHour(hour)}.`,
    { cause },
  );
}
