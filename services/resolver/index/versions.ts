/** The version of each holder, 20 bytes each. Epoch and generation seldom change, so pairs of them are kept once. */
import { compareVersions, type Version } from '#core/version.ts';
import { doubles, unsigned } from './column.ts';

/** How a state that came stands to the one held. */
export type Standing = 'newer' | 'same' | 'older';

export class Versions {
  readonly #sequences = doubles();
  readonly #issued = doubles();
  /** Index + 1 into the pairs; 0: no version yet. */
  readonly #pairs = unsigned();
  readonly #known: { readonly epoch: number; readonly generation: number }[] = [];

  get bytes(): number {
    return this.#sequences.bytes + this.#issued.bytes + this.#pairs.bytes;
  }

  /** Undefined of a holder that others mention and that has not come itself. */
  get(holder: number): Version | undefined {
    const pair = this.#pairs.get(holder);
    if (pair === 0) return undefined;
    const { epoch, generation } = this.#known[pair - 1] as { epoch: number; generation: number };
    return {
      epoch,
      sourceSequence: this.#sequences.get(holder),
      issuedMicros: this.#issued.get(holder),
      generation,
    };
  }

  has(holder: number): boolean {
    return this.#pairs.get(holder) !== 0;
  }

  /** Keeps the version if it is greater than the one held. */
  raise(holder: number, version: Version): Standing {
    const held = this.get(holder);
    const difference = held === undefined ? 1 : compareVersions(version, held);
    if (difference <= 0) return difference === 0 ? 'same' : 'older';
    this.#sequences.set(holder, version.sourceSequence);
    this.#issued.set(holder, version.issuedMicros);
    this.#pairs.set(holder, this.#pair(version) + 1);
    return 'newer';
  }

  #pair({ epoch, generation }: Version): number {
    for (let at = this.#known.length - 1; at >= 0; at -= 1) {
      const known = this.#known[at];
      if (known !== undefined && known.epoch === epoch && known.generation === generation) return at;
    }
    this.#known.push({ epoch, generation });
    return this.#known.length - 1;
  }
}
