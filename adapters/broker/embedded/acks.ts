/** Which messages of one frame one subscription has acked, and how often it has been handed them. */
export class Acks {
  readonly frame: number;
  readonly count: number;
  /** How often the process died, or another took over, while the frame was handed. */
  readonly crashes: number;
  left: number;
  /** There is a row for it in the table of exceptions. */
  isStored: boolean;
  /** A seek or the retention took it from us: what still comes for it is ignored. */
  isDropped = false;
  #bits: Uint8Array | undefined;
  #releases: Map<number, number> | undefined;

  constructor(frame: number, count: number, acked: Uint8Array | 'all' | undefined, crashes: number, isStored: boolean) {
    this.frame = frame;
    this.count = count;
    this.crashes = crashes;
    this.isStored = isStored;
    this.left = acked === 'all' ? 0 : count;
    if (acked && acked !== 'all') this.#load(acked);
  }

  #load(bits: Uint8Array): void {
    this.#bits = Uint8Array.from(bits);
    for (let index = 0; index < this.count; index++) if (this.#isSet(index)) this.left--;
  }

  #isSet(index: number): boolean {
    return this.#bits !== undefined && ((this.#bits[index >> 3] as number) & (1 << (index & 7))) !== 0;
  }

  has(index: number): boolean {
    return this.left === 0 || (this.#bits !== undefined && this.#isSet(index));
  }

  /** False if it was acked before, or is not ours to ack any more. */
  add(index: number): boolean {
    if (this.isDropped || this.has(index)) return false;
    this.left--;
    this.#bits ??= new Uint8Array((this.count + 7) >> 3);
    this.#bits[index >> 3] = (this.#bits[index >> 3] as number) | (1 << (index & 7));
    return true;
  }

  addAll(): void {
    this.left = 0;
  }

  /** As stored: one bit a message; null when all are acked. */
  get bits(): Uint8Array | null {
    if (this.left === 0) return null;
    return this.#bits ?? new Uint8Array((this.count + 7) >> 3);
  }

  attempts(index: number): number {
    return this.crashes + (this.#releases?.get(index) ?? 0);
  }

  countAttempt(index: number): void {
    this.#releases ??= new Map();
    this.#releases.set(index, (this.#releases.get(index) ?? 0) + 1);
  }
}
