/** Takes a snapshot now and then, so that the log stays about as long as what it says. Off the ack path; one at a time. */
import { codeOf, messageOf } from '#core/errors.ts';
import type { Telemetry } from '#core/telemetry.ts';
import { RULES_VERSION } from '../match/explain.ts';
import type { Log } from './log.ts';
import { takeSnapshot, type SnapshotOptions } from './snapshot.ts';

export interface CompactionOptions extends Omit<SnapshotOptions, 'rules' | 'partBytes' | 'signal'> {
  readonly log: Pick<Log, 'position' | 'storedBytes'>;
  readonly telemetry: Telemetry;
  /** What had to be read at the start. */
  readonly loadedBytes: number;
}

/** Segments are worth a snapshot when they are as large as the last one, and at least this; or when they are many. */
const LEAST_BYTES = 8_000_000;
const MOST_SEGMENTS = 2_000;
const PART_BYTES = 1_000_000;

export class Compaction {
  readonly #options: CompactionOptions;
  #snapshotBytes: number;
  #atBytes = 0;
  #atNumber = 0;
  readonly #stopping = new AbortController();
  #running: Promise<void> | undefined;

  constructor(options: CompactionOptions) {
    this.#options = options;
    this.#snapshotBytes = options.loadedBytes;
  }

  /** Starts a snapshot if one is due. Cheap. */
  consider(): void {
    const { log } = this.#options;
    if (this.#running !== undefined || this.#stopping.signal.aborted) return;
    const bytes = log.storedBytes - this.#atBytes;
    const isDue =
      bytes > Math.max(LEAST_BYTES, this.#snapshotBytes) || log.position.number - this.#atNumber > MOST_SEGMENTS;
    if (isDue) this.#running = this.#take().finally(() => (this.#running = undefined));
  }

  /** Gives up a snapshot under way: the segments it would have replaced are still there. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.settled();
  }

  /** Once no snapshot is under way. */
  async settled(): Promise<void> {
    await this.#running;
  }

  async #take(): Promise<void> {
    const { log, telemetry } = this.#options;
    const { signal } = this.#stopping;
    const position = log.position;
    this.#atBytes = log.storedBytes;
    this.#atNumber = position.number;
    try {
      const options = { ...this.#options, rules: RULES_VERSION, partBytes: PART_BYTES, signal };
      this.#snapshotBytes = await takeSnapshot(options, position);
    } catch (error) {
      if (!signal.aborted)
        telemetry.emit('faultSeen', { service: 'resolver', code: codeOf(error), message: messageOf(error) });
    }
  }
}
